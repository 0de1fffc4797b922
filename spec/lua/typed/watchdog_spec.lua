-- Calls of typed functions that last: they are tapped, they can be stopped, and the module goes on.
local ffi = require "ffi"
local typed = require "typed"
local native = require "moonmill.base.ffi"

local C = native.C

local function compiled()
  local build = os.getenv "MM_BUILD" or "build"
  local path = build .. "/spec/calls.so"
  local compile = "mkdir -p %s/spec && gcc -std=gnu11 -O1 -g -Wall -Werror -shared -fPIC -Icore -Ilua/host -o %s "
    .. "spec/lua/typed/calls.c -L%s -lmoonmill"
  assert(os.execute(compile:format(build, path, build)) == 0)
  pcall(ffi.cdef, [[
    int calls_beats(mm_module *module, double rounds);
    int calls_refused(mm_module *module);
    int calls_storm(mm_module *module, int rounds, bool cancel, int *stopped);
    int calls_twice(mm_module *module); ]])
  return ffi.load("./" .. path)
end

describe("a call that lasts", function()
  local calls, m
  setup(function() calls = compiled() end)
  before_each(function()
    m = typed.module([[
      add = mm.fn("n: f64 -> f64", function(n) return n + 1 end),
      spin = mm.fn("n: f64 -> f64", function(n) local s = 0 for i = 1, n do s = s + i % 3 end return s end),
      loop = mm.fn("n: f64 -> f64", function() n = n + 1 while true do pcall(function() while true do end end) end end),
      count = mm.fn("-> f64", function() n = n + 1 return n end) ]], "local n = 0")
  end)

  it("lets its pulse beat, and goes on", function() assert.is_true(calls.calls_beats(m.handle.pointer, 3e7) > 1) end)

  it("is stopped when its pulse says so; the script is then run anew", function()
    assert.equal(1, m:call "count")
    assert.equal(tonumber(C.MM_ECANCEL), calls.calls_refused(m.handle.pointer))
    assert.equal(1, m:call "count")
    assert.equal(2, m:call "count")
  end)

  it("keeps the module for itself", function()
    assert.equal(tonumber(C.MM_ESTATE), calls.calls_twice(m.handle.pointer))
    assert.equal(1, m:call "count")
  end)

  it("may be one of many, on many threads", function()
    local stopped = ffi.new "int[1]"
    assert.equal(0, calls.calls_storm(m.handle.pointer, 30, false, stopped))
    assert.equal(0, stopped[0])
  end)

  it("may be one of many that others stop at any moment", function()
    local stopped = ffi.new "int[1]"
    assert.equal(0, calls.calls_storm(m.handle.pointer, 30, true, stopped))
    assert.is_true(stopped[0] > 0)
    assert.equal(1, m:call("add", 0))
  end)

  it("is not there to be stopped once it is over", function()
    C.mm_module_cancel(m.handle.pointer)
    assert.equal(1, m:call "count")
  end)
end)
