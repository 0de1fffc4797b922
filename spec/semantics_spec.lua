-- The rules of the language, one by one: what expressions and stages mean, whatever the machine and the threads.
-- What a rule says of whole tables is tried on two rows or more; the rest on one row of columns of every kind.
local ffi = require "ffi"
local input = require "moonmill.pipeline.input"
local pipelines = require "pipelines"
local schemas = require "moonmill.base.schemas"
local script = require "moonmill.script.script"
local null = pipelines.null

local HIGH, LOW = 9223372036854775807LL, -9223372036854775807LL - 1
local NAN = 0 / 0

-- Columns, not constants: the values come as data, so that nothing is computed while compiling.
local ROW = {
  { "one", "i64", { 1 } }, { "two", "i64", { 2 } }, { "seven", "i64", { 7 } }, { "zero", "i64", { 0 } },
  { "high", "i64", { HIGH } }, { "low", "i64", { LOW } }, { "odd", "i64", { 9007199254740993LL } },
  { "top", "u64", { 18446744073709551615ULL } }, { "u", "u64", { 1 } }, { "small", "i8", { 100 } },
  { "half", "f64", { 0.5 } }, { "f0", "f64", { 0 } }, { "minus0", "f64", { -0.0 } }, { "nan", "f64", { NAN } },
  { "third", "f32", { 0.1 } }, { "none", "i64", { null } }, { "nof", "f64", { null } }, { "nos", "utf8", { null } },
  { "maybe", "bool", { null } }, { "yes", "bool", { true }, }, { "no", "bool", { false } },
  { "s", "utf8", { "a\195\177\226\130\172" } }, { "empty", "utf8", { "" } },
}

local function shown(value)
  if type(value) == "cdata" then return (tostring(value):gsub("U?LL$", "")) end
  if type(value) ~= "number" then return tostring(value) end
  if value ~= value then return "nan" end
  if value == 0 then return 1 / value < 0 and "-0" or "0" end
  return ("%.17g"):format(value)
end

local function value(text)
  local out = pipelines.run(":select { 'one', [==[v = " .. text .. "]==] }", ROW)
  return shown(out.v[1])
end

local function type_of(text)
  local _, shape = pipelines.run(":select { 'one', [==[v = " .. text .. "]==] }", ROW)
  return (shape[2][2]:gsub("%?$", ""))
end

local function problem(text) return pipelines.problem(":select { 'one', [==[v = " .. text .. "]==] }", ROW) end

local function means(cases)
  for text, expected in pairs(cases) do assert.equal(expected, value(text), text) end
end

local function fails(id, texts)
  for _, text in ipairs(texts) do assert.equal(id, problem(text).id, text) end
end

local function list_of(chain, lists, column)
  local texts = {}
  for i, item in ipairs((pipelines.run(chain, lists))[column]) do texts[i] = shown(item) end
  return table.concat(texts, " ")
end

