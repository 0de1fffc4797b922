-- Loops over typed arrays stay compiled: LuaJIT gives up nowhere, leaves compiled code nowhere, and the loop's end is
-- the compiled one.
local ffi = require "ffi"
local util = require "jit.util"
local vmdef = require "jit.vmdef"
local bytecode = require "bytecode"
local integers = require "moonmill.typed.integers"
local native = require "moonmill.base.ffi"
local types = require "moonmill.base.types"
local view = require "moonmill.typed.array_view"

local N, ROUNDS = 4096, 60

local kept = {} -- what views look at

local function new(name, init)
  local v = view.ctype(types[name], { mut = true }, N)()
  local data = ffi.new(view.element(types[name]) .. "[?]", N)
  for i = 0, N - 1 do data[i] = init and init(i) or 0 end
  v[native.private "data"], v[native.private "count"] = data, N
  kept[#kept + 1] = data
  return v
end

-- What the compiler says about a function while it runs: aborts once settled, and traces that leave compiled code.
local function complaints(fn, settled)
  local found = {}
  local function listen(what, trace, func, _, code, extra)
    if what == "abort" and settled and func == fn then
      local text = tostring(vmdef.traceerr[code] or code):gsub("%%[dsx]", tostring(extra))
      if not text:find "leaving loop" then found[#found + 1] = text end
    elseif what == "stop" and util.traceinfo(trace).linktype == "stitch" and util.funcinfo(func).source ==
      util.funcinfo(fn).source then
      found[#found + 1] = "stitched"
    end
  end
  jit.attach(listen, "trace")
  for _ = 1, ROUNDS do fn() end
  jit.attach(listen)
  return found
end

local function compiles(fn)
  jit.flush()
  assert.same({}, complaints(fn, false))
  assert.same({}, complaints(fn, true))
  assert.equal("JFORL", bytecode.loop_end(fn))
end

describe("a loop over typed arrays stays compiled", function()
  for _, name in ipairs { "i8", "i16", "i32", "u8", "u16", "u32", "f32", "f64", "i64", "u64" } do
    it(("of %s, read and written"):format(name), function()
      local v = new(name, function(i) return i % 100 end)
      compiles(function() for i = 0, #v - 1 do v[i] = v[i] + 1 - 1 end end)
      local total = 0
      compiles(function()
        local sum = 0
        for i = 0, #v - 1 do sum = sum + v[i] end
        total = sum
      end)
      assert.equal(true, total > 0)
    end)
  end

  it("with saturation and wrapping", function()
    for _, word in ipairs { "sat", "wrap" } do
      for _, name in ipairs { "i8", "u8", "i32", "u32", "i64" } do
        local fit, v = integers[word][name], new(name)
        local w = new("f64", function(i) return (i * 7919) % 1000 - 500 end)
        compiles(function() for i = 0, #v - 1 do v[i] = fit(w[i] * 1.5) end end)
      end
    end
  end)

  it("with an index out of another array, and booleans", function()
    local v, counts = new("u8", function(i) return i % 256 end), new "u32"
    compiles(function()
      for i = 0, #v - 1 do
        local k = v[i]
        counts[k] = (counts[k] + 1) % 1000
      end
    end)
    local flags = new("bool", function(i) return i % 2 end)
    compiles(function() for i = 0, #flags - 1 do flags[i] = flags[i] end end)
  end)

  it("and the check can fail", function()
    local v = new "f64"
    assert.has_error(function()
      compiles(function()
        for i = 0, #v - 1 do
          local f = function() return i end
          v[i] = f()
        end
      end)
    end)
  end)
end)
