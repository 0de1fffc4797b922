-- The loop over rows stays compiled: LuaJIT gives up nowhere, leaves compiled code nowhere, and the loop's end is the
-- compiled one.
local ffi = require "ffi"
local util = require "jit.util"
local vmdef = require "jit.vmdef"
local bytecode = require "bytecode"
local columns = require "columns"
local environment = require "moonmill.rows.environment"
local guard = require "moonmill.rows.guard"
local modules = require "moonmill.modules"
local native = require "moonmill.ffi"
local rowfn = require "rowfn"
local rows = require "moonmill.rows"
local unship = require "moonmill.rows.unship"
local worker = require "moonmill.rows.worker"

local C = native.C
local N, ROUNDS = 8192, 30
local null = columns.null

-- What the compiler says while `run` runs, about the generated loop and the functions of the cases below: traces that
-- leave compiled code and, once `settled`, aborts. Before, it may try a function on its own first; after the end of the
-- loop, once a batch, it may give up as it likes.
local function complaints(run, settled, first_line)
  local found, here = {}, debug.getinfo(1, "S").source
  local function ours(func)
    local info = util.funcinfo(func)
    return info.source == "=spec:loop" or info.source == here and info.linedefined > first_line
  end
  local harmless = { ["NYI: return to lower frame"] = true, ["leaving loop in root trace"] = true }
  local function listen(what, trace, func, pc, code, extra)
    if what == "abort" and settled and ours(func) then
      local text = tostring(vmdef.traceerr[code] or code):gsub("%%[dsx]", tostring(extra))
      if not harmless[text] then found[#found + 1] = ("%s at %s"):format(text, util.funcinfo(func, pc).loc or "?") end
    elseif what == "stop" and ours(func) and util.traceinfo(trace).linktype == "stitch" then
      found[#found + 1] = "stitched at " .. (util.funcinfo(func).loc or "?")
    end
  end
  jit.attach(listen, "trace")
  local ok, message = pcall(run)
  jit.attach(listen)
  assert(ok, message)
  return found
end

local function compile(kind, fields, outputs, fn)
  local source = columns.table(fields)
  local inputs = {}
  for i, field in ipairs(columns.schema(source.schema)) do
    inputs[i] = { name = field[1], type = field[2], nullable = field[3] }
  end
  outputs = rowfn.outputs(outputs)
  local kinds = {}
  for k, field in ipairs(outputs) do kinds[k] = columns.type(field.type) end
  local bytes = rows.ship(fn, {
    kind = kind, inputs = inputs, outputs = outputs, params = { limit = 10 }, place = 0, label = "spec:loop",
  })
  local set = modules.new ""
  local subject = worker.new(unship(bytes, nil, set), kinds, guard.new(set))
  local err = ffi.new "mm_error"
  local function run()
    for _ = 1, ROUNDS do
      local out = ffi.new "mm_batch"
      local status = subject:run(source.batches[0], out, err, false)
      C.mm_batch_free(out)
      assert(status == 0, ffi.string(err.message))
    end
  end
  jit.flush() -- so that no limit is reached in between
  local first_line = debug.getinfo(1, "S").lastlinedefined
  assert.are.same({}, complaints(run, false, first_line))
  assert.are.same({}, complaints(run, true, first_line))
  assert.are.equal("JFORL", bytecode.loop_end(subject.running))
end

describe("the loop over rows stays compiled", function()
  local number = { "x", "f64", function(i) return i % 100 end, n = N }
  local small = { "k", "i32", function(i) return i % 7 end, n = N }
  local wide = { "id", "i64", function(i) return i end, n = N }
  local holes = { "h", "f64", function(i) return i % 3 == 0 and null or i end, true, n = N }
  local text = { "s", "utf8", function(i) return ("abc"):sub(1, i % 4) end, n = N }
  local some_text = { "t", "utf8", function(i) return i % 5 == 0 and null or "t" .. i % 10 end, true, n = N }
  local flag = { "b", "bool", function(i) return i % 2 == 0 end, n = N }

  local cases = {
    { "for numbers", "map", { number, small }, "y: f64, z: i32, w: f32",
      function(r, p) return r.x * 2 + p.limit, r.k + 1, r.x end },
    { "for 64-bit integers", "map", { wide }, "y: i64, z: i64", function(r) return r.id * 2, r:i64 "id" end },
    { "for branches", "map", { number }, "y: f64", function(r)
      if r.x > 60 then return r.x * 3 elseif r.x > 15 then return r.x + 7 end
      return -r.x
    end },
    { "for booleans", "map", { flag, number }, "y: bool, z: bool?",
      function(r) return not r.b, r.x > 50 and r.b or nil end },
    { "for nulls", "map", { holes, number }, "y: f64?, z: f64",
      function(r) return r.h and r.h + r.x, (r.h or 0) + 1 end },
    { "for text", "map", { text, some_text }, "y: utf8, z: utf8?, n: i64",
      function(r) return r.s .. "!", r.t, #r.s end },
    { "for text that is compared", "map", { text }, "y: i8", function(r) return r.s == "ab" and 1 or 0 end },
    { "for text that is formatted", "map", { number, text }, "y: utf8",
      function(r) return environment.format("%5.1f %s %s", r.x, r.s, r.x > 50) end },
    { "for a predicate", "where", { number, flag }, "", function(r) return r.x > 50 and r.b end },
    { "for functions that it calls", "map", { number }, "y: f64", (function()
      local rates = { 0.1, 0.2, low = 3 }
      local function rate(x) return x > 50 and rates[1] or rates[2] end
      return function(r) return rate(r.x) * rates.low + math.floor(r.x) end
    end)() },
  }
  for _, case in ipairs(cases) do
    it(case[1], function() compile(case[2], case[3], case[4], case[5]) end)
  end

  it("and the check can fail", function()
    assert.has_error(function()
      compile("map", { number }, "y: f64", function(r)
        local f = function() return r.x end
        return f()
      end)
    end)
  end)
end)
