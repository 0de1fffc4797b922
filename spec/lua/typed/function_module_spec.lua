-- Modules of typed functions: what is declared, what goes in and out, what a script may do with arrays.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local pipelines = require "pipelines"
local script = require "moonmill.script.script"
local typed = require "typed"

local function id(value) return ("id = mm.fn('a: %s -> %s', function(a) return a end)"):format(value, value) end

describe("a signature", function()
  local function signature_of(text)
    return typed.module(("f = mm.fn(%q, function() end)"):format(text)).handle.functions[1]
  end

  it("is told in its plain form, with its help", function()
    local entry = signature_of "a:i32,  b : mut u8[ ]?, c: exact i64, d: exact u64[]->f64 , utf8?  --  does it  "
    assert.equal("a: i32, b: mut u8[]?, c: exact i64, d: exact u64[] -> f64, utf8?", entry.signature)
    assert.equal("does it", entry.about)
    assert.equal("", signature_of("").signature)
    assert.equal("-> f64", signature_of("-> f64").signature)
    assert.equal("a: f64", signature_of("a: f64").signature)
  end)

  local wrong = {
    { "a: i33", 4, 'there is no type "i33"', "i32" },
    { "a: integer", 4, 'there is no type "integer"', "i64" },
    { "a i32", 3, 'expected ":" behind the argument "a"' },
    { "a: f64, a: f64", 9, "named twice" },
    { "a: f64, b: date", 12, "no values of type date", "bool i8" },
    { "s: utf8[]", 4, "no arrays of utf8" },
    { "a: mut u8", 4, "mut is for arrays", "mut u8%[%]" },
    { "a: exact f64", 4, "exact is for i64 and u64" },
    { "-> mut f64[]", 4, "a result is not mut" },
    { "-> exact i64", 4, "exact is for arguments" },
    { "a: f64 -> b: f64", 11, 'there is no type "b"' },
    { "a: f64 -> f64: x", 14, 'unexpected ": x"' },
    { "a: f64[ -> f64", 7, 'unexpected "%[' },
    { "a: f64,", 8, "expected the name of an argument, found the end" },
    { "f64 -> f64", 5, 'expected ":"' },
    { "a: f64 ->", 10, "expected a type, found the end" },
  }
  for _, case in ipairs(wrong) do
    it(("%q is refused at its column"):format(case[1]), function()
      local problem = typed.refused(("f = mm.fn(%q, function() end)"):format(case[1]))
      assert.equal("spec.lua", problem.file)
      assert.equal(3, problem.line)
      assert.equal(#'f = mm.fn("' + case[2], problem.column)
      assert.matches(case[3], problem.message)
      assert.matches(case[4] or "", problem.hint)
    end)
  end

  it("names as many arguments as the function has", function()
    local problem = typed.refused "f = mm.fn('a: f64', function(a, b) end)"
    assert.equal("the function takes 2 arguments, its signature names 1", problem.message)
    assert.equal(3, problem.line)
    typed.module "f = mm.fn('a: f64, b: f64', function(...) end), g = mm.fn('a: f64', function() end)"
  end)
end)

describe("a module", function()
  it("holds typed functions and nothing else", function()
    assert.matches('tell its types: f = mm%.fn', typed.refused("f = function() end").hint)
    assert.equal('"f" is a number, not a typed function', typed.refused("f = 3").message)
    assert.matches("no name", typed.refused("mm.fn('', function() end)").message)
    assert.matches("no functions", typed.refused("about = 'x'").message)
    assert.matches("a signature, got", typed.refused("f = mm.fn(function() end)").message)
    assert.matches("a function here, got", typed.refused("f = mm.fn('a: f64')").message)
    assert.equal("about is number, not a string", typed.refused("about = 3, f = mm.fn('', function() end)").message)
  end)

  it("tells its functions in the order of the script", function()
    local m = typed.module [[
      about = "Some functions",
      z = mm.fn("-> f64", function() return 1 end),
      b = mm.fn("-> f64", function() return 2 end), a = mm.fn("-> f64", function() return 3 end) ]]
    local names = {}
    for i, entry in ipairs(m.handle.functions) do names[i] = entry.name end
    assert.same({ "z", "b", "a" }, names)
    assert.equal("Some functions", m.handle.about)
    assert.equal(4, m.handle.functions[1].line)
  end)

  it("is no pipeline, nor the other way round", function()
    local problem = pipelines.raised(script.evaluate, "mm.module { f = mm.fn('', function() end) }")
    assert.equal("no-pipeline", problem.id)
    assert.matches("moonmill call %-e", problem.hint)
    problem = pipelines.raised(script.evaluate, ":limit(1)", "x.lua", { wanted = "module" })
    assert.equal("no-module", problem.id)
    assert.matches("moonmill run x.lua", problem.hint)
    assert.is_true(script.evaluate("mm.module { f = mm.fn('', function() end) }", "x", { wanted = "any" }).is_module)
  end)

  it("keeps its state from call to call, after errors too", function()
    local m = typed.module("add = mm.fn('n: f64 -> f64', function(n) sum = sum + n return sum end), " ..
      "fail = mm.fn('', function() sum = sum + 100 error 'no' end)", "local sum = 0")
    assert.equal(1, m:call("add", 1))
    assert.equal(3, m:call("add", 2))
    assert.equal("no", m:failure("fail").message)
    assert.equal(104, m:call("add", 1))
  end)

  it("has a state of its own", function()
    local text = "n = mm.fn('-> i32', function() count = (count or 0) + 1 return count end)"
    local a, b = typed.module(text), typed.module(text)
    assert.equal(1, a:call "n")
    assert.equal(2, a:call "n")
    assert.equal(1, b:call "n")
    assert.is_nil(rawget(_G, "count"))
  end)

  it("has what the moonmill module has, with did-you-mean", function()
    assert.matches('no "modul"; did you mean "module"', select(2, pcall(loadstring "return require'moonmill'.modul")))
  end)
end)

describe("scalars", function()
  local ranges = {
    i8 = { -128, 127 }, i16 = { -32768, 32767 }, i32 = { -2 ^ 31, 2 ^ 31 - 1 }, u8 = { 0, 255 }, u16 = { 0, 65535 },
    u32 = { 0, 2 ^ 32 - 1 },
  }
  for name, range in pairs(ranges) do
    it(("of %s keep their ends, and no value beyond them"):format(name), function()
      local m = typed.module(id(name) .. (", over = mm.fn('a: f64 -> %s', function(a) return a end)"):format(name))
      assert.equal(range[1], m:call("id", range[1]))
      assert.equal(range[2], m:call("id", range[2]))
      for _, value in ipairs { range[1] - 1, range[2] + 1, 0.5, 0 / 0, 1 / 0 } do
        local problem = m:failure("over", value)
        assert.equal("bad-result", problem.id)
        assert.matches("^over: the result is ", problem.message)
      end
      assert.matches("does not fit " .. name, m:failure("over", range[2] + 1).message)
      assert.matches("mm%.sat%." .. name, m:failure("over", range[2] + 1).hint)
      assert.matches("0%.5, which is not a whole number", m:failure("over", 0.5).message)
    end)
  end

  it("of i64 and u64 are numbers where those are exact", function()
    local m = typed.module(id "i64" .. "," .. id("u64"):gsub("id", "uid"))
    assert.equal(2LL ^ 53, m:call("id", 2LL ^ 53))
    assert.equal(-(2LL ^ 53), m:call("id", -(2LL ^ 53)))
    local problem = m:failure("id", 2LL ^ 53 + 1)
    assert.equal("id: a is 9007199254740993, which a Lua number cannot hold exactly", problem.message)
    assert.equal('declare it as "a: exact i64" to get an int64_t', problem.hint)
    assert.equal("a", problem.field)
    assert.equal("not-exact", m:failure("uid", 0xffffffffffffffffULL).id)
    assert.matches("18446744073709551615", m:failure("uid", 0xffffffffffffffffULL).message)
  end)

  it("of exact i64 and u64 are all there", function()
    local m = typed.module [[
      i = mm.fn("a: exact i64 -> i64", function(a) return a end),
      next = mm.fn("a: exact i64 -> i64", function(a) return a + 1 end),
      u = mm.fn("a: exact u64 -> u64", function(a) return a end),
      type = mm.fn("a: exact i64 -> utf8", function(a) return type(a) end) ]]
    for _, value in ipairs { 0LL, -1LL, 0x7fffffffffffffffLL, -0x7fffffffffffffffLL - 1 } do
      assert.is_true(m:call("i", value) == value)
    end
    assert.is_true(m:call("u", 0xffffffffffffffffULL) == 0xffffffffffffffffULL)
    assert.is_true(m:call("next", 2LL ^ 53) == 9007199254740993LL)
    assert.equal("cdata", m:call("type", 1LL))
  end)

  it("may be integers of C as results, where they fit", function()
    local m = typed.module [[
      i = mm.fn("-> i64", function() return 0xffffffffffffffffULL end),
      u = mm.fn("-> u64", function() return -1LL end),
      small = mm.fn("n: exact i64 -> u8", function(n) return n end),
      number = mm.fn("n: f64 -> i64", function(n) return n end),
      float = mm.fn("-> f64", function() return 1LL end),
      pointer = mm.fn("-> i64", function() return require("ffi").new("int[1]") end) ]]
    assert.equal("bad-result", m:failure("i").id)
    assert.equal("bad-result", m:failure("u").id)
    assert.equal(255, m:call("small", 255LL))
    assert.equal("bad-result", m:failure("small", 256LL).id)
    assert.equal("bad-result", m:failure("float").id)
    assert.equal("bad-result", m:failure("pointer").id)
    assert.is_true(m:call("number", -2 ^ 53) == -(2LL ^ 53))
    assert.matches("above 2%^53 are not exact", m:failure("number", 2 ^ 54).message)
    assert.matches("does not fit", m:failure("number", 2 ^ 63).message)
  end)

  it("of f32 are rounded, of f64 not; NaN and infinities pass", function()
    local m = typed.module(id "f32" .. "," .. id("f64"):gsub("id", "double"))
    assert.equal(tonumber(ffi.new("float", 0.1)), m:call("id", 0.1))
    assert.equal(0.1, m:call("double", 0.1))
    assert.equal(1 / 0, m:call("double", 1 / 0))
    local nan = m:call("double", 0 / 0)
    assert.is_true(nan ~= nan)
  end)

  it("are booleans and texts of any bytes", function()
    local m = typed.module(id "bool" .. "," .. id("utf8"):gsub("id", "text") .. "," .. id("binary"):gsub("id", "bytes"))
    assert.equal(true, m:call("id", true))
    assert.equal(false, m:call("id", false))
    for _, text in ipairs { "", "a\0b", "Käse", ("x"):rep(100000) } do assert.equal(text, m:call("text", text)) end
    assert.equal("\255\0\1", m:call("bytes", "\255\0\1"))
    assert.equal("text: the result is not valid UTF-8", m:failure("text", "\255").message)
  end)

  it("may be nil where they are declared so", function()
    local m = typed.module [[
      maybe = mm.fn("a: f64? -> f64?", function(a) return a end),
      never = mm.fn("a: f64? -> f64", function(a) return a end),
      nothing = mm.fn("-> utf8", function() end),
      pair = mm.fn("-> f64?, utf8?", function() return nil, "x" end) ]]
    assert.is_nil(m:call("maybe", nil))
    assert.equal(1, m:call("maybe", 1))
    assert.equal("never: the result is nil, expected f64", m:failure("never", nil).message)
    assert.matches('declare it as "f64%?"', m:failure("never", nil).hint)
    assert.matches("is nil", m:failure("nothing").message)
    assert.same({ [2] = "x" }, { m:call("pair") })
  end)

  it("come back several, in order; more than declared are refused", function()
    local m = typed.module [[
      two = mm.fn("a: f64 -> f64, utf8", function(a) return a, "a" .. a end),
      more = mm.fn("-> f64", function() return 1, 2, 3 end),
      none = mm.fn("", function() return end),
      wrong = mm.fn("-> f64, bool", function() return 1, "true" end) ]]
    assert.same({ 7, "a7" }, { m:call("two", 7) })
    assert.equal("more: returned 3 values, 1 is declared", m:failure("more").message)
    assert.equal(0, select("#", m:call "none"))
    assert.equal('wrong: result 2 is "true", expected bool', m:failure("wrong").message)
    assert.equal(6, m:failure("wrong").line)
  end)
end)

describe("errors", function()
  it("tell the line, and the functions that were running", function()
    local m = typed.module([[
outer = mm.fn("a: f64", function(a)
  inner(a)
end) ]], "local function inner(a)\n  error 'too much'\nend")
    local problem = m:failure("outer", 1)
    assert.equal("too much", problem.message)
    assert.equal("script", problem.code)
    assert.equal("spec.lua", problem.file)
    assert.equal(2, problem.line)
    assert.same({ { 2, "inner" }, { 6, "outer" } },
      { { problem.frames[1].line, problem.frames[1]["function"] }, { problem.frames[2].line,
        problem.frames[2]["function"] } })
  end)

  it("may be any value, and have no end", function()
    local m = typed.module [[
      table = mm.fn("", function() error {} end),
      object = mm.fn("", function() error(setmetatable({}, { __tostring = function() return "mine" end })) end),
      none = mm.fn("", function() error() end),
      again = mm.fn("", function() local function f() return 1 + f() end f() end),
      index = mm.fn("a: f64?", function(a) return a.x end) ]]
    assert.equal("script", m:failure("table").code)
    assert.equal("mine", m:failure("object").message)
    assert.equal("script", m:failure("none").code)
    assert.matches("overflow", m:failure("again").message)
    assert.matches("attempt to index local 'a' %(a nil value%)", m:failure("index", nil).message)
  end)

  it("of memory are told, and the module goes on", function()
    local m = typed.module [[ big = mm.fn("n: f64 -> f64[]", function(n) return mm.array("f64", n) end) ]]
    assert.equal("memory", m:failure("big", 2 ^ 50).code)
    assert.equal(2, m:call("big", 2).n)
  end)

  it("of a script that cannot be run are told when it is opened", function()
    assert.equal("syntax", typed.refused("f = ").id)
    assert.equal("no-module", pipelines.raised(require("moonmill.typed.module_handle").open, "x", "return 3").id)
    assert.equal("io", pipelines.raised(require("moonmill.typed.module_handle").open, "/nowhere/x.lua").code)
    assert.is_true(failure.is(typed.refused("f = nil .. 1")))
  end)
end)
