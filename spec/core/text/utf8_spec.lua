local ffi = require "ffi"
local bit = require "bit"
local texts = require "texts"
local C = require("moonmill.base.ffi").C

---The same by the table of the Unicode standard (Well-Formed UTF-8 Byte Sequences), a byte at a time. -1 when valid.
local function slow(text)
  local i, n = 1, #text
  local function within(k, low, high)
    local byte = text:byte(k)
    return byte and byte >= (low or 0x80) and byte <= (high or 0xbf)
  end
  while i <= n do
    local b, size = text:byte(i), nil
    if b < 0x80 then size = 1
    elseif b >= 0xc2 and b <= 0xdf then size = within(i + 1) and 2
    elseif b >= 0xe0 and b <= 0xef then
      size = within(i + 1, b == 0xe0 and 0xa0, b == 0xed and 0x9f) and within(i + 2) and 3
    elseif b >= 0xf0 and b <= 0xf4 then
      size = within(i + 1, b == 0xf0 and 0x90, b == 0xf4 and 0x8f) and within(i + 2) and within(i + 3) and 4
    end
    if not size then return i - 1 end
    i = i + size
  end
  return -1
end

local room = ffi.new "uint8_t[4096]"

---The core's answer for a text at some alignment, between bytes that would change it if they were read.
local function fast(text, offset)
  ffi.fill(room, 4096, 0xff)
  ffi.copy(room + offset, text, #text)
  return tonumber(C.mm_utf8_invalid(room + offset, #text))
end

local function agrees(text, offset)
  local want, got = slow(text), fast(text, offset or 0)
  if want ~= got then
    error(("%q at alignment %d: first invalid byte %d, not %d; seed %d"):format(text, offset or 0, got, want,
      texts.seed))
  end
end

local starts = { "a", "é", "日", "😀" }
local wrong = { "\128", "\191", "\192\128", "\193\191", "\194", "\195A", "\224\128\128", "\224\159\191", "\225\128",
  "\237\160\128",
  "\239\191", "\240\128\128\128", "\240\143\191\191", "\241\128\128", "\244\144\128\128", "\245\128\128\128", "\255",
    "\254" }

describe("UTF-8", function()
  it("of one character is accepted, from the first code point to the last", function()
    for _, c in ipairs { 0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff } do
      assert.equal(-1, fast(texts.utf8 { c }, 0))
    end
  end)

  it("is refused at every place of texts up to 200 bytes", function()
    for _, bad in ipairs(wrong) do
      for _, start in ipairs(starts) do
        for n = 0, 200, #start == 1 and 1 or 3 do
          local before = start:rep(math.floor(n / #start))
          agrees(before .. bad)
          agrees(before .. bad .. start:rep(40))
        end
      end
    end
  end)

  it("is the same at every alignment", function()
    math.randomseed(texts.seed)
    for offset = 0, 64 do
      for _ = 1, 10 do
        local text = texts.random(120)
        agrees(text, offset)
        local cut = math.random(0, #text)
        agrees(text:sub(1, cut) .. wrong[math.random(#wrong)] .. text:sub(cut + 1), offset)
        agrees(text:sub(1, cut), offset)
      end
    end
  end)

  it("is the same for random bytes that look like it", function()
    math.randomseed(texts.seed)
    local leads = { 0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1,
      0xf4, 0xf5 }
    for _ = 1, 3000 do
      local parts = { ("x"):rep(math.random(0, 70)) }
      for i = 2, math.random(2, 12) do parts[i] = string.char(leads[math.random(#leads)]) end
      parts[#parts + 1] = ("y"):rep(bit.band(math.random(0, 1000), 63))
      agrees(table.concat(parts), math.random(0, 31))
    end
  end)
end)