describe("values", function()
  it("null is different from empty text, NaN and 0; a function of a null is null", function()
    means {
      ["empty == null"] = "false", ["nan == null"] = "false", ["zero == null"] = "false", ["nos == null"] = "true",
      ["abs(none)"] = "null", ["none + one"] = "null", ["upper(nos)"] = "null", ["concat(s, nos)"] = "null",
      ["min(one, none)"] = "null", ["len(empty)"] = "0", ["-none"] = "null", ["sqrt(nof)"] = "null",
    }
  end)

  it("`and` and `not` follow three-valued logic", function()
    means {
      ["maybe and no"] = "false", ["no and maybe"] = "false", ["maybe and yes"] = "null", ["yes and maybe"] = "null",
      ["maybe and maybe"] = "null", ["not maybe"] = "null", ["not yes"] = "false",
    }
  end)

  it("`a or b` is b where a is null or false, else a, for every type", function()
    means {
      ["none or 5"] = "5", ["zero or 5"] = "0", ["nos or 'x'"] = "x", ["empty or 'x'"] = "", ["nof or 2.5"] = "2.5",
      ["no or yes"] = "true", ["yes or no"] = "true",
    }
  end)

  it("`or` of a bool that may be null asks for coalesce or if", function()
    local asked = problem "maybe or no"
    assert.equal("nullable-or", asked.id)
    assert.matches("coalesce.*if", asked.hint)
  end)

  it("`c and a or b` with a boolean c means if(c, a, b)", function()
    means {
      ["one > 0 and 5 or 6"] = "5", ["one > 1 and 5 or 6"] = "6", ["yes and none or 6"] = "null",
      ["maybe and 5 or 6"] = "6", ["no and 1 // zero or 6"] = "6",
    }
    fails("type", { "one and 5 or 6", "s and 5", "yes and 5", "not one", "one or s" })
  end)

  it("x == null and x ~= null test for null, any other comparison with null is null", function()
    means {
      ["none == null"] = "true", ["none ~= null"] = "false", ["one == null"] = "false", ["one ~= null"] = "true",
      ["none == one"] = "null", ["none < one"] = "null", ["none ~= none"] = "null", ["nos == s"] = "null",
    }
  end)

  it("is_distinct is the null-safe ~=", function()
    means {
      ["is_distinct(one, none)"] = "true", ["is_distinct(none, none)"] = "false", ["is_distinct(one, two)"] = "true",
      ["is_distinct(one, one)"] = "false", ["is_distinct(nos, s)"] = "true",
    }
  end)

  it("comparisons between i64, u64 and floats are exact in value", function()
    means {
      ["odd == 9007199254740992.0"] = "false", ["odd > 9007199254740992.0"] = "true", ["top > low"] = "true",
      ["top == -1"] = "false", ["low < u"] = "true", ["high < 9223372036854775808.0"] = "true",
      ["top < 18446744073709551616.0"] = "true", ["high == f64(high)"] = "false", ["one == 1.0"] = "true",
    }
  end)

  it("one order: -inf < numbers < inf < NaN < null", function()
    local lists = { { "x", "f64", { NAN, 1, null, 1 / 0, -1 / 0, -1 } } }
    assert.equal("-inf -1 1 inf nan null", list_of(':sort "x"', lists, "x"))
    assert.equal("nan inf 1 -1 -inf null", list_of(':sort "-x"', lists, "x"))
    assert.equal("null -inf -1 1 inf nan", list_of(':sort({ "x" }, { nulls = "first" })', lists, "x"))
    assert.equal("-0 0", list_of(':sort "x"', { { "x", "f64", { 0, -0.0 } } }, "x"))
    local out = pipelines.run(':group({}, { "least = min(x)", "most = max(x)" })', lists)
    assert.same({ "-inf", "nan" }, { shown(out.least[1]), shown(out.most[1]) })
  end)

  it("as keys and in distinct -0 equals +0 and all NaN are equal", function()
    local lists = { { "x", "f64", { 0, -0.0, NAN, -NAN, null, null } } }
    assert.same({ 2, 2, 2 }, (pipelines.run(':group("x", "n = count()")', lists)).n)
    assert.equal("0 nan null", list_of(":distinct()", lists, "x"))
    assert.equal("0 nan null", list_of(':distinct "x"', lists, "x"))
  end)

  it("text orders by bytes, and sort is stable", function()
    local lists = { { "s", "utf8", { "b", "\195\164", "B", "a", "", "b" } }, { "i", "i64", { 1, 2, 3, 4, 5, 6 } } }
    assert.equal("5 3 4 1 6 2", list_of(':sort "s"', lists, "i"))
    assert.equal("2 1 6 4 3 5", list_of(':sort "-s"', lists, "i"))
  end)

  it("whole numbers: signed give i64, unsigned u64, both together need a cast", function()
    assert.equal("i64", type_of "small + small")
    assert.equal("u64", type_of "u8(one) + u16(one)")
    assert.equal("i64", type_of "small * u8(one)")
    assert.equal("u64", type_of "u + 1")
    fails("type", { "u + one", "one - top" })
    means { ["small * small"] = "10000", ["top - 1"] = "18446744073709551614", ["odd + 2"] = "9007199254740995" }
  end)

  it("literals stay exact above 2^53", function()
    means {
      ["zero + 9007199254740993"] = "9007199254740993", ["high == 9223372036854775807"] = "true",
      ["top == 18446744073709551615"] = "true", ["low == -9223372036854775808"] = "true",
    }
  end)

  it("overflow is an error with its row", function()
    fails("overflow", { "high + 1", "low - 1", "high * 2", "-low", "low // -1", "u - 2", "top + 1", "abs(low)" })
    local lists = { { "a", "i64", { 1, 2, HIGH, HIGH } } }
    assert.equal(3, pipelines.problem(':derive "b = a + 1"', lists).row)
  end)

  it("`/` and `^` give f64", function()
    assert.equal("f64", type_of "two / two")
    assert.equal("f64", type_of "two ^ two")
    means { ["seven / two"] = "3.5", ["two ^ -1"] = "0.5", ["one / zero"] = "inf", ["-two ^ two"] = "-4" }
  end)

  it("`//` and `%` floor", function()
    means {
      ["-seven // two"] = "-4", ["seven // -two"] = "-4", ["-seven % 3"] = "2", ["seven % -3"] = "-2",
      ["-7.5 // (half * 4)"] = "-4", ["-7.5 % (half * 4)"] = "0.5", ["low % -1"] = "0", ["low // one"] = shown(LOW),
    }
  end)

  it("by zero they are errors for whole numbers, IEEE for floats", function()
    fails("divide-by-zero", { "one // zero", "one % zero", "u // (u - 1)" })
    means { ["half // f0"] = "inf", ["half % f0"] = "nan", ["-half / f0"] = "-inf", ["f0 / f0"] = "nan" }
  end)

  it("f32 with f32 stays f32, with anything else it is f64", function()
    assert.equal("f32", type_of "third + third")
    assert.equal("f64", type_of "third + half")
    assert.equal("f64", type_of "third * one")
    means { ["f64(third) == 0.1"] = "false" }
  end)

  it("a cast fails where the value does not fit or has a fraction; try, wrap and sat do not", function()
    fails("bad-cast", { "i64(half)", "u8(seven * 100)", "i8(high)", "u64(low)", "i64(nan)", "i64(1e19 * half * 2)" })
    means {
      ["try.i64(half)"] = "null", ["try.u8(-one)"] = "null", ["wrap.u8(seven * 43)"] = "45", ["wrap.u8(-one)"] = "255",
      ["wrap.i8(seven * 43)"] = "45", ["sat.u8(-one)"] = "0", ["sat.u8(seven * 100)"] = "255", ["sat.i8(low)"] = "-128",
      ["i64(round(half))"] = "1", ["i8(f64(seven))"] = "7", ["f32(third)"] = shown(tonumber(ffi.new("float", 0.1))),
    }
  end)

  it("text to number, date and time is checked, and null with try", function()
    fails("bad-number", { "i64('12a')", "i64(empty)", "f64('1,5')", "i8('200')", "f64('1e999')" })
    means {
      ["i64('-12')"] = "-12", ["f64('1e-7')"] = "9.9999999999999995e-08", ["try.i64('12a')"] = "null",
      ["try.date('2023-02-29') == null"] = "true", ["date('2024-02-29') == null"] = "false",
      ["f64('0.1') == 0.1"] = "true",
    }
    assert.equal("bad-cast", problem("date('2023-02-29')").id)
  end)

  it("len and sub count characters from 1, negative from the end; bytes counts bytes", function()
    means {
      ["len(s)"] = "3", ["bytes(s)"] = "6", ["sub(s, 2)"] = "\195\177\226\130\172", ["sub(s, -1)"] = "\226\130\172",
      ["sub(s, 1, 2)"] = "a\195\177", ["sub(s, 0, 1)"] = "a", ["sub(s, 3, 2)"] = "", ["sub(s, -9, -3)"] = "a",
    }
  end)

  it("numbers are written in the shortest form that reads back, floats with a point or an exponent", function()
    means {
      ["utf8(1024.0 * one)"] = "1024.0", ["utf8(half - 0.4)"] = "0.09999999999999998", ["utf8(1e22 * one)"] = "1e+22",
      ["utf8(minus0)"] = "-0.0", ["utf8(nan)"] = "nan", ["utf8(1 / f0)"] = "inf", ["utf8(third)"] = "0.1",
      ["utf8(high)"] = "9223372036854775807", ["utf8(top)"] = "18446744073709551615",
      ["utf8(5e-324 * one)"] = "5e-324", ["utf8(1.7976931348623157e308 * one)"] = "1.7976931348623157e+308",
    }
  end)
end)

