local check = require "moonmill.expr.typing.checker"
local trees = require "expr.trees"
local parse = require "moonmill.expr.syntax.parse"
local types = require "moonmill.base.types"

local scope = trees.scope()

local function typed(text) return check.value(parse.expression(text), scope) end
local function shown(text)
  local n = typed(text)
  return n.type.name .. (n.nullable and "?" or ""), trees.show(n)
end

-- text, type, typed tree (optional)
local accepted = {
  -- integers widen; literals adapt
  { "i8 + i16", "i64", "ADD<i64>!(CAST<i64,i8>(i8), CAST<i64,i16>(i16))" },
  { "u8 * u32", "u64", "MUL<u64>!(CAST<u64,u8>(u8), CAST<u64,u32>(u32))" },
  { "u32 - i8", "i64" }, { "i64 // i64", "i64" }, { "u64 % u8", "u64" }, { "ni8 + i8", "i64?" },
  { "u8 + 1", "u64", "ADD<u64>!(CAST<u64,u8>(u8), 1)" }, { "1 + u64", "u64" }, { "u8 + -1", "i64" },
  { "u64 + 60 * 60", "u64" },
  { "9007199254740993 + i64", "i64", "ADD<i64>!(9007199254740993, i64)" },
  { "18446744073709551615 + u8", "u64" }, { "18446744073709551615", "u64" },
  { "-9223372036854775808", "i64", "-9223372036854775808" },
  { "i8 / i8", "f64", "DIV<f64>(CAST<f64,i8>(i8), CAST<f64,i8>(i8))" }, { "7 / 2", "f64" }, { "i64 ^ 2", "f64" },
  -- floats
  { "f32 + f32", "f32" }, { "f32 * 2", "f32", "MUL<f32>(f32, 2)" }, { "f32 * 0.5", "f32" }, { "f32 / f32", "f32" },
  { "f32 + f64", "f64" },
  { "f32 + i8", "f64" }, { "f64 + 1", "f64", "ADD<f64>(f64, 1)" }, { "i8 + 0.5", "f64" }, { "f32 ^ f32", "f64" },
  { "f32 % f32", "f32" },
  { "-i8", "i64", "NEG<i64>!(CAST<i64,i8>(i8))" }, { "-u8", "i64" }, { "-f32", "f32" }, { "-duration", "duration" },
  -- comparisons are exact
  { "i8 < u8", "bool", "LT<i64>(CAST<i64,i8>(i8), CAST<i64,u8>(u8))" },
  { "i64 == u64", "bool", "EQ<i64,u64>(i64, u64)" },
  { "u64 > -1", "bool", "GT<u64,i64>(u64, -1)" }, { "i64 <= f64", "bool", "LE<i64,f64>(i64, f64)" },
  { "i64 == 3.0", "bool", "EQ<i64>(i64, 3)" }, { "i64 < 2.5", "bool", "LT<i64,f64>(i64, 2.5)" },
  { "f64 == 9007199254740993", "bool", "EQ<f64,i64>(f64, 9007199254740993)" },
  { "f64 == 2", "bool", "EQ<f64>(f64, 2)" },
  { "i32 > f64", "bool", "GT<f64>(CAST<f64,i32>(i32), f64)" },
  { "f32 < f64", "bool", "LT<f64>(CAST<f64,f32>(f32), f64)" },
  { "utf8 == 'a'", "bool", 'EQ<utf8>(utf8, "a")' }, { "bool == true", "bool" }, { "nutf8 < utf8", "bool?" },
  { "date < timestamp", "bool", "LT<timestamp>(CAST<timestamp,date>!(date), timestamp)" },
  -- null
  { "nf64 == null", "bool", "IS_NULL<f64>(nf64)" }, { "null ~= nf64", "bool", "IS_NOT_NULL<f64>(nf64)" },
  { "null == null", "bool", "true" },
  { "f64 < null", "bool?", "null" }, { "f64 + null", "f64?" }, { "i64(null)", "i64?", "null" },
  { "coalesce(null, i8)", "i8" },
  -- and, or, not
  { "bool and nbool", "bool?" }, { "not nbool", "bool?" }, { "bool or nbool", "bool?" },
  { "coalesce(nbool, false) or bool", "bool" },
  { "nf64 or 0", "f64", "COALESCE<f64>(nf64, 0)" }, { "nutf8 or 'none'", "utf8" }, { "ni8 or ni16 or 0", "i16" },
  { "nbool and i8 or 0", "i8", "SELECT<i8>(nbool, i8, 0)" }, { "bool and nf64 or null", "f64?" },
  { "bool and bool or bool", "bool" },
  { "bool and 'a' or nbool and 'b' or 'c'", "utf8", 'SELECT<utf8>(bool, "a", SELECT<utf8>(nbool, "b", "c"))' },
  { "if(nbool or bool, 1, 2)", "i64" }, { "if(nbool or nbool and bool, 'a', 'b')", "utf8" },
  -- choices
  { "if(bool, i8, i32)", "i32" }, { "if(bool, u8, i8)", "i16" }, { "if(bool, f32, i8)", "f64" },
  { "if(bool, u32, i32)", "i64" },
  { "if(bool, i8, 1000)", "i64" }, { "if(bool, i8, 0.5)", "f64" }, { "if(bool, f32, 1)", "f32" },
  { "if(bool, i8, null)", "i8?" },
  { "coalesce(nf32, f32)", "f32" }, { "nullif(i8, 0)", "i8?" }, { "between(nf64, 1, 2)", "bool?" },
  { "min(u8, 3)", "u8" },
  { "max(date, ndate)", "date?" }, { "clamp(i16, 0, 10)", "i16" }, { "is_distinct(nf64, f64)", "bool" },
  { "is_distinct(i64, nu64)", "bool" },
  { "is_in(i8, {1, 2.0, 300, 2.5})", "bool", "IN<i64>(CAST<i64,i8>(i8), 1, 2, 300)" },
  { "is_in(nutf8, {'a'})", "bool?" }, { "is_in(null, {1, 2})", "bool?" },
  { "is_in(date, {date('2013-01-05')})", "bool" }, { "is_in(i64, {p.limit})", "bool" },
  -- functions
  { "abs(i8)", "i64" }, { "sqrt(i8)", "f64" }, { "floor(f32)", "f32" }, { "floor(i32)", "i64" },
  { "round(f64, 2)", "f64" },
  { "round(i8)", "i64" }, { "round(i8, 1)", "f64" }, { "len(nutf8)", "i64?" }, { "bytes(binary)", "i64" },
  { "find(utf8, 'a')", "i64?" },
  { "sub(utf8, 2)", "utf8", 'SUB_TEXT<utf8>(utf8, 2, -1)' }, { "'a' .. 1 .. date", "utf8" },
  { "concat(utf8, nf64)", "utf8?" },
  { "year(date) + hour(timestamp)", "i64" },
  -- casts
  { "i32(f64)", "i32", "CAST<i32,f64>!(f64)" }, { "i32(i8)", "i32", "CAST<i32,i8>(i8)" },
  { "u8(i8)", "u8", "CAST<u8,i8>!(i8)" },
  { "try.i32(utf8)", "i32?", "CAST.try<i32,utf8>(utf8)" }, { "try.i64(i32)", "i64" },
  { "wrap.u8(i64)", "u8", "CAST.wrap<u8,i64>(i64)" },
  { "sat.i8(f64)", "i8" }, { "i8(i8)", "i8", "i8" }, { "bool(i8)", "bool", "NE<i8>(i8, 0)" }, { "utf8(f64)", "utf8" },
  { "f32(f64)", "f32" },
  { "i64(timestamp)", "i64" }, { "i32(date)", "i32" }, { "date(i64)", "date", "CAST<i32,i64>!(i64)" },
  { "timestamp(i64, 'ms')", "timestamp(ms)" },
  { "timestamp(timestamp, 's')", "timestamp(s)" }, { "date(timestamp)", "date" }, { "binary(utf8)", "binary" },
  { "utf8(binary)", "utf8" },
  -- time
  { "timestamp - timestamp", "duration" }, { "date - date", "duration" }, { "date + days(2)", "date" },
  { "date + hours(2)", "timestamp" },
  { "timestamp + minutes(5)", "timestamp" }, { "days(1) + timestamp", "timestamp" },
  { "timestamp(timestamp, 'ms') - seconds(1)", "timestamp" },
  { "duration / hours(1)", "f64" }, { "duration // hours(1)", "i64" }, { "duration * 2", "duration" },
  { "i8 * duration", "duration" },
  { "duration < days(3)", "bool" }, { "seconds(0.5)", "duration" },
  -- a cast ends a literal's readiness to adapt
  { "f32 * f64(2)", "f64" }, { "f32 * f32(2)", "f32" }, { "u8 + i64(1)", "i64" }, { "i8 + i8(1)", "i64" },
  -- parameters are typed; they do not adapt
  { "p.limit + i8", "i64" }, { "f32 * p.gain", "f64" },
}

