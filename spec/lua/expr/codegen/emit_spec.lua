local trees = require "expr.trees"
local expr = require "moonmill.expr.compiler"
local types = require "moonmill.base.types"

local scope = trees.scope()

local function builder(options)
  local inputs = {}
  for i, name in ipairs(scope.order) do
    inputs[i] = { name = name, type = scope.columns[name].type, nullable = scope.columns[name].nullable }
  end
  return expr.builder(inputs, scope.params, options)
end

-- The listing of `x = text`, without registers of loads and constants spelled out.
local function listing(...)
  local b, names = builder(), {}
  for i, text in ipairs { ... } do
    names[i] = "x" .. i
    b:derive(names[i], expr.parse(text))
  end
  return b:finish(names, { dry = true }).listing
end

local function lines(text) return (text:gsub("\n%s+", "\n"):gsub("^%s+", ""):gsub("%s+$", "")) end

describe("emission", function()
  it("computes equal things once, across expressions", function()
    assert.equal(lines [[
      %0 = load i64 i64
      %1 = load i64 ni64
      %2 = add i64 %0 %1
      %3 = mul i64 %2 %2
      return x1 = %3, x2 = %2]], listing("(i64 + ni64) * (i64 + ni64)", "i64 + ni64"))
  end)
  it("guards what can fail on a side that may not be taken, and nothing else", function()
    assert.equal(lines [[
      %0 = load i64 i64
      %1 = const i64 0
      %2 = ne i64 %0 %1
      %3 = const i64 1
      %4 = floordiv i64 %3 %0 when %2
      %5 = const i64 2
      %6 = select i64 %2 %4 %5
      return x1 = %6]], listing "if(i64 ~= 0, 1 // i64, 2)")
    assert.is_nil(listing("if(bool, f64 + 1, f64 * 2)"):find "when")
    assert.is_nil(listing("if(i64 // 2 > 1, 1, 2)"):find "when")
  end)
  it("makes guards of nullable conditions for each kind of choice", function()
    local divided = "= floordiv i64 %%%d %%%d when "
    for text, pattern in pairs {
      ["nbool and 1 // i64 > 0"] = "= is_null bool %%0\n%%%d = or bool %%0 %%%d\n%%%d " .. divided,
      ["bool and 1 // i64 > 0"] = divided .. "%%0",
      ["if(nbool, 0, 1 // i64)"] = "is_true bool %%0\n%%%d = not bool %%%d\n%%%d " .. divided,
      ["if(nbool, 1 // i64, 0)"] = divided .. "%%0",
      ["coalesce(ni64, 1 // i64)"] = "is_null i64 %%0\n%%%d " .. divided,
      ["bool or 1 // i64 > 0"] = "not bool %%0\n%%%d " .. divided,
    } do
      assert.truthy(listing(text):find(pattern), text .. "\n" .. listing(text))
    end
  end)
  it("joins guards within guards", function()
    local text = listing("if(bool, if(nbool, 1 // i64, 0), 0)")
    assert.truthy(text:find("= and bool %%0 %%1\n%%%d = floordiv i64 %%%d %%%d when"), text)
  end)
  it("uses for a guarded place what was computed for all rows, never the other way", function()
    local _, all_first = listing("i64 // u8", "if(bool, i64 // u8, 0)"):gsub("floordiv", "")
    local _, guarded_first = listing("if(bool, i64 // u8, 0)", "i64 // u8"):gsub("floordiv", "")
    assert.same({ 1, 2 }, { all_first, guarded_first })
    local _, same_guard = listing("if(bool, i64 // u8, 0)", "if(bool, 1 + i64 // u8, 0)"):gsub("floordiv", "")
    assert.equal(1, same_guard)
  end)
  it("compares narrow columns in their own type", function()
    for text, line in pairs {
      ["i16 < 5"] = "lt i16 %0 %1", ["5 > nu8"] = "gt u8 %0 %1", ["i8 == u8"] = "eq i16 %1 %3",
      ["i8 < i32"] = "lt i32 %1 %2",
      ["i16 < 70000"] = "lt i64 %1 %2", ["u8 == -1"] = "eq i64 %1 %2", ["is_in(i8, {1, 2, 300})"] = "in i8 %0 {1, 2}",
      ["between(i32, 1, 9)"] = "le i32 %0 %3", ["i32(i16) + 0 == i16"] = "eq i64", ["i64(i32(i8)) < 3"] = "lt i8 %0 %1",
    } do
      assert.truthy(listing(text):find(line, 1, true), text .. "\n" .. listing(text))
    end
  end)
  it("wraps in the narrow type what cannot overflow before it", function()
    for text, line in pairs {
      ["wrap.u8(u8 + 1)"] = "add u8 %0 %1", ["wrap.i8(i8 - 300)"] = "sub i8 %0 %1",
      ["wrap.u8(u8 * 3 + nu8)"] = "mul u8 %0 %1", ["wrap.i16(i32 * i16)"] = "mul i16",
    } do
      assert.truthy(listing(text):find(line, 1, true), text .. "\n" .. listing(text))
      assert.falsy(listing(text):find("64", 1, true), text .. "\n" .. listing(text))
    end
    for text, line in pairs { -- below 0, beyond 64 bits
      ["wrap.u8(u8 - 1)"] = "sub u64", ["wrap.u8(i64 + 1)"] = "add i64", ["wrap.i32(i32 * i32 * i32)"] = "mul i64",
    } do
      assert.truthy(listing(text):find(line, 1, true), text .. "\n" .. listing(text))
    end
  end)
  it("drops casts that change nothing", function()
    assert.equal("%0 = load i32 i32\nreturn x1 = %0", listing "i32(i32)")
    assert.equal("%0 = load i8 i8\nreturn x1 = %0", listing "i8(i64(i8))")
    assert.truthy(listing("f64(i64(i8))"):find("cast f64 <- i8 %0", 1, true))
  end)
  it("computes what only later rows need after the filters", function()
    local b = builder()
    b:derive("half", expr.parse "f64 / 2")
    b:derive("sum", expr.parse "i64 + 1")
    b:filter(expr.parse "bool")
    assert.equal(lines [[
      %0 = load i64 i64
      %1 = const i64 1
      %2 = add i64 %0 %1
      %3 = load bool bool
      filter %3
      %4 = load f64 f64
      %5 = const f64 2
      %6 = div f64 %4 %5
      return half = %6, sum = %2]], b:finish({ "half", "sum" }, { dry = true }).listing)
  end)
  it("leaves out what nobody uses, but not what can fail", function()
    local b = builder()
    b:derive("unused", expr.parse "f64 * 2")
    assert.is_nil(b:finish({ "bool" }, { dry = true }).listing:find "mul")
    b = builder()
    b:derive("checked", expr.parse "i64 + 1")
    local result = b:finish({ "bool" }, { dry = true })
    assert.truthy(result.listing:find "add i64")
    assert.same({ "bool", "i64" }, result.reads)
  end)
end)

