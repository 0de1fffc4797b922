local files = require "files"
local ffi = require "ffi"

local function flights(n, extra)
  local lines = { "n,square" .. (extra or "") }
  for i = 1, n do lines[i + 1] = i .. "," .. i * i end
  return table.concat(lines, "\n") .. "\n"
end

local function sum(list)
  local total = 0
  for _, value in ipairs(list) do total = total + value end
  return total
end

-- Read the one file of these bytes: the number of rows and the sum of n, or the failure.
local function read(bytes, chunk)
  local lists, err = files.read {
    paths = { files.write("some.csv.zst", bytes) }, columns = { "n: i64" }, options = { chunk = chunk or 0 },
  }
  if not lists then return nil, err end
  return #lists.n, sum(lists.n)
end

describe("zstd", function()
  local text = flights(5000)
  local packed = files.bytes(files.compress("packed.zst", text))
  local half = text:find("\n", #text / 2, true)
  local two = files.bytes(files.compress("a.zst", text:sub(1, half))) .. files.bytes(files.compress("b.zst",
    text:sub(half + 1)))
  local skippable = "\80\42\77\24\5\0\0\0hello"

  it("is recognised by content, not by name", function()
    local lists, _, format = files.read { paths = { files.write("plain-name.txt", packed) } }
    assert.same({ 5000, "csv.zst" }, { #lists.n, format })
    lists, _, format = files.read { paths = { files.write("not-packed.zst", text) } }
    assert.same({ 5000, "csv" }, { #lists.n, format })
  end)

  it("may have several frames, empty ones and ones to skip", function()
    local empty = files.bytes(files.compress("empty.zst", ""))
    for _, bytes in ipairs { packed, two, empty .. two, skippable .. two, two .. skippable, two .. empty .. skippable
      .. empty } do
      assert.same({ 5000, 12502500 }, { read(bytes) })
    end
  end)

  it("may come in chunks of any size", function()
    for _, chunk in ipairs { 1, 2, 3, 7, 64, 1000, 1 + 2 ^ 20 } do
      assert.same({ 5000, 12502500 }, { read(two .. skippable, chunk) })
    end
  end)

  it("is an error when it is cut off anywhere", function()
    for _, size in ipairs { 4, 5, 8, 100, #packed - 5, #packed - 4, #packed - 1 } do
      local rows, err = read(packed:sub(1, size))
      assert.is_nil(rows, size)
      assert.same({ "truncated-zstd", -1 }, { err.id, err.code })
      assert.truthy(err.message:find("at byte " .. size, 1, true), err.message)
      assert.truthy(err.file:match "some%.csv%.zst$")
    end
  end)

  it("is an error when a byte has changed", function()
    local at = #packed - 2
    local changed = packed:sub(1, at) .. string.char((packed:byte(at + 1) + 1) % 256) .. packed:sub(at + 2)
    assert.same("bad-checksum", select(2, read(changed)).id)
    math.randomseed(1)
    for _ = 1, 50 do
      at = math.random(5, #packed - 1)
      changed = packed:sub(1, at - 1) .. string.char((packed:byte(at) + math.random(1, 255)) % 256)
        .. packed:sub(at + 1)
      local rows, err = read(changed)
      assert.is_nil(rows, "byte " .. at)
      assert.truthy(({ ["bad-checksum"] = 1, ["corrupt-zstd"] = 1, ["truncated-zstd"] = 1, ["trailing-bytes"] = 1,
        ["zstd-window"] = 1,
        ["zstd-dictionary"] = 1, ["bad-number"] = 1, ["ragged-row"] = 1, ["unknown-column"] = 1, ["lone-cr"] = 1,
        ["bad-quote"] = 1, ["unclosed-quote"] = 1, ["bad-header"] = 1 })[err.id], err.id)
    end
  end)

  it("is an error when something else follows", function()
    for _, more in ipairs { "x", "abc", "some more text\n" } do
      local rows, err = read(two .. more)
      assert.is_nil(rows)
      assert.same("trailing-bytes", err.id)
      assert.truthy(err.message:find("at byte " .. #two, 1, true), err.message)
    end
  end)

  it("is refused where it needs more memory than 128 MiB for its window", function()
    -- A frame header that asks for a window of 2^28 bytes: no checksum, one empty last block.
    local rows, err = read("\40\181\47\253\0\144\1\0\0")
    assert.is_nil(rows)
    assert.same({ "zstd-window", -4 }, { err.id, err.code })
  end)

  it("gives its rows before it tells of damage behind them", function()
    local bad = files.bytes(files.compress("bad.zst", "n\n1\nx\n")) .. "garbage"
    assert.same("bad-number", select(2, read(bad)).id)
  end)

  it("tells how much of the file was read", function()
    local C = require("moonmill.base.ffi").C
    local source = files.source { paths = { files.write("some.csv.zst", packed) } }
    local progress = ffi.new "mm_progress"
    source.vtable.progress(source, progress)
    assert.same({ #packed, #packed }, { tonumber(progress.bytes), tonumber(progress.bytes_total) })
    C.mm_source_free(source)
  end)

  it("is read as well where no thread can be started for it", function()
    local C = require("moonmill.base.ffi").C
    local paths = { files.write("some.csv.zst", two) }
    -- close(-1) fails, as a start that cannot be; a Lua function cannot be called from compiled code.
    pcall(ffi.cdef, "int close(int fd);")
    local refuse = ffi.cast("int (*)(void *, void **, void (*)(void *), void *)", ffi.C.close)
    C.mm_set_threads(ffi.new("mm_threads", { ffi.cast("void *", -1), refuse, nil }))
    local ok, source = pcall(files.source, { paths = paths, columns = { "n: i64" },
      options = { sample_rows = 10 ^ 6 } })
    C.mm_set_threads(nil)
    assert.truthy(ok and source)
    C.mm_source_free(source)
  end)

  it("stops in the middle without being read to its end", function()
    local long = files.compress("long.csv.zst", flights(400000))
    for _ = 1, 3 do
      local C = require("moonmill.base.ffi").C
      C.mm_source_free((files.source { paths = { long } }))
    end
  end)
end)