describe("expressions", function()
  it("have Lua's precedence", function()
    means {
      ["2 ^ 3 ^ 2 * one"] = "512", ["-two ^ 2"] = "-4", ["one .. two == '12'"] = "true", ["not (one == two)"] = "true",
      ["one + two * seven"] = "15", ["one < two and two < seven"] = "true", ["no or yes and no"] = "false",
    }
  end)

  it("know the escapes \\n \\t \\r \\\\ \\' \\\" and leave any other backslash", function()
    means {
      [ [['a\nb']] ] = "a\nb", [ [['a\tb']] ] = "a\tb", [ [['a\\b']] ] = "a\\b", [ [['it\'s']] ] = "it's",
      [ [["say \"x\""]] ] = 'say "x"', [ [['a\dz']] ] = "a\\dz",
    }
  end)

  it("have no comments and no control characters", function()
    fails("syntax", { "one --two", "'a\8b'" })
  end)

  it("read odd names in backticks and parameters as p.name", function()
    local lists = { { "a b", "i64", { 3 } } }
    assert.equal("4", list_of(':derive "c = `a b` + 1"', lists, "c"))
    assert.equal("5", list_of('mm.pipeline { params = "n: i64 = 2" } :derive "c = `a b` + p.n"', lists, "c"))
  end)

  it("fail only for rows that are selected, not null, and on the side that is taken", function()
    local lists = { { "a", "i64", { 10, 20, 30, 40 } }, { "b", "i64", { 2, 0, null, 5 } } }
    local function c(chain) return list_of(chain, lists, "c") end
    assert.equal("5 8", c ':where "b ~= 0" :where "b ~= null" :derive "c = a // b"')
    assert.equal("5 null null 8", c ':derive "c = if(b ~= 0, a // b, null)"')
    assert.equal("5 -1 -1 8", c ':derive "c = b ~= 0 and a // b or -1"')
    assert.equal("true false null true", c ':derive "c = b ~= 0 and a // b > 0"')
    assert.equal("2 0 30 5", c ':derive "c = coalesce(b, a // 1)"')
    assert.equal("2 0 7 5", c ':derive "c = coalesce(b, 210 // a)"')
    assert.equal("divide-by-zero", pipelines.problem(':derive "c = a // b"', lists).id)
    assert.equal(2, pipelines.problem(':derive "c = a // b"', lists).row)
  end)

  it("of one list run in order", function()
    local lists = { { "a", "i64", { 1, 2 } } }
    assert.equal("4 6", list_of(':derive { "b = a + 1", "c = b * 2" }', lists, "c"))
    assert.equal("3 4", list_of(':derive { "a = a + 1", "c = a + 1" }', lists, "c"))
  end)
end)

