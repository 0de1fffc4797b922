local ffi = require "ffi"
local C = require("moonmill.base.ffi").C
local MiB = 2 ^ 20

local used = require("columns").memory_used

describe("memory", function()
  it("is counted while it is held, and at its peak", function()
    local before = used()
    local blocks = {}
    for i = 1, 20 do blocks[i] = C.mm_block_new(3 * MiB, nil) end
    local most = used()
    assert.is_true(most >= before + 60 * MiB and most <= before + 90 * MiB)
    for i = 1, 20 do C.mm_block_release(blocks[i]) end
    assert.equal(before, used())
    assert.is_true(tonumber(C.mm_memory_peak()) >= most)
    C.mm_memory_trim()
  end)

  it("keeps to its limit, says so, and goes on when there is room again", function()
    finally(function() C.mm_memory_limit(0) end)
    local err = ffi.new "mm_error"
    used() -- and no garbage of Lua, which counts too
    C.mm_memory_limit(C.mm_memory_used() + 8 * MiB)
    local first = C.mm_block_new(6 * MiB, err)
    assert.is_true(first ~= nil)
    assert.is_true(C.mm_block_new(6 * MiB, err) == nil)
    assert.equal(-6, err.code)
    assert.equal("memory-limit", ffi.string(err.id))
    assert.matches("^the memory limit of %d+ bytes is reached: 6291456 more are needed, %d+ are in use$",
      ffi.string(err.message))
    assert.matches("raise the limit", ffi.string(err.hint))
    C.mm_block_release(first)
    local second = C.mm_block_new(6 * MiB, err)
    assert.is_true(second ~= nil)
    C.mm_block_release(second)
  end)

  it("comes on a boundary of 2 MiB when there is much of it", function()
    local buffer = ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free)
    for _, size in ipairs { 2, 3, 7, 33 } do
      C.mm_buffer_reserve(buffer, size * MiB, nil)
      assert.equal(0, tonumber(ffi.cast("uintptr_t", buffer.data) % (2 * MiB)), size .. " MiB")
    end
  end)

  it("is used again after its release", function()
    if os.getenv "MM_BUILD" and os.getenv("MM_BUILD"):find "address" then
      return pending "not with the address sanitizer"
    end
    C.mm_memory_trim()
    local seen, again = {}, 0
    for _ = 1, 20 do
      local block = C.mm_block_new(5 * MiB, nil)
      local address = tostring(C.mm_block_data(block))
      if seen[address] then again = again + 1 end
      seen[address] = true
      C.mm_block_release(block)
    end
    assert.equal(19, again)
  end)

  it("holds its bytes whatever sizes come and go", function()
    local seed = os.time()
    math.randomseed(seed)
    local before, held = used(), {}
    for round = 1, 2000 do
      local slot = math.random(40)
      if held[slot] then
        local block, size, mark = unpack(held[slot])
        local data = C.mm_block_data(block)
        assert(data[0] == mark and data[size - 1] == mark and data[math.floor(size / 2)] == mark, "seed " .. seed)
        C.mm_block_release(block)
        held[slot] = nil
      else
        local size = math.floor(2 ^ (math.random() * 22)) + 1
        local block = C.mm_block_new(size, nil)
        ffi.fill(C.mm_block_data(block), size, round % 256)
        held[slot] = { block, size, round % 256 }
      end
    end
    for _, entry in pairs(held) do C.mm_block_release(entry[1]) end
    assert.equal(before, used(), "seed " .. seed)
    C.mm_memory_trim()
  end)

  it("goes back to the system, though some pieces stay where many were", function()
    if (os.getenv "MM_BUILD" or ""):find "-" then return pending "not with a sanitizer" end
    finally(function() C.mm_memory_limit(0) end)
    C.mm_memory_limit(1024 * MiB) -- a sixteenth of it is kept for later
    local function resident()
      local file = assert(io.open "/proc/self/statm")
      local pages = file:read("*a"):match "^%d+ (%d+)"
      file:close()
      return tonumber(pages) * 4096
    end
    local before = resident()
    for _ = 1, 3 do
      local blocks, size = {}, 400 * 1024
      for i = 1, 1000 do
        blocks[i] = C.mm_block_new(size, nil)
        ffi.fill(C.mm_block_data(blocks[i]), size, 1)
      end
      assert.is_true(resident() >= before + 380 * MiB)
      for i = 1, 1000 do
        if i % 50 ~= 0 then C.mm_block_release(blocks[i]) end
      end
      assert.is_true(tonumber(C.mm_memory_kept()) <= 64 * MiB + 16 * 8 * MiB)
      assert.is_true(resident() <= before + 280 * MiB)
      for i = 50, 1000, 50 do C.mm_block_release(blocks[i]) end
    end
    C.mm_memory_trim()
    assert.equal(0, tonumber(C.mm_memory_kept()))
    assert.is_true(resident() <= before + 50 * MiB)
  end)

  it("is refused, not promised, in absurd sizes", function()
    local err = ffi.new "mm_error"
    for _, size in ipairs { 2 ^ 62, -1 } do assert.is_true(C.mm_block_new(size, err) == nil) end
    assert.is_true(C.mm_block_new(0x7fffffffffffffffLL, err) == nil)
    assert.equal(-6, err.code)
  end)
end)
