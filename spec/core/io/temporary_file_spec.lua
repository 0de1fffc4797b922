-- Temporary files of outputs: those of dead processes are swept, those of living ones stay, others are never touched.
local ffi = require "ffi"
local columns = require "columns"
local command = require "command"
local files = require "files"
local C = require("moonmill.base.ffi").C

pcall(ffi.cdef, [[int open(const char *path, int flags, ...); int close(int fd); int flock(int fd, int operation);]])

local function sink_of(path) return assert(C.mm_sink_file(path, nil, nil, nil)) end

local function save(path)
  return files.save { table = columns.table { { "n", "i64", { 1 } } }, path = path }
end

-- Names in the folder that hold a text, sorted.
local function named(text)
  local found = {}
  for _, name in ipairs(files.names()) do
    if name:find(text, 1, true) then found[#found + 1] = name end
  end
  return table.concat(found, " ")
end

describe("temporary files", function()
  after_each(function() os.execute(("rm -rf %s/* %s/.[!.]*"):format(files.folder(), files.folder())) end)

  it("that nothing locks are removed when that output is written again", function()
    for _, n in ipairs { 0, 1, 2, 3, 20, 50 } do files.write(".a.csv.moonmill-" .. n .. ".tmp", "dead") end
    files.write(".b.csv.moonmill-0.tmp", "of another output")
    assert.equal("n\n1\n", save(files.path "a.csv"))
    assert.equal(".b.csv.moonmill-0.tmp", named ".tmp")
  end)

  it("of writers at work stay, and each has one of its own", function()
    local path, sinks = files.path "a.csv", {}
    for i = 1, 40 do sinks[i] = sink_of(path) end
    assert.equal("n\n1\n", save(path))
    local _, count = named(".tmp"):gsub("%.tmp", "")
    assert.equal(40, count)
    C.mm_stage_free(sinks[3])
    assert.equal("n\n1\n", save(path))
    for i, sink in ipairs(sinks) do
      if i ~= 3 then C.mm_stage_free(sink) end
    end
    assert.equal("", named ".tmp")
  end)

  it("stay where another process holds the lock", function()
    local held = files.write(".a.csv.moonmill-0.tmp", "held")
    local fd = ffi.C.open(held, 0)
    assert.equal(0, ffi.C.flock(fd, 2))
    save(files.path "a.csv")
    assert.equal("held", files.bytes(held))
    ffi.C.close(fd)
    save(files.path "a.csv")
    assert.is_nil(files.bytes(held))
  end)

  it("are known by their whole name, as regular files with one name", function()
    for _, name in ipairs { ".a.csv.tmp", ".a.csv.12.0.tmp", "a.csv.moonmill-0.tmp", ".a.csv.moonmill-x.tmp",
      ".a.csv.moonmill-0.tmp.csv", ".a.csv.moonmill-00.tmp", ".xa.csv.moonmill-0.tmp" } do files.write(name, "mine") end
    local folder = files.folder()
    os.execute(("cd %s; ln -s a.csv.moonmill-0.tmp .a.csv.moonmill-0.tmp; mkdir .a.csv.moonmill-1.tmp;" ..
      "mkfifo .a.csv.moonmill-2.tmp; echo mine >.a.csv.moonmill-3.tmp; ln .a.csv.moonmill-3.tmp second"):format(folder))
    local before = named ""
    assert.equal("n\n1\n", save(files.path "a.csv"))
    os.remove(files.path "a.csv")
    assert.equal(before, named "")
    assert.equal("mine", files.bytes(files.path "a.csv.moonmill-0.tmp"))
  end)

  it("of killed runs are gone after the next, and the output is the old one or a new one, whole", function()
    if not command.works() then return pending "needs the command" end
    local out, data = files.path "out.csv", { "a,b" }
    for i = 1, 100000 do data[i + 1] = i .. "," .. i * 7 end
    local text = table.concat(data, "\n") .. "\n"
    local input = files.write("in.csv", text)
    local most = 0
    for i = 1, 200 do
      if i % 20 == 1 then files.write("out.csv", "old") end
      os.execute(("timeout -s KILL 0.0%02d %s run --threads 2 -o %s -e ':limit(1000000)' %s 2>/dev/null"):format(
        i % 50 + 5, command.path, out, input))
      local found = files.bytes(out)
      assert.is_true(found == "old" or found == text, "a partial output")
      local _, count = named(".tmp"):gsub("%.tmp", "")
      most = math.max(most, count)
    end
    assert.is_true(most <= 5, most .. " temporary files at once") -- of a process that is not quite dead yet, too
    os.execute(("%s run -o %s -e ':limit(1)' %s"):format(command.path, out, input))
    assert.same({ "", "a,b\n1,7\n" }, { named ".tmp", files.bytes(out) })
  end)

  it("of twenty runs to one output at once do not meet", function()
    if not command.works() then return pending "needs the command" end
    local out, input = files.path "out.csv", files.write("in.csv", "a\n" .. ("1\n"):rep(20000))
    local words = {}
    for i = 1, 20 do
      words[i] = ("%s run -o %s -e ':derive \"b = %d\"' %s || echo failed"):format(command.path, out, i, input)
    end
    assert.equal("", files.run("(" .. table.concat(words, ") & (") .. "); wait"))
    assert.equal("", named ".tmp")
    local value = files.bytes(out):match "^a,b\n1,(%d+)\n"
    assert.is_true(files.bytes(out) == "a,b\n" .. ("1," .. value .. "\n"):rep(20000))
  end)
end)
