-- What ends a wait while files are opened and written: a time limit, a pulse that says stop, a job that is cancelled.
local ffi = require "ffi"
local columns = require "columns"
local files = require "files"
local C = require("moonmill.base.ffi").C

local function fifo(name)
  local path = files.path(name)
  os.remove(path)
  os.execute("mkfifo " .. path)
  return path
end

-- A pulse that says stop at its n-th call, and the number of calls.
local function stop_at(n)
  local calls = { count = 0 }
  calls.pulse = ffi.cast("int (*)(void *)", function()
    calls.count = calls.count + 1
    return calls.count >= n and 1 or 0
  end)
  return calls
end

local function sink_error(path, options)
  local err = ffi.new "mm_error"
  local sink = C.mm_sink_file(path, nil, ffi.new("mm_output_options", options), err)
  if sink ~= nil then
    C.mm_stage_free(sink)
    return "opened"
  end
  return ffi.string(err.id), ffi.string(err.message)
end

describe("a named pipe without a reader", function()
  it("is given up when the time is over", function()
    assert.same({ "timeout", "nothing opened it for reading within 0.1 seconds" },
      { sink_error(fifo "pipe", { open_timeout = 100 }) })
  end)

  it("is given up when the pulse says so", function()
    local calls = stop_at(3)
    assert.equal("cancelled", (sink_error(fifo "pipe", { interrupt = calls.pulse })))
    assert.equal(3, calls.count)
    calls.pulse:free()
  end)

  it("is written when a reader comes", function()
    local path = fifo "pipe"
    local reader = io.popen(("sleep 0.1; cat %s"):format(path))
    local t = columns.table { { "n", "i64", { 1, 2 } } }
    files.save { table = t, path = path, unread = true, output = { open_timeout = 60000 } }
    assert.equal("n\n1\n2\n", reader:read "*a")
    reader:close()
  end)

  it("is no socket: that is an error at once", function()
    local path = files.path "socket"
    os.execute(("python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' %s"):format(path))
    assert.same({ "io-error", "cannot open: No such device or address" }, { sink_error(path, {}) })
    os.remove(path)
  end)
end)

describe("a pipe whose reader does not read", function()
  it("does not keep a job that is cancelled", function()
    local path = fifo "pipe"
    os.execute(("sleep 1.5 <%s &"):format(path))
    local err = ffi.new "mm_error"
    local t = columns.table { { "n", "i64", function(i) return i end, false, n = 300000 } }
    local sink = C.mm_sink_file(path, nil, nil, err)
    assert(sink ~= nil, ffi.string(err.message))
    local job = C.mm_job_new(C.mm_source_table(t, err), nil, err)
    assert(C.mm_job_add(job, sink, err) == 0 and C.mm_job_start(job, err) == 0)
    assert.equal(1, C.mm_job_wait(job, 100, err))
    C.mm_job_cancel(job, C.MM_ECANCEL)
    assert.equal(C.MM_ECANCEL, C.mm_job_wait(job, 1000, err))
    C.mm_job_free(job)
  end)
end)

describe("opening files", function()
  -- Rows of a mebibyte, so that a look at 10,000 of them takes a while.
  local function long_rows(rows)
    return files.write("long.csv", "a,b\n" .. (("x,"):rep(2 ^ 19) .. "\n"):rep(rows))
  end

  it("calls the pulse while it cuts rows and looks at them, and stops when it says so", function()
    local calls = stop_at(2)
    local options = { ragged = true, interrupt = calls.pulse }
    local input, failed = files.open { paths = { long_rows(200) }, options = options }
    assert.is_nil(input)
    assert.same({ "cancelled", 2 }, { failed.id, calls.count })
    calls.pulse:free()
  end)

  it("ends at its time limit, also within what it computes", function()
    local input, failed = files.open { paths = { long_rows(200) }, options = { ragged = true, open_timeout = 1 } }
    assert.is_nil(input)
    assert.same({ "timeout", "opening took longer than 0.001 seconds", files.path "long.csv" },
      { failed.id, failed.message, failed.file })
  end)
end)