describe("a builder", function()
  it("runs expressions in order: later ones see earlier names, also those that replace a column", function()
    local b = builder()
    b:derive("i8", expr.parse "i8 + 1")
    b:derive("y", expr.parse "i8 * 2")
    b:filter(expr.parse "y > 3 and bool")
    local result = b:finish({ "y", "i8", "utf8" }, { dry = true })
    assert.equal(lines [[
      %0 = load i8 i8
      %1 = cast i64 <- i8 %0
      %2 = const i64 1
      %3 = add i64 %1 %2
      %4 = const i64 2
      %5 = mul i64 %3 %4
      %6 = const i64 3
      %7 = gt i64 %5 %6
      filter %7
      %8 = load bool bool
      filter %8
      %9 = load utf8 utf8
      return y = %5, i8 = %3, utf8 = %9]], result.listing)
    assert.same({ "bool", "i8", "utf8" }, result.reads)
    assert.same({ "y", types.i64, false }, { result.columns[1].name, result.columns[1].type,
      result.columns[1].nullable })
  end)
  it("computes a checked expression by the names as they are", function()
    local b = builder()
    local checked = expr.check(expr.parse "i64 * 2", b.scope)
    b:derive("i64", checked)
    b:derive("y", checked)
    assert.truthy(b:finish({ "y" }, { dry = true }).listing:find "%%3 = mul i64 %%2 %%1\nreturn y = %%3")
  end)
  it("numbers the places of operations in order and tells where they stand", function()
    local b = builder { place = 10 }
    b:stage("derive")
    b:derive("x", expr.parse("i64 +\n 1", { file = "s.lua", line = 4, column = 20 }))
    b:stage("where"):filter(expr.parse("x * 2 > 3", { file = "s.lua", line = 9, column = 3 }))
    local result = b:finish({ "x" }, { dry = true })
    assert.same({ origin = { file = "s.lua", line = 4, column = 24 }, text = "i64 +\n 1", stage = "derive" },
      result.places[10])
    assert.same({ origin = { file = "s.lua", line = 9, column = 5 }, text = "x * 2 > 3", stage = "where" },
      result.places[11])
    assert.equal(13, result.next_place)
  end)
  it("knows which columns cannot be null after a filter", function()
    for text, known in pairs {
      ["nf64 ~= null"] = { "nf64" }, ["nf64 > 60"] = { "nf64" }, ["nf64 > ni8 and nbool"] = { "nf64", "ni8", "nbool" },
      ["between(ni8, 1, 2)"] = { "ni8" }, ["not nbool"] = { "nbool" }, ["try.i32(nutf8) > 3"] = { "nutf8" },
      ["nf64 > 60 or ni8 > 3"] = {}, ["coalesce(nf64, 0) > 1"] = {}, ["nf64 == null"] = {},
      ["is_distinct(nf64, 1)"] = {},
      ["not (nf64 == null)"] = {}, ["if(nbool, ni8, 1) > 0"] = {}, ["not (nbool and coalesce(nbool, true))"] = {},
    } do
      local b = builder()
      b:filter(expr.parse(text))
      local nullable = {}
      for _, name in ipairs(known) do nullable[name] = true end
      for _, column in ipairs(b:columns()) do
        local was = scope.columns[column.name].nullable
        assert.equal(was and not nullable[column.name], column.nullable, text .. ": " .. column.name)
      end
    end
  end)
  it("selects, drops and renames without code, names changing places too", function()
    local b = builder()
    b:select { "i8", "f64", "utf8" }
    b:rename { i8 = "f64", f64 = "i8" }
    b:drop { "utf8" }
    local result = b:finish(nil, { dry = true })
    assert.same({ "f64", "i8" }, { result.columns[1].name, result.columns[2].name })
    assert.same({ types.i8, types.f64 }, { result.columns[1].type, result.columns[2].type })
    assert.has_error(function() b:rename { i8 = "f64" } end)
    assert.has_error(function() b:select { "missing" } end)
    assert.has_error(function() b:drop { "missing" } end)
  end)
end)
