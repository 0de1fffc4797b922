local ffi = require "ffi"
local C = require("moonmill.base.ffi").C

describe("a buffer", function()
  it("holds what was appended, on a boundary of 64 bytes", function()
    local buffer, want = ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free), {}
    for i = 1, 200 do
      local text = ("%d,"):format(i):rep(i % 17)
      assert.equal(0, C.mm_buffer_append(buffer, text, #text, nil))
      want[i] = text
    end
    want = table.concat(want)
    assert.equal(#want, tonumber(buffer.size))
    assert.equal(want, ffi.string(buffer.data, buffer.size))
    assert.equal(0, tonumber(ffi.cast("uintptr_t", buffer.data) % 64))
  end)

  it("at least doubles, so that appending is cheap", function()
    local buffer = ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free)
    local capacity, moves = 0, 0
    for _ = 1, 100000 do
      C.mm_buffer_append(buffer, "x", 1, nil)
      if buffer.capacity ~= capacity then
        assert.is_true(buffer.capacity >= 2 * capacity)
        capacity, moves = buffer.capacity, moves + 1
      end
    end
    assert.is_true(moves < 20)
  end)

  it("keeps its bytes while it grows past what is mapped by itself", function()
    local buffer = ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free)
    local piece = ("0123456789abcdef"):rep(4096)
    for _ = 1, 160 do assert.equal(0, C.mm_buffer_append(buffer, piece, #piece, nil)) end
    assert.equal(160 * #piece, tonumber(buffer.size))
    for i = 0, 159 do assert.equal(piece, ffi.string(buffer.data + i * #piece, #piece)) end
  end)

  it("is unchanged when there is no room", function()
    local buffer, err = ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free), ffi.new "mm_error"
    C.mm_buffer_append(buffer, "abc", 3, nil)
    assert.equal(-6, C.mm_buffer_reserve(buffer, 2 ^ 62, err))
    assert.equal("out-of-memory", ffi.string(err.id))
    assert.equal(-6, C.mm_buffer_reserve(buffer, -1, err))
    assert.equal("abc", ffi.string(buffer.data, buffer.size))
  end)

  it("may be freed when empty, and twice", function()
    local buffer = ffi.new "mm_buffer"
    C.mm_buffer_free(buffer)
    C.mm_buffer_append(buffer, "abc", 3, nil)
    C.mm_buffer_free(buffer)
    C.mm_buffer_free(buffer)
    assert.is_true(buffer.data == nil)
  end)
end)

describe("a block", function()
  it("is released with its last reference", function()
    local before = C.mm_memory_used()
    local block = C.mm_block_new(100, nil)
    assert.equal(100, tonumber(C.mm_block_size(block)))
    assert.is_true(C.mm_block_sole(block))
    C.mm_block_retain(block)
    assert.is_false(C.mm_block_sole(block))
    C.mm_block_release(block)
    assert.is_true(C.mm_block_sole(block))
    assert.is_true(C.mm_memory_used() > before)
    C.mm_block_release(block)
    assert.equal(before, C.mm_memory_used())
    C.mm_block_retain(nil)
    C.mm_block_release(nil)
  end)

  it("starts on a boundary of 64 bytes and can be read 64 bytes beyond its end", function()
    for _, size in ipairs { 0, 1, 63, 64, 65, 4096, 2 ^ 21, 2 ^ 21 + 1 } do
      local block = C.mm_block_new(size, nil)
      local data = C.mm_block_data(block)
      assert.equal(0, tonumber(ffi.cast("uintptr_t", data) % 64))
      ffi.fill(data, size + 64, 7)
      C.mm_block_release(block)
    end
  end)

  it("takes what a buffer held", function()
    local before = C.mm_memory_used()
    local buffer = ffi.new "mm_buffer"
    C.mm_buffer_append(buffer, "hello", 5, nil)
    local block = C.mm_block_take(buffer, nil)
    assert.equal("hello", ffi.string(C.mm_block_data(block), C.mm_block_size(block)))
    assert.is_true(buffer.data == nil and buffer.size == 0 and buffer.capacity == 0)
    assert.is_true(C.mm_block_sole(block))
    C.mm_block_release(block)
    assert.equal(before, C.mm_memory_used())
  end)

  it("over foreign bytes tells their owner once, and is never to be written", function()
    local calls, bytes = 0, ffi.new("char[4]", "abc")
    local owner = ffi.new "int[1]"
    local release = ffi.cast("void (*)(void *)", function(whose)
      assert(ffi.cast("int *", whose) == owner)
      calls = calls + 1
    end)
    local block = C.mm_block_foreign(bytes, 4, owner, release, nil)
    assert.is_true(C.mm_block_data(block) == ffi.cast("uint8_t *", bytes))
    assert.is_false(C.mm_block_sole(block))
    C.mm_block_retain(block)
    C.mm_block_release(block)
    assert.equal(0, calls)
    C.mm_block_release(block)
    assert.equal(1, calls)
    release:free()
  end)
end)