describe("lists, selectors and options", function()
  local LISTS = { { "a_delay", "f64", { 1, null } }, { "b_delay", "i64", { 3, 4 } }, { "s", "utf8", { " x", "y " } } }

  it("one bare string may stand for a list", function()
    assert.same((pipelines.run(':select { "s" }', LISTS)), (pipelines.run(':select "s"', LISTS)))
  end)

  it("a key in a list is an error that shows the right form, an unknown option one with a suggestion", function()
    local found = pipelines.problem(':derive { gained = "b_delay - 1" }', LISTS)
    assert.equal("key-in-list", found.id)
    assert.matches('"gained = b_delay %- 1"', found.hint)
    assert.matches('"nulls"', pipelines.problem(':sort({ "s" }, { null = "first" })', LISTS).hint)
  end)

  it("cols() stands for columns by name and type, and `it` is the column", function()
    local _, shape = pipelines.run([[:select { "cols('*_delay' and not f64)", "cols(utf8)" }]], LISTS)
    assert.same({ "b_delay", "s" }, { shape[1][1], shape[2][1] })
    assert.same({ "x", "y" }, (pipelines.run(':derive { "cols(utf8) = trim(it)" }', LISTS)).s)
    local out = pipelines.run(':group({}, "cols() = count_null(it)")', LISTS)
    assert.same({ { 1 }, { 0 }, { 0 } }, { out.a_delay, out.b_delay, out.s })
  end)

  it("a selector without a match is an error", function()
    assert.equal("bad-selector", pipelines.problem(":select \"cols('*_id')\"", LISTS).id)
  end)

  it("`input` drops the columns that it does not name, unless it ends with \"...\"", function()
    local columns = schemas.from_c(require("columns").table(LISTS).schema)
    local function names(declared)
      local list = {}
      local pipeline = script.evaluate(("mm.pipeline { input = { %s } }"):format(declared))
      for i, column in ipairs(input.bind(pipeline.input, columns, "the file")) do list[i] = column.name end
      return table.concat(list, " ")
    end
    assert.equal("s", names '"s: utf8"')
    assert.equal("a_delay b_delay s", names '"s: utf8", "..."')
  end)
end)

