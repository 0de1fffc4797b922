-- Files that change while they are read, and files of the kernel whose size says nothing.
local ffi = require "ffi"
local files = require "files"

pcall(ffi.cdef, "int truncate(const char *path, int64_t length);")

local ROW = "12345,67890\n"
local CHUNK = 4096

-- Open files with a small sample, call `change`, then read the rest: rows, or nil and the failure.
local function read(paths, change, options)
  local settings = { paths = paths, options = { chunk = CHUNK, sample_rows = 10 } }
  for key, value in pairs(options or {}) do settings.options[key] = value end
  local open = files.open
  files.open = function(...)
    local input, failed = open(...)
    if input then change() end
    return input, failed
  end
  local lists, failed, _, rows = files.read(settings)
  files.open = open
  return lists and rows, failed
end

-- The reader is ahead of the rows that it gives out, by at most two chunks here.
local function text(rows) return "a,b\n" .. ROW:rep(rows) end

local function check_changed(name, size, err)
  local path = files.path(name)
  assert.is_truthy(err, "nothing failed")
  assert.same({ "file-changed", -3, path }, { err.id, err.code, err.file })
  assert.matches(("%%d+ bytes, of %d when it was opened"):format(size), err.message)
end

describe("a file that shrinks while it is read", function()
  local MANY = 200000

  for what, size in pairs { ["at the end of a row"] = 4 + 12 * 150000, ["within a number"] = 4 + 12 * 150000 + 3,
    ["to nothing"] = 0 } do
    for _, lines in ipairs { false, true } do
      it(("is a failure: %s%s"):format(what, lines and ", of lines" or ""), function()
        local path = files.write("shrinks.csv", text(MANY))
        local _, err = read({ path }, function() ffi.C.truncate(path, size) end, { lines = lines })
        check_changed("shrinks.csv", 4 + 12 * MANY, err)
      end)
    end
  end

  it("is a failure also as the second of two", function()
    local first, second = files.write("first.csv", text(MANY)), files.write("second.csv", text(MANY))
    local _, err = read({ second, first }, function() ffi.C.truncate(second, 4 + 12 * 100000) end)
    check_changed("second.csv", 4 + 12 * MANY, err)
    files.write("second.csv", text(MANY))
    assert.equal(2 * MANY, (read({ first, second }, function() end)))
  end)

  it("is a failure when it is compressed, at a frame's end too", function()
    local frame = files.bytes(files.compress("frame.zst", text(10), "-1 --no-check"))
    local rest = files.bytes(files.compress("rest.zst", ROW, "-1 --no-check"))
    local path = files.write("frames.csv.zst", frame .. rest:rep(100000))
    local _, err = read({ path }, function() ffi.C.truncate(path, #frame + #rest * 90000) end)
    check_changed("frames.csv.zst", #frame + 100000 * #rest, err)
  end)
end)

describe("a file", function()
  it("that grows is read with what it has more", function()
    local path = files.write("grows.csv", text(100000))
    local rows = read({ path }, function()
      local file = io.open(path, "ab")
      file:write(ROW:rep(1000))
      file:close()
    end)
    assert.equal(101000, rows)
  end)

  it("of the kernel is read whatever size it tells", function()
    for _, path in ipairs { "/proc/self/status", "/proc/cpuinfo", "/sys/kernel/mm/transparent_hugepage/enabled" } do
      local whole = files.bytes(path)
      if whole then
        local lists, err = files.read { paths = { path }, options = { lines = true } }
        assert.is_true(lists ~= nil, err and err.message)
        assert.equal(select(2, whole:gsub("\n", "")), #lists.line)
      end
    end
  end)

  it("without blocks on the disk is read up to its end", function()
    local path = files.path "holes.csv"
    os.execute("truncate -s 100000 " .. path)
    local lists = files.read { paths = { path }, options = { lines = true } }
    assert.equal(100000, #lists.line[1])
  end)
end)
