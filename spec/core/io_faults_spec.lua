-- Every file operation of reading and writing CSV fails once, and then for good: the right status, nothing left behind,
-- and success only when the output is complete.
local ffi = require "ffi"
local columns = require "columns"
local copies = require "copies"
local files = require "files"
local C = require("moonmill.base.ffi").C
local EIO, FOR_GOOD = -3, 2 ^ 62

local build = os.getenv "MM_BUILD" or "build"
local path = build .. "/spec/io_faults.so"
local compile = "mkdir -p %s/spec && gcc -std=gnu11 -Wall -Werror -shared -fPIC -Icore -o %s spec/faults/io.c"
assert(os.execute(compile:format(build, path)) == 0)
pcall(ffi.cdef, [[const mm_io *faults_io(int64_t n, int64_t count, int errnum); int64_t faults_io_calls(void);
  int faults_open_files(void);]])
local faults = ffi.load("./" .. path)

local rows = {}
for i = 1, 400 do rows[i] = ('%d,"a ""quoted"" text, %d",%.2f\n'):format(i, i * i, i / 7) end
local body = table.concat(rows)
local plain = files.write("plain.csv", "n,text,x\n" .. body)
local packed = files.compress("packed.csv.zst", "n,text,x\n" .. body)
local target = files.path "copy.csv"

local TROUBLES = {
  { "an input or output error", 5, { 1, FOR_GOOD } },
  { "a full disk", 28, { 1, FOR_GOOD } },
  { "an interrupting signal", 4, { 1 } },
  { "one byte at a time", 0, { 1, FOR_GOOD } },
}

describe("when file operations fail", function()
  teardown(function() C.mm_set_io(nil) end)

  for _, threads in ipairs { 1, 2 } do
    local copy = copies.csv({ plain, packed }, target, { threads = threads })
    for _, trouble in ipairs(TROUBLES) do
      for _, count in ipairs(trouble[3]) do
        local often = count == 1 and "once" or "for good"
        it(("by %s, %s, on %d threads: nothing is lost"):format(trouble[1], often, threads), function()
          finally(function() C.mm_set_io(nil) end)
          os.remove(target)
          assert.equal(0, copy(ffi.new "mm_error"))
          local expected = files.bytes(target)
          local before, n = columns.memory_used(), 0 -- without what earlier specs left to the collector
          local failures = 0
          repeat
            n = n + 1
            os.remove(target)
            C.mm_set_io(faults.faults_io(n, count, trouble[2]))
            local err = ffi.new "mm_error"
            local status = copy(err)
            C.mm_set_io(nil)
            local words = ("call %d: %s"):format(n, ffi.string(err.message))
            if status < 0 then
              failures = failures + 1
              assert.same({ EIO, EIO }, { status, err.code }, words)
              assert.is_nil(files.bytes(target), words)
            else
              assert.is_true(files.bytes(target) == expected, "something is lost: " .. words)
            end
            assert.equal(0, faults.faults_open_files(), words)
            assert.equal(before, tonumber(C.mm_memory_used()), words)
          until tonumber(faults.faults_io_calls()) < n
          os.remove(target)
          for _, name in ipairs(files.names()) do assert.is_nil(name:find("copy", 1, true), name .. " is left") end
          assert.equal(trouble[2] == 5 or trouble[2] == 28, failures > 0)
        end)
      end
    end
  end
end)