-- text, line:column, id, message, hint (optional)
local refused = {
  { "arr_dely + 1", "1:1", "unknown-column", 'there is no column "arr_dely"' },
  { "i8 + dat", "1:6", "unknown-column", 'there is no column "dat"', 'did you mean "date"?' },
  { "limit + 1", "1:1", "unknown-column", 'there is no column "limit"', "write p.limit for the parameter" },
  { "p.limt", "1:1", "unknown-parameter", 'there is no parameter "limt"', 'did you mean "limit"?' },
  { "lenn(utf8)", "1:1", "unknown-function", 'there is no function "lenn"', 'did you mean "len"?' },
  { "avg(i8)", "1:1", "unknown-function", 'there is no function "avg"', "write mean" },
  { "substr(utf8, 1)", "1:1", "unknown-function", 'there is no function "substr"', "write sub(s, first, last)" },
  { "sum(i8)", "1:1", "aggregate", "sum is an aggregate, which belongs into group" },
  { "1 + max(i8)", "1:5", "argument-count", "max of one value is an aggregate, which belongs into group" },
  { "len()", "1:1", "argument-count", "len takes 1 argument, found 0", "len(s)" },
  { "sub(utf8)", "1:1", "argument-count", "sub takes 2 to 3 arguments, found 1" },
  { "if(bool, 1)", "1:1", "argument-count", "if takes 3 arguments, found 2" },
  { "len(i8)", "1:5", "type", "argument 1 of len(s) is i8, expected utf8", "utf8(…) writes a value as text" },
  { "sqrt(utf8)", "1:6", "type", "argument 1 of sqrt(x) is utf8, expected a number", "write f64(…) to read the text" },
  { "hour(date)", "1:6", "type", "argument 1 of hour(t) is date, expected a timestamp", "a date has no time of day" },
  { "u64 + i8", "1:5", "type", "u64 and i8 have no common integer type" },
  { "u64 - -1", "1:5", "type", "u64 and i64 have no common integer type" },
  { "-u64", "1:1", "type", "a u64 has no negative", "write -i64(…)" },
  { "utf8 + 'a'", "1:6", "type", '"+" takes numbers, found utf8 and utf8', "join text with .." },
  { "utf8 * 2", "1:6", "type", '"*" takes numbers, found utf8 and i64', "f64(…) or i64(…) reads a text as a number" },
  { "date > '2013-01-05'", "1:6", "type", "date and utf8 cannot be compared", 'write date("2013-01-05")' },
  { "timestamp == '2013-01-05'", "1:11", "type", "timestamp and utf8 cannot be compared",
    'write timestamp("2013-01-05")' },
  { "i8 == '3'", "1:4", "type", "i8 and utf8 cannot be compared", "write i8(…) to read the text as a number" },
  { "1 < i8 < 3", "1:8", "type", "bool and i64 cannot be compared", "write between(x, low, high) or use and" },
  { "not i8", "1:1", "type", '"not" takes conditions, found i8', "compare it with a value, as in x ~= 0 or x ~= null" },
  { "i8 and bool", "1:4", "type", '"and" takes conditions, found i8', "write if(c, a, null), or c and a or b" },
  { "bool or i8", "1:6", "type", '"or" takes conditions, found i8' },
  { "nbool or bool", "1:7", "nullable-or",
    'the left side of "or" may be null: Lua would take the right side, SQL gives null',
    "write coalesce(a, false) or b, or if(a, true, b)" },
  { "not (nbool or bool)", "1:12", "nullable-or",
    'the left side of "or" may be null: Lua would take the right side, SQL gives null' },
  { "if(i8, 1, 2)", "1:4", "type", "the condition of if is i8, expected bool" },
  { "if(bool, 1, 'a')", "1:10", "type", "if has values of types utf8 and i64",
    "cast one of them, so that all have one type" },
  { "coalesce(date, '2013-01-01')", "1:16", "type", "coalesce has values of types date and utf8", 'write date("…")' },
  { "is_in(i8, 3)", "1:11", "type", "the second argument of is_in is a list of constants in braces",
    "write is_in(x, {1, 2, 3})" },
  { "is_in(i8, {1, null})", "1:15", "type", "null is not found by is_in", "write x == null or is_in(x, {…})" },
  { "is_in(i8, {'a'})", "1:12", "type", "utf8 is not found among values of type i64" },
  { "is_in(i8, {i16})", "1:12", "unknown-column", 'there is no column "i16"' },
  { "{1}", "1:1", "type", "braces stand only in is_in(x, {…})" },
  { "null", "1:1", "type", "null alone has no type", "cast it, as in f64(null)" },
  { "wrap.u8(utf8)", "1:1", "type", "utf8 cannot be cast to wrap.u8" },
  { "f64(date)", "1:1", "type", "date cannot be cast to f64" },
  { "f64(duration)", "1:1", "type", "duration cannot be cast to f64", "divide it by a duration: x / hours(1)" },
  { "timestamp(i64, 'm')", "1:16", "type", 'the unit is one of "s" "ms" "us" "ns"', 'as in timestamp(x, "ms")' },
  { "date + 3", "1:6", "type", '"+" has no meaning for date and i64',
    "write days(n), hours(n), minutes(n) or seconds(n) for a number" },
  { "date + date", "1:6", "type", '"+" has no meaning for date and date' },
  { "utf8 .. binary", "1:6", "type", "binary cannot be joined with text", "write utf8(…) to read bytes as text" },
  { "bool and\n  i8 + 1", "1:6", "type", '"and" takes conditions, found i64' },
  { "i8 +\n  missing", "2:3", "unknown-column", 'there is no column "missing"' },
}

