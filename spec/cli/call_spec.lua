-- moonmill call: arguments as text, results one a line, messages and exit codes.
local command = require "command"

local folder, script
setup(function()
  folder = command.folder()
  script = folder:write("m.lua", [[
local mm = require "moonmill"
return mm.module {
  about = "For the specs",
  add = mm.fn("a: i32, b: f32 -> f32  -- a sum", function(a, b) return a + b end),
  id = mm.fn("a: i64, b: exact u64 -> i64, u64", function(a, b) return a, b end),
  float = mm.fn("x: f64 -> f64", function(x) return x end),
  text = mm.fn("s: utf8, b: binary, f: bool, n: f64? -> utf8, bool, f64?", function(s, b, f, n)
    return s .. #b, f, n
  end),
  scale = mm.fn("v: mut f64[], by: f64 -> f64[]", function(v, by)
    for i = 0, #v - 1 do v[i] = v[i] * by end
    return v
  end),
  flags = mm.fn("v: bool[] -> bool[], i64", function(v) return v, #v end),
  bytes = mm.fn("-> binary, u16[]", function() return "\0\255", mm.array("u16", { 1, 258 }) end),
  nothing = mm.fn("", function() print "said" end),
  fail = mm.fn("n: f64", function(n)
    error("no " .. n)
  end),
  for_ever = mm.fn("", function() while true do end end),
}
]])
end)
teardown(function() folder:remove() end)

local function call(...) return command.run { "call", script, ... } end

local function ok(...)
  local code, out, err = call(...)
  assert.equal("", err)
  assert.equal(0, code)
  return out
end

local function fails(code, pattern, ...)
  local got, out, err = call(...)
  assert.equal("", out)
  assert.equal(code, got)
  assert.matches(pattern, err)
  return err
end

describe("moonmill call", function()
  it("lists the functions, with what they take and give", function()
    local out = ok()
    assert.matches("m%.lua: For the specs\n", out)
    assert.matches("\n  add%(a: i32, b: f32%) %-> f32\n      a sum\n  id%(", out)
    assert.matches("\n  bytes%(%) %-> binary, u16%[%]\n", out)
    assert.matches("\n  nothing%(%)\n", out)
  end)

  it("takes scalars as text and prints each result on a line", function()
    assert.equal("3.5\n", ok("add", "1", "2.5"))
    assert.equal("-3.5\n", ok("add", "-1", "-2.5"))
    assert.equal("-5\n18446744073709551615\n", ok("id", "-5", "18446744073709551615"))
    assert.equal("a b3\ntrue\nnull\n", ok("text", "a b", "xyz", "true", "null"))
    assert.equal("a b3\ntrue\nnull\n", ok("text", "a b", "xyz", "true"))
    assert.equal("-x1\nfalse\n-0.5\n", ok("--", "text", "-x", "y", "false", "-0.5"))
    for text, shown in pairs { ["1e300"] = "1e+300", ["-.5"] = "-0.5", nan = "nan", inf = "inf", ["-inf"] = "-inf",
      ["1024"] = "1024.0" } do
      assert.equal(shown, ok("float", text):gsub("NaN", "nan"):gsub("\n", ""))
    end
  end)

  it("takes arrays as lists and as raw files", function()
    assert.equal("2.0,-4.0,1.0\n", ok("scale", "1,-2, 0.5", "2"))
    assert.equal("-2.0,4.0\n", ok("scale", "-1,2", "2"))
    assert.equal("\n", ok("scale", "", "2"))
    assert.equal("\n", ok("scale", " ", "2"))
    for _, gap in ipairs { "1,,3", "1,2,", ",1", "," } do
      fails(2, 'scale: v is "", expected a number that fits f64', "scale", gap, "2")
    end
    assert.equal("true,false\n2\n", ok("flags", "true,false"))
    local raw = folder:write("raw", "\0\0\0\0\0\0\240\63\0\0\0\0\0\0\0\64")
    assert.equal("3.0,6.0\n", ok("scale", "@" .. raw, "3"))
    assert.equal("\0\0\0\0\0\0\0\64\0\0\0\0\0\0\16\64", ok("--raw", "scale", "@" .. raw, "2"))
    assert.same({ 0, "true,false\n2\n", "" },
      { command.run({ "call", script, "flags", "@-" }, { stdin = "\1\0" }) })
    assert.equal("\0\255\1\0\2\1", ok("--raw", "bytes"))
  end)

  it("keeps what functions print away from the results", function()
    assert.same({ 0, "", "said\n" }, { call "nothing" })
  end)

  it("names what is wrong with an argument", function()
    fails(2, 'add: a is "x", expected a whole number that fits i32', "add", "x", "1")
    fails(2, 'add: a is "1.5", expected', "add", "1.5", "1")
    fails(2, 'add: a is "2147483648", expected', "add", "2147483648", "1")
    fails(2, "add takes 2 arguments, got 1\n  hint: it is declared as \"a: i32, b: f32", "add", "1")
    fails(2, "text takes 4 arguments, got 2", "text", "a", "b")
    fails(2, "nothing takes 0 arguments, got 1", "nothing", "1")
    fails(2, 'scale: v is "x", expected a number', "scale", "1,x", "1")
    fails(2, 'float: x is "null"', "float", "null")
    fails(2, "9007199254740993, which a Lua number cannot hold exactly", "id", "9007199254740993", "1")
    fails(2, "whole values of f64\n  hint: the file has 3 bytes", "scale", "@" .. folder:write("odd", "abc"), "1")
    fails(3, "nowhere: error%[cannot%-open%]: No such file", "scale", "@/nowhere", "1")
  end)

  it("suggests functions, and the command that a script is for", function()
    fails(2, 'no function "ad"\n  hint: did you mean "add"', "ad")
    local pipeline = folder:write("p.lua", "return require('moonmill').pipeline {}")
    local code, _, err = command.run { "call", pipeline, "f" }
    assert.equal(2, code)
    assert.matches("returned a pipeline, not a module\n  hint: moonmill run .*p%.lua INPUT", err)
    code, _, err = command.run { "run", script, "x.csv" }
    assert.equal(2, code)
    assert.matches("returned a module, not a pipeline\n  hint: moonmill call .*m%.lua FUNCTION", err)
    assert.equal(3, (command.run { "call", "/nowhere.lua" }))
  end)

  it("tells the script's line of an error, and its frames as JSON", function()
    fails(5, "m%.lua:18: error%[script%]: no 7", "fail", "7")
    assert.matches('"frames":%[{"file":".*m%.lua","function":"fail","line":18}%]',
      fails(5, "^{", "--errors", "json", "fail", "7"))
  end)

  it("is ended by a signal", function()
    local code = command.run({ "call", script, "for_ever" }, { prefix = "timeout -s INT 0.3" })
    assert.is_true(code == 130 or code == 124)
  end)

  it("refuses a script that is none of ours", function()
    local code, _, err = command.run { "call", folder:write("n.lua", "return 3"), "f" }
    assert.equal(2, code)
    assert.matches("returned number, not a module\n  hint: end it with: return mm.module", err)
  end)
end)
