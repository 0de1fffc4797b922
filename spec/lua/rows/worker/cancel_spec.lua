-- A row function that runs for ever is stopped when its job is cancelled, whatever it does, and its state is never
-- entered again.
local ffi = require "ffi"
local columns = require "columns"
local native = require "moonmill.base.ffi"
local rowfn = require "rowfn"

local C = native.C

local function start(fn, threads)
  local source = columns.table({ { "x", "f64", function(i) return i end, n = 200000 } }, 8192)
  local err = ffi.new "mm_error"
  local settings = ffi.new("mm_job_options", { threads, 1024, 0 })
  local job = ffi.gc(C.mm_job_new(C.mm_source_table(source, err), settings, err), C.mm_job_free)
  assert(C.mm_job_add(job, rowfn.stage(source, "map", rowfn.outputs "y: f64", fn), err) == 0)
  assert(C.mm_job_add(job, C.mm_sink_table(0, err), err) == 0)
  assert(C.mm_job_start(job, err) == 0)
  return job, err
end

local endless = {
  ["a compiled loop"] = function()
    local n = 0
    while true do n = n + 1 end
  end,
  ["a loop that catches errors"] = function()
    while true do pcall(function() while true do end end) end
  end,
  ["tail calls"] = function(r)
    local function f(n) return f(n + 1) end
    return f(r.x)
  end,
  ["tables and text"] = function()
    local t, s = {}, "" -- luacheck: ignore
    for i = 1, 1e15 do
      t[i % 100] = { i }
      s = #s > 100 and "" or s .. i
    end
    return 1
  end,
  ["a coroutine"] = function()
    local co = coroutine.wrap(function() while true do coroutine.yield(1) end end)
    while true do co() end
  end,
  ["a hard pattern"] = function() return #tostring(("a"):rep(60):find(("a?"):rep(60) .. ("a"):rep(60))) end,
  ["a hard pattern that is replaced"] = function() return #("a"):rep(60):gsub(("a*"):rep(30) .. "b", "") end,
  ["a hard pattern that is walked"] = function() return ("a"):rep(60):gmatch(("a-"):rep(30) .. "b")() and 1 or 0 end,
  ["a search for pairs of brackets"] = function() return ("("):rep(2e7):find "%b()" and 1 or 0 end,
  ["a loop that reads the row"] = function(r)
    while r.x > 0 do end
    return 1
  end,
}

describe("cancelling stops", function()
  for name, fn in pairs(endless) do
    it(name, function()
      local job, err = start(fn, 2)
      assert.are.equal(1, C.mm_job_wait(job, 30, err))
      C.mm_job_cancel(job, C.MM_ECANCEL)
      assert.are.equal(C.MM_ECANCEL, C.mm_job_wait(job, 5000, err))
      assert.are.equal("cancelled", ffi.string(err.id))
    end)
  end

  it("a job at any moment, also while states are being made", function()
    for round = 0, 60 do
      local job, err = start(function(r)
        while r.x > 5000 do end
        return math.sin(r.x)
      end, 1 + round % 3)
      C.mm_job_wait(job, round % 10, err)
      C.mm_job_cancel(job, C.MM_ELIMIT)
      assert.are.equal(C.MM_ELIMIT, C.mm_job_wait(job, 5000, err))
      C.mm_job_free(ffi.gc(job, nil))
    end
  end)
end)