describe("the checker", function()
  for _, case in ipairs(accepted) do
    it("types " .. case[1], function()
      local type, tree = shown(case[1])
      assert.equal(case[2], type)
      if case[3] then assert.equal(case[3], tree) end
    end)
  end
  for _, case in ipairs(refused) do
    it(("refuses %q"):format(case[1]), function()
      local ok, err = pcall(typed, case[1])
      assert.is_false(ok, "accepted as " .. (ok and trees.show(err) or ""))
      assert.same({ case[2], "usage", case[3], case[4] }, { err.line .. ":" .. err.column, err.code, err.id,
        err.message })
      if case[5] then assert.equal(case[5], err.hint) end
    end)
  end

  it("takes a nullable condition left of or where null counts as false", function()
    for _, text in ipairs { "nbool or bool", "nf64 > 1 or nf64 < 0 or nbool", "bool and (nbool or bool)",
      "(nbool or nbool) and bool" } do
      assert.equal("bool", check.condition(parse.expression(text), scope).type.name)
    end
    assert.has_error(function() check.condition(parse.expression("not (nbool or bool)"), scope) end)
    assert.has_error(function() check.condition(parse.expression("i8"), scope) end)
  end)
  it("lets columns of foreign types pass, and refuses to compute with them", function()
    local foreign = { columns = { o = { type = types.opaque, nullable = true } }, order = { "o" } }
    assert.equal(types.opaque, check.value(parse.expression "o", foreign).type)
    for _, text in ipairs { "o == null", "utf8(o)", "o < o", "coalesce(o, o)", "o .. 'a'", "max(o, o)" } do
      assert.is_false((pcall(check.value, parse.expression(text), foreign)), text)
    end
  end)
  it("takes a column with nothing in it for null", function()
    local empty = { columns = { n = { type = types.null, nullable = true } }, order = { "n" } }
    assert.equal(types.null, check.value(parse.expression "n", empty).type)
    assert.same({ "i64", true }, { check.value(parse.expression "1 + n", empty).type.name,
      check.value(parse.expression "1 + n", empty).nullable })
  end)
  it("does not grow with the nesting of forms that use an argument twice", function()
    local text = "i64"
    for _ = 1, 60 do text = "nullif(" .. text .. ", 1)" end
    assert.equal("i64", typed(text).type.name)
    text = "bool"
    for _ = 1, 60 do text = "(bool and " .. text .. " or bool)" end
    assert.equal("bool", typed(text).type.name)
  end)
end)