describe("group", function()
  local LISTS = {
    { "k", "utf8", { "b", null, "a", "b", null } }, { "x", "i64", { 1, 2, null, 4, null } },
    { "f", "f64", { 1, NAN, 3, 5, null } },
  }
  local function one(aggregate) return list_of(([[:group("k", "v = %s")]]):format(aggregate), LISTS, "v") end
  local function nothing(aggregate)
    return list_of((':where "x > 100" :group({}, "v = %s")'):format(aggregate), LISTS, "v")
  end

  it("gives groups in order of first appearance, a null key being a group", function()
    assert.equal("b null a", list_of(':group("k", "n = count()")', LISTS, "k"))
  end)

  it("leaves nulls out of every aggregate but count(), first and last", function()
    assert.equal("2 2 1", one "count()")
    assert.equal("2 1 0", one "count(x)")
    assert.equal("0 1 1", one "count_null(x)")
    assert.equal("1 2 null", one "first(x)")
    assert.equal("4 null null", one "last(x)")
    assert.equal("2.5 2 null", one "mean(x)")
    assert.equal("2 1 0", one "n_unique(x)")
  end)

  it("sum is exact and checked at the end, of nothing 0", function()
    assert.equal("5 2 0", one "sum(x)")
    local lists = { { "x", "i64", { HIGH, HIGH, LOW, LOW, 5 } } }
    assert.equal("3", list_of(':group({}, "v = sum(x)")', lists, "v"))
    assert.equal("overflow", pipelines.problem(':group({}, "v = sum(x)")', { { "x", "i64", { HIGH, 1 } } }).id)
    assert.equal("18446744073709551615",
      list_of(':group({}, "v = sum(x)")', { { "x", "u64", { 18446744073709551614ULL, 1 } } }, "v"))
    assert.equal("0", nothing "sum(x)")
    assert.equal("0", nothing "count()")
  end)

  it("mean, min, max, var, std, median and quantile of nothing are null", function()
    for _, aggregate in ipairs { "mean(x)", "min(x)", "max(k)", "var(x)", "std(x)", "median(x)", "quantile(x, 0.5)" } do
      assert.equal("null", nothing(aggregate), aggregate)
    end
  end)

  it("var and std divide by n - 1; median and quantile interpolate", function()
    local lists = { { "x", "i64", { 1, 2, 3, 10 } } }
    local out = pipelines.run([[:group({}, { "v = var(x)", "m = median(x)", "q = quantile(x, 0.25)", "s = std(x)" })]],
      lists)
    assert.same({ 2.5, 1.75 }, { out.m[1], out.q[1] })
    assert.is_true(math.abs(out.v[1] - 50 / 3) < 1e-12 and math.abs(out.s[1] ^ 2 - 50 / 3) < 1e-12)
    assert.equal("null", list_of(':group({}, "v = std(x)")', { { "x", "i64", { 1 } } }, "v"))
  end)

  it("computes with aggregates", function()
    assert.equal("2.5 1 0", one "sum(x) / count()")
    assert.equal("0.5", list_of(':group({}, "v = sum(x) / sum(y)")',
      { { "x", "i64", { 1, 2 } }, { "y", "i64", { 2, 4 } } }, "v"))
  end)
end)

describe("limit and distinct", function()
  local LISTS = { { "k", "utf8", { "a", "b", "a", "b", "a" } }, { "x", "i64", { 5, 1, 4, 2, 3 } } }

  it("limit takes the first n rows, the first n in an order, the first n of each group", function()
    assert.equal("5 1", list_of(":limit(2)", LISTS, "x"))
    assert.equal("1 2", list_of(':limit(2, { order = "x" })', LISTS, "x"))
    assert.equal("5 1", list_of(':limit(1, { by = "k" })', LISTS, "x"))
    assert.same({ 1, 3 }, (function()
      local found = (pipelines.run(':limit(1, { by = "k", order = "x" })', LISTS)).x
      table.sort(found)
      return found
    end)())
    assert.equal("", list_of(":limit(0)", LISTS, "x"))
  end)

  it("distinct keeps the first whole row of each key", function()
    assert.equal("5 1", list_of(':distinct { "k" }', LISTS, "x"))
    assert.equal("5 1 4 2 3", list_of(":distinct()", LISTS, "x"))
  end)

  it("errors beyond a satisfied limit are discarded", function()
    local lists = { { "a", "i64", function(i) return i == 150000 and 0 or i end, n = 200000 } }
    for _, threads in ipairs { 1, 2 } do
      local out = pipelines.run(':derive "b = 10 // a" :limit(3)', lists, { threads = threads })
      assert.same({ 10, 5, 3 }, out.b)
    end
  end)
end)
