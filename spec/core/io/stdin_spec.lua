local files = require "files"

-- What Lua text prints that runs in a process of its own, with the output of a shell command as its stdin.
local function process(text, before)
  local script = files.write("script.lua", [[
    package.path = "./lua/?.lua;./spec/support/?.lua;" .. package.path
    local files, ffi = require "files", require "ffi"
    local C = require("moonmill.base.ffi").C
  ]] .. text)
  return files.run(("%s | %s %s 2>&1"):format(before, files.luajit(), script))
end

describe("stdin", function()
  local count = 'local lists, err = files.read { paths = { "-" } }'
    .. ' print(lists and #lists.a or err.id, err and err.file)'

  it("is read as a file, also when it comes in bits and pieces", function()
    assert.same("3", process(count, "printf 'a,b\\n1,2\\n3,4\\n5,6\\n'"):match "%S+")
    assert.same("2", process(count,
      "(printf 'a,'; sleep 0.05; printf 'b\\n1,\"'; sleep 0.05; printf '\"\\n5,6')"):match "%S+")
    assert.same("2", process(count, "printf 'a,b\\n1,2\\n3,4\\n' | zstd -c"):match "%S+")
  end)

  it("has a name in errors", function()
    assert.same("ragged-row\t<stdin>\n", process(count, "printf 'a,b\\n1\\n'"):gsub(" ", ""))
    assert.same("empty-file\t<stdin>\n", process(count, "true"):gsub(" ", ""))
  end)

  it("does not keep a job that is cancelled waiting", function()
    local text = process([[
      local err = ffi.new "mm_error"
      local source = files.source { paths = { "-" }, options = { sample_rows = 1 } }
      local job = C.mm_job_new(source, nil, err)
      C.mm_job_add(job, C.mm_sink_table(-1, err), err)
      C.mm_job_start(job, err)
      C.mm_job_wait(job, 50, err)
      C.mm_job_cancel(job, -9)
      local status = C.mm_job_wait(job, 1500, err)
      C.mm_job_free(job)
      print(status, ffi.string(err.id))
    ]], "(yes 1,2 | head -n 70000; sleep 2)")
    assert.same("-9\tcancelled\n", text)
  end)
end)
