-- Files that are read in any order: all bytes or a failure, whatever the system does.
local ffi = require "ffi"
local access = require "file_access"
local files = require "files"

pcall(ffi.cdef, "int truncate(const char *path, int64_t length);")

local lib, err = access.lib, ffi.new "mm_error"
local EIO, FOR_GOOD = -3, 2 ^ 62
local text = {}
for i = 1, 5000 do text[i] = ("%05d\n"):format(i) end
text = table.concat(text)

local function open(path, block)
  local file = ffi.new "random_access"
  local status = lib.spec_open(file, path, block, err)
  if status < 0 then return nil, status end
  return ffi.gc(file, lib.spec_close)
end

-- Some bytes as text, or nil and the status.
local function read(file, offset, size)
  local bytes = ffi.new("uint8_t[?]", size + 1)
  bytes[size] = 0xa7
  local status = lib.spec_read(file, offset, bytes, size, err)
  assert.equal(0xa7, bytes[size])
  if status < 0 then return nil, status end
  return ffi.string(bytes, size)
end

local function failed() return { ffi.string(err.id), ffi.string(err.file) } end

describe("a file that is read in any order", function()
  local path = files.write("any", text)

  it("gives the bytes of each place, and knows its size", function()
    local file = open(path)
    assert.equal(#text, tonumber(file.size))
    for _, place in ipairs { { 0, 6 }, { #text - 6, 6 }, { 6, 18000 }, { 0, #text }, { 100, 0 }, { #text, 0 } } do
      assert.is_true(text:sub(place[1] + 1, place[1] + place[2]) == read(file, place[1], place[2]))
    end
  end)

  it("may be a block of memory", function()
    local block = lib.mm_block_new(#text, err)
    ffi.copy(lib.mm_block_data(block), text, #text)
    local file = open("<bytes>", block)
    assert.same({ #text, text:sub(7, 12), "" }, { tonumber(file.size), (read(file, 6, 6)), (read(file, #text, 0)) })
    lib.spec_close(ffi.gc(file, nil))
    lib.mm_block_release(block)
  end)

  it("is complete though reads are short or interrupted", function()
    for _, trouble in ipairs { { 0, FOR_GOOD }, { 4, 1 }, { 4, 3 } } do
      for n = 1, 3 do
        local got = access.failing(n, trouble[2], trouble[1], function()
          local file = open(path)
          local bytes = read(file, 10, 3000)
          lib.spec_close(ffi.gc(file, nil))
          return bytes
        end)
        assert.is_true(got == text:sub(11, 3010))
      end
    end
  end)

  it("is a failure where a call fails, and leaves nothing open", function()
    for n = 1, 4 do
      local file, status
      access.failing(n, 1, 5, function()
        local bytes
        file, status = open(path)
        if file then
          bytes, status = read(file, 0, 100)
          assert.equal(n == 4, bytes ~= nil) -- then it was the close, which has closed
          lib.spec_close(ffi.gc(file, nil))
        end
      end)
      assert.equal(0, lib.faults_open_files())
      if n < 4 then assert.same({ EIO, "io-error", path }, { status, unpack(failed()) }) end
    end
  end)

  it("has no bytes beyond its end, whatever place is asked for", function()
    local file, most, bytes = open(path), 0x7fffffffffffffffLL, ffi.new "uint8_t[8]"
    for _, place in ipairs { { 0, #text + 1 }, { #text, 1 }, { #text + 1, 0 }, { -1, 1 }, { 1, -1 }, { most, 8 },
      { 8, most } } do
      assert.equal(-1, lib.spec_read(file, place[1], bytes, place[2], err))
      assert.same({ "truncated-file", path }, failed())
    end
  end)

  it("that shrinks is a failure", function()
    local shrinking = files.write("shrinking", text)
    local file = open(shrinking)
    ffi.C.truncate(shrinking, 100)
    assert.equal(text:sub(1, 100), (read(file, 0, 100)))
    for _, place in ipairs { { 0, 101 }, { 50, 100 }, { 200, 1 } } do
      local _, status = read(file, place[1], place[2])
      assert.same({ EIO, "file-changed", shrinking }, { status, unpack(failed()) })
    end
    assert.matches("of 30000 when it was opened", ffi.string(err.message))
  end)

  it("is a regular file of a known size", function()
    os.execute("mkfifo " .. files.path "pipe")
    for name, id in pairs { [files.path "pipe"] = "no-random-access", ["/dev/null"] = "no-random-access",
      ["/proc/self/status"] = "no-random-access", [files.folder()] = "is-directory",
      [files.path "none"] = "not-found" } do
      local file, status = open(name)
      assert.is_nil(file)
      assert.same({ EIO, id, name }, { status, unpack(failed()) })
    end
  end)
end)
