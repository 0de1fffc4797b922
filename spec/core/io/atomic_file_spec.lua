local columns = require "columns"
local files = require "files"

local function table_of(n)
  return columns.table { { "n", "i64", function(i) return i end, false, n = n } }
end

local function save(path, output, n) return files.save { table = table_of(n or 3), path = path, output = output } end

local function leftovers()
  local found = {}
  for _, name in ipairs(files.names()) do
    if name:match "%.tmp$" then found[#found + 1] = name end
  end
  return found
end

describe("an output file", function()
  after_each(function() assert.same({}, leftovers()) end)

  it("appears when the job has succeeded, and replaces what was there", function()
    local path = files.write("out.csv", "old")
    assert.same("n\n1\n2\n3\n", save(path))
    assert.same("n\n1\n2\n3\n", files.bytes(path))
  end)

  it("is what it was before when the job fails", function()
    local path = files.write("kept.csv", "old")
    local bad = files.write("bad.csv", "a,b\n" .. ("1,2\n"):rep(100000) .. "x\n")
    local text, err = files.save { paths = { bad }, path = path }
    assert.is_nil(text)
    assert.same({ "ragged-row", 100002 }, { err.id, err.line })
    assert.same("old", files.bytes(path))
    text = files.save { paths = { bad }, path = files.path "never.csv" }
    assert.is_nil(text)
    assert.is_nil(files.bytes(files.path "never.csv"))
  end)

  it("keeps the mode of the file it replaces", function()
    local path = files.write("secret.csv", "old")
    os.execute("chmod 640 " .. path)
    save(path)
    assert.same("640\n", files.run("stat -c %a " .. path))
  end)

  it("follows a link and replaces what it leads to", function()
    local path = files.write("real.csv", "old")
    os.execute(("ln -sf real.csv %s"):format(files.path "link.csv"))
    save(files.path "link.csv")
    assert.same("n\n1\n2\n3\n", files.bytes(path))
    assert.same("symbolic link\n", files.run("stat -c %F " .. files.path "link.csv"))
  end)

  it("is refused when it is an input, under whatever name", function()
    local path = files.write("in.csv", "a\n1\n")
    os.execute(("ln -f %s %s; ln -sf in.csv %s"):format(path, files.path "hard.csv", files.path "soft.csv"))
    for _, name in ipairs { "in.csv", "hard.csv", "soft.csv" } do
      local text, err = save(files.path(name), { inputs = { files.write("other.csv", "a\n"), path } })
      assert.is_nil(text)
      assert.same({ "same-file", -2, files.path(name) }, { err.id, err.code, err.file })
      assert.same("a\n1\n", files.bytes(path))
    end
  end)

  it("cannot be a directory, nor stand in one that is not there", function()
    local text, err = save(files.folder())
    assert.is_nil(text)
    assert.same({ "is-directory", -3 }, { err.id, err.code })
    text, err = save(files.path "nowhere/out.csv")
    assert.is_nil(text)
    assert.same({ "not-found", -3, files.path "nowhere/out.csv" }, { err.id, err.code, err.file })
    text, err = save("")
    assert.is_nil(text)
    assert.same({ "no-output", -2 }, { err.id, err.code })
  end)

  it("may be a device or a pipe, which is written in place", function()
    assert.same("", save("/dev/null"))
    assert.same("character special file\n", files.run "stat -c %F /dev/null")
    local pipe = files.path "pipe"
    os.execute("mkfifo " .. pipe)
    local reader = io.popen("cat " .. pipe)
    files.save { table = table_of(3), path = pipe, unread = true }
    assert.same("n\n1\n2\n3\n", reader:read "*a")
    reader:close()
    os.remove(pipe)
  end)

  it("tells of a full disk", function()
    local text, err = save("/dev/full")
    assert.is_nil(text)
    assert.same({ "disk-full", -3, "/dev/full" }, { err.id, err.code, err.file })
  end)

  it("leaves nothing on a full disk", function()
    local mount = files.path "small"
    os.execute("mkdir -p " .. mount)
    if os.execute(("mount -t tmpfs -o size=64k none %s 2>/dev/null"):format(mount)) ~= 0 then
      return pending "needs the right to mount a file system"
    end
    local text, err = save(mount .. "/out.csv", nil, 100000)
    local left = files.run("ls -A " .. mount)
    os.execute("umount " .. mount)
    assert.is_nil(text)
    assert.same({ "disk-full", mount .. "/out.csv", "" }, { err.id, err.file, left })
  end)

  it("has a name as long as names may be", function()
    local path = files.path(("x"):rep(250))
    assert.same("n\n1\n", save(path, nil, 1))
    os.remove(path)
  end)

  it("is named as any temporary file of this process while it is written", function()
    local C = require("moonmill.base.ffi").C
    local sink = C.mm_sink_file(files.path "soon.csv", nil, nil, nil)
    assert.truthy(leftovers()[1]:match "^%.soon%.csv%.moonmill%-%d+%.tmp$")
    assert.is_nil(files.bytes(files.path "soon.csv"))
    C.mm_stage_free(sink)
  end)

  it("does not appear once it is given up", function()
    local C, err = require("moonmill.base.ffi").C, require("ffi").new "mm_error"
    local path = files.write("given-up.csv", "old")
    local sink = C.mm_sink_file(path, nil, nil, nil)
    C.mm_sink_abandon(sink)
    C.mm_sink_abandon(sink)
    assert.same({}, leftovers())
    local job = C.mm_job_new(C.mm_source_table(table_of(3), err), nil, err)
    assert(C.mm_job_add(job, sink, err) == 0 and C.mm_job_start(job, err) == 0)
    assert.are.equal(C.MM_ECANCEL, C.mm_job_wait(job, -1, err))
    C.mm_job_free(job)
    assert.same("old", files.bytes(path))
  end)
end)

describe("stdout", function()
  -- Run Lua text in a process of its own.
  local function process(text, after)
    local script = files.write("script.lua", [[
      package.path = "./lua/?.lua;./spec/support/?.lua;" .. package.path
      local columns, files = require "columns", require "files"
      local t = columns.table { { "n", "i64", function(i) return i end, false, n = 300000 } }
    ]] .. text)
    return files.run(("trap '' PIPE; %s %s %s"):format(files.luajit(), script, after))
  end

  it("gets the same bytes as a file", function()
    local text = process('files.save { table = t, path = "-" }', "| tail -n 1")
    assert.same("300000\n", text)
  end)

  it("and stdin leave their numbers free when a host has closed them", function()
    local text = process([[
      local ffi, C = require "ffi", require("moonmill.base.ffi").C
      ffi.cdef "int access(const char *path, int mode); int close(int fd);"
      ffi.C.close(0)
      ffi.C.close(1)
      local sink = C.mm_sink_file(files.path "low.csv", nil, nil, nil)
      local input = files.open { text = "a\\n1\\n" .. ("2\\n"):rep(100000), options = { sample_rows = 1, chunk = 64 } }
      for fd = 0, 1 do io.stderr:write(ffi.C.access("/proc/self/fd/" .. fd, 0), " ") end
      C.mm_input_free(input)
      C.mm_stage_free(sink)
    ]], "2>&1")
    assert.same("-1 -1 ", text)
  end)

  it("may be closed early, which is an error of its own", function()
    local text = process([[
      local text, err = files.save { table = t, path = "-" }
      io.stderr:write(tostring(text), " ", err.id, " ", err.code, " ", err.file)
    ]], ("2>%s | head -n 1 >/dev/null; cat %s"):format(files.path "said", files.path "said"))
    assert.same("nil closed-pipe -3 <stdout>", text)
  end)
end)
