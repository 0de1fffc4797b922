-- Temporary files for what does not fit into memory: without a name, whole, counted.
local ffi = require "ffi"
local access = require "file_access"
local files = require "files"

pcall(ffi.cdef, "int setenv(const char *name, const char *value, int overwrite);")
pcall(ffi.cdef, "int unsetenv(const char *name);")

local lib, err = access.lib, ffi.new "mm_error"
local EIO, FOR_GOOD = -3, 2 ^ 62
local NO_TMPFILE = 95 -- EOPNOTSUPP

local function open()
  local file = ffi.new "spill_file"
  local status = lib.spec_spill_open(file, err)
  if status < 0 then return nil, status end
  return ffi.gc(file, lib.spec_spill_free)
end

local function append(file, text)
  local offset = ffi.new "int64_t[1]"
  local status = lib.spec_spill_append(file, text, #text, offset, err)
  return tonumber(offset[0]), status
end

local function read(file, offset, size)
  local bytes = ffi.new("uint8_t[?]", math.max(size, 1))
  local status = lib.spec_spill_read(file, offset, bytes, size, err)
  if status < 0 then return nil, status end
  return ffi.string(bytes, size)
end

local function close(file) lib.spec_spill_free(ffi.gc(file, nil)) end
local function total() return tonumber(lib.spec_spill_bytes()) end

describe("a spill file", function()
  local folder = files.path "spill"

  setup(function()
    os.execute("mkdir -p " .. folder)
    ffi.C.setenv("TMPDIR", folder, 1)
  end)
  teardown(function() ffi.C.unsetenv "TMPDIR" end)

  local function listed() return files.run("ls -A " .. folder) end
  local function where(file) return files.run("readlink /proc/$PPID/fd/" .. file.fd) end

  -- Both ways to make one: without a name, and with one that is removed at once.
  for _, first in ipairs { "", "removed" } do
    describe(first == "" and "without a name" or "whose name was removed", function()
      local function make()
        if first == "" then return open() end
        return access.failing(1, 1, NO_TMPFILE, open)
      end

      it("gives back what was appended, from anywhere", function()
        local file, before = make(), total()
        local places, texts = {}, {}
        for i = 1, 100 do
          texts[i] = (string.char(64 + i % 50)):rep(i * 37 % 1000)
          places[i] = append(file, texts[i])
        end
        for i = 100, 1, -1 do assert.is_true(texts[i] == read(file, places[i], #texts[i])) end
        assert.equal(#table.concat(texts), tonumber(file.size))
        assert.equal(before + #table.concat(texts), total())
        close(file)
        assert.equal(before, total())
      end)

      it("stands in $TMPDIR, where nobody sees it", function()
        local file = make()
        append(file, "secret")
        assert.matches("^" .. folder:gsub("%p", "%%%0") .. "/.*%(deleted%)", where(file))
        assert.equal("", listed())
        assert.equal("600\n", files.run("stat -L -c %a /proc/$PPID/fd/" .. file.fd))
        close(file)
      end)
    end)
  end

  it("stands in /tmp where $TMPDIR says nothing", function()
    for _, value in ipairs { "", false } do
      if value then ffi.C.setenv("TMPDIR", value, 1) else ffi.C.unsetenv "TMPDIR" end
      local file = open()
      assert.matches("^/tmp/", where(file))
      close(file)
    end
    ffi.C.setenv("TMPDIR", folder, 1)
  end)

  it("has a place of its own for each append of several", function()
    local one, two = open(), open()
    assert.same({ 0, 0, 3, 3 }, { (append(one, "abc")), (append(two, "xyz")), (append(one, "d")), (append(two, "")) })
    assert.same({ "abcd", "xyz" }, { (read(one, 0, 4)), (read(two, 0, 3)) })
    close(one)
    close(two)
  end)

  it("is whole though writes are short or interrupted", function()
    for _, trouble in ipairs { { 0, FOR_GOOD }, { 4, 2 } } do
      local text = ("0123456789"):rep(50)
      local file = open()
      local got = access.failing(1, trouble[2], trouble[1], function()
        append(file, "head")
        return read(file, append(file, text), #text)
      end)
      assert.is_true(got == text)
      close(file)
    end
  end)

  it("fails with what the system says, and is no longer counted when it is closed", function()
    local before = total()
    for errnum, id in pairs { [28] = "disk-full", [5] = "io-error" } do
      local file = open()
      local status = access.failing(1, FOR_GOOD, errnum, function() return select(2, append(file, "abc")) end)
      assert.same({ EIO, id, folder }, { status, ffi.string(err.id), ffi.string(err.file) })
      assert.equal(errnum == 28, ffi.string(err.hint):find "TMPDIR" ~= nil)
      close(file)
    end
    assert.equal(before, total())
  end)

  it("cannot be made where there is no folder", function()
    ffi.C.setenv("TMPDIR", folder .. "/none", 1)
    local file, status = open()
    ffi.C.setenv("TMPDIR", folder, 1)
    assert.same({ nil, EIO, "not-found", folder .. "/none" },
      { file, status, ffi.string(err.id), ffi.string(err.file) })
    assert.matches("TMPDIR", ffi.string(err.hint))
  end)

  it("is gone when its process is killed", function()
    local script = files.write("spill.lua", [[
      package.path = "./lua/?.lua;./spec/support/?.lua;" .. package.path
      local ffi, access = require "ffi", require "file_access"
      local file, err, at = ffi.new "spill_file", ffi.new "mm_error", ffi.new "int64_t[1]"
      assert(access.lib.spec_spill_open(file, err) == 0)
      assert(access.lib.spec_spill_append(file, ("x"):rep(2 ^ 20), 2 ^ 20, at, err) == 0)
      ffi.cdef "int kill(int pid, int signal); int getpid(void);"
      ffi.C.kill(ffi.C.getpid(), 9)
    ]])
    files.run(("TMPDIR=%s %s %s 2>/dev/null"):format(folder, files.luajit(), script))
    assert.equal("", listed())
  end)
end)
