-- Rows are read by name alone, and nothing carries a value from one row to the next.
local rowfn = require "rowfn"
local rows = require "moonmill.rows"

local THREE = { { "a", "f64", { 1, 2, 3 } } }

-- A function from its text: what specs call are not the globals of this file.
local function fn_of(body)
  return setfenv(assert(loadstring("return function(r, p) " .. body .. " return r.a end", "=spec")), _G)()
end

local function refused(body, message)
  local failure = rowfn.failure(rowfn.map(THREE, "x: f64", fn_of(body), { params = { k = 2 } }))
  assert(failure.message:find(message, 1, true), failure.message)
  return failure
end

describe("a row", function()
  for body, message in pairs {
    ['rawset(r, "\\0row", 1e8)'] = "rawset: a row can only be read by name",
    ['rawset(r, "a", 5)'] = "rawset: a row can only be read by name",
    ['local x = rawget(r, "\\0row")'] = "rawget: a row can only be read by name",
    ["next(r)"] = "a row cannot be walked", ["for _ in pairs(r) do end"] = "a row cannot be walked",
    ["getmetatable(r).__index = nil"] = "attempt to index a string value",
    ["setmetatable(r, nil)"] = "cannot change a protected metatable",
    ['require("string.buffer").encode { { r } }'] = "encode: a row can only be read by name",
    ['require("string.buffer").new():encode { [r] = 1 }'] = "encode: a row can only be read by name",
    ['r["\\0row"] = 1e8'] = "a row is read-only",
  } do
    it("cannot be forged: " .. body, function() refused(body, message) end)
  end

  it("has no key that a function could guess", function()
    local loop = require "moonmill.rows.loop"
    assert.matches("^%z?.*row%x+$", loop.KEY)
    assert(#loop.KEY >= 36)
    refused('local x = r["\\0row"]', "there is no column")
  end)
end)

describe("parameters", function()
  it("cannot be assigned by any way", function()
    refused('rawset(p, "k", 3)', "rawset: a list of parameters can only be read by name")
    assert.equal("hidden-state", refused("table.insert(p, 1)", "changed its parameters").id)
  end)
end)

describe("what could carry a value from row to row is refused:", function()
  for _, name in ipairs {
    "getfenv(1)", "setfenv(1, {})", 'load "n = 5"', 'loadstring "n = 5"', 'loadfile "x"', 'dofile "x"',
    'collectgarbage "count"', "gcinfo()", "newproxy()", 'module "m"', "os.clock()", "os.tmpname()", 'io.open "x"',
    'io.popen "x"', "io.tmpfile()", "io.read()", "debug.getinfo(1)", "debug.setupvalue(print, 1, 2)", "jit.status()",
    "package.path:len()", 'require "ffi"', 'require "debug"', 'os.execute "true"', 'os.remove "x"',
    'os.rename("x", "y")',
  } do
    it(name, function()
      local failure = refused("local x = " .. name, "is not available in row functions")
      assert(failure.message:find(name:match '^require "(%w+)"' or name:match "^[%w.]+", 1, true), failure.message)
      assert.matches("^spec:1: ", failure.message)
      assert.matches("a result may only depend on its own row", failure.hint)
    end)
  end

  it("also as the last act of the function, whose line is told", function()
    local fn = assert(loadstring("return function(r)\n return os.clock() end", "=spec"))()
    local failure = rowfn.failure(rowfn.map(THREE, "x: f64", fn))
    assert.equal("os.clock is not available in row functions", failure.message)
    assert.equal("not-available", failure.id)
  end)

  it("captured ones too", function()
    local clock, open = os.clock, io.open
    for _, fn in ipairs { function() return clock() end, function() return open "x" and 1 end } do
      local failure = rowfn.failure(rowfn.map(THREE, "x: f64", fn))
      assert(failure.message:find("is not available in row functions", 1, true), failure.message)
    end
  end)

  it("the C interface, when the function is shipped", function()
    local ffi = require "ffi"
    local new = ffi.new
    local function by_module(r) return ffi.new("int64_t", r.a) end
    local function by_function(r) return new("int64_t", r.a) end
    for _, fn in ipairs { by_module, by_function } do
      assert.matches("ffi is not available in row functions", rowfn.refused(fn).message)
    end
  end)

  it("values in the libraries and among the globals", function()
    refused('rawset(string, "n", 1)', "rawset: the globals and the libraries are read-only")
    refused('rawset(_G, "n", 1)', "rawset: the globals and the libraries are read-only")
  end)
end)

-- What a function of the script gives over three rows, with a module beside it.
local function with_module(body, module)
  local set = require("moonmill.modules").new("", nil, { counter = module })
  local text = 'local m = require "counter" return function(r) ' .. body .. " end"
  local fn = setfenv(assert(loadstring(text, "=script")), set.globals)()
  return rowfn.map(THREE, "x: f64", fn, { modules = set })
end

describe("a write through a local is found, to", function()
  for target, what in pairs {
    ["math"] = "library 'math'", ["string"] = "library 'string'", ["table"] = "library 'table'",
    ["io"] = "library 'io'", ["coroutine"] = "library 'coroutine'",
    ["_G"] = "the globals", ['require "bit"'] = "library 'bit'",
    ['require "string.buffer"'] = "library 'string.buffer'",
  } do
    it(target, function()
      local failure = refused(("local t = %s t.n = (t.n or 0) + 1"):format(target), "changed " .. what)
      assert.equal("hidden-state", failure.id)
    end)
  end

  it("the metatable of a library", function()
    refused("local t = math setmetatable(t, { n = r.a })", "changed library 'math'")
  end)

  it("moonmill itself", function()
    refused('local t = require "moonmill" t.n = 1', "moonmill: a module is read-only in row functions")
  end)
end)

describe("a module that a row function uses", function()
  local COUNTER = "local c, M = 0, { deep = { n = 0 } } " ..
    "function M.count() c = c + 1 return c end " ..
    "function M.double(x) return 2 * x end " ..
    "function M.global() total = (total or 0) + 1 return total end " ..
    "M.inner = { count = M.count, double = M.double } return M"

  for _, body in ipairs {
    "return m.count()", "return m.inner.count()",
    "for _, t in pairs(m) do if type(t) == 'table' then t.n = r.a end end return 1",
    'local t = require "counter" t.n = (t.n or 0) + 1 return t.n', 'return require("coun" .. "ter").count()',
  } do
    it("may not carry a value to the next row: " .. body, function()
      local failure = rowfn.failure(with_module(body, COUNTER))
      assert.equal("hidden-state", failure.id)
      assert.matches("changed what belongs to module 'counter'", failure.message)
    end)
  end

  it("may not do so by globals of its own", function()
    assert.matches("changed the globals", rowfn.failure(with_module("return m.global()", COUNTER)).message)
  end)

  it("may not make what keeps values within itself when it is loaded", function()
    local failure = rowfn.failure(with_module("return #m.made:put(r.a)",
      'return { made = require("string.buffer").new() }'))
    assert.matches("string.buffer.new is only available while a row is worked on", failure.message)
  end)

  it("is as good as any where it keeps nothing, also one that is loaded by a row", function()
    for _, body in ipairs { "return m.double(r.a)", 'return require("counter").inner.double(r.a)',
      'local b = require("string.buffer").new() b:put(r.a) return m.double(#b)' } do
      assert(with_module(body, COUNTER))
    end
  end)
end)

describe("a library that the script changed", function()
  local function shipped(text)
    local set = require("moonmill.modules").new ""
    local fn = setfenv(assert(loadstring(text, "=script")), set.globals)()
    return pcall(rows.ship, fn, { kind = "map", inputs = {}, outputs = {}, params = {}, place = 0, label = "spec:map",
      modules = set })
  end

  it("is an error where a row function uses the change", function()
    for text, name in pairs {
      ["math.sqrt = function() return 7 end return function(r) return math.sqrt(r.a) end"] = "math.sqrt",
      ["math.sqrt = nil return function(r) return math.sqrt(r.a) end"] = "math.sqrt",
      ["function string.trim(s) return s end return function(r) return string.trim(r.a) end"] = "string.trim",
      ["table.sort = 5 local t = table return function(r) return t.sort(r.a) end"] = "table.sort",
    } do
      local ok, failure = shipped(text)
      assert.is_false(ok)
      assert.same({ "changed-library", "script", 1 }, { failure.id, failure.file, failure.line })
      assert(failure.message:find(("'%s', which the script has changed"):format(name), 1, true), failure.message)
    end
  end)

  it("is none where it does not", function()
    local ok, problem = shipped "math.sqrt = function() return 7 end return function(r) return math.floor(r.a) end"
    assert(ok, tostring(problem))
  end)
end)
