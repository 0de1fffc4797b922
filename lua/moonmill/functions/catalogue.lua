-- moonmill.functions.catalogue - the one table of functions: what the checker knows, `moonmill help functions` shows
-- and the docs are made of.
--
-- DESIGN. An entry has name, group, usage, help, example {text, result} and either `op` with `takes` and `gives`, or
-- `form`, the name of a rule in moonmill.expr.typing.forms. takes: kinds of arguments ("number", "f64", "int", "text",
-- "bytes", "moment", "clock", "any"); gives: "same" or a type. A result is null where an argument is, unless `nulls`
-- says otherwise. Aggregates are a table of their own: min(x) is an aggregate in group, min(a, b) a function
-- everywhere.
local types = require "moonmill.base.types"

---@class moonmill.Function
---@field name string
---@field group string "number", "choice", "value", "text", "time", "cast", "aggregate"
---@field usage string "round(x, digits)"
---@field help string one line
---@field example string[] { expression, its value }
---@field op string? name of MM_OP_* or, for an aggregate, of MM_AGG_*
---@field takes string[]?
---@field gives string?
---@field form string?
---@field nulls string? the null rule where it is not "null where an argument is null"

local functions = { list = {}, scalars = {}, aggregates = {} }

local function add(group, usage, help, example, fields)
  fields.group, fields.usage, fields.help, fields.example = group, usage, help, example
  fields.name = usage:match "^[^(]+"
  functions.list[#functions.list + 1] = fields
  functions[group == "aggregate" and "aggregates" or "scalars"][fields.name] = fields
end

local function number(...) add("number", ...) end
local function math64(name, help, text, value)
  number(name .. "(x)", help, { name .. "(" .. text .. ")", value },
    { op = name:upper(), takes = { "f64" }, gives = "f64" })
end

number("abs(x)", "distance from zero", { "abs(-3)", "3" }, { op = "ABS", takes = { "number" }, gives = "same" })
number("sign(x)", "-1, 0 or 1", { "sign(-2.5)", "-1.0" }, { op = "SIGN", takes = { "number" }, gives = "same" })
number("min(a, b, ...)", "the least of the values", { "min(3, 1, 2)", "1" }, { form = "extreme" })
number("max(a, b, ...)", "the greatest of the values", { "max(3, 1, 2)", "3" }, { form = "extreme" })
number("clamp(x, low, high)", "x, but not below low and not above high", { "clamp(12, 0, 10)", "10" },
  { form = "clamp" })
number("floor(x)", "the next whole number downwards", { "floor(-2.5)", "-3.0" }, { form = "rounding", op = "FLOOR" })
number("ceil(x)", "the next whole number upwards", { "ceil(-2.5)", "-2.0" }, { form = "rounding", op = "CEIL" })
number("trunc(x)", "the next whole number towards zero", { "trunc(-2.5)", "-2.0" }, { form = "rounding", op = "TRUNC" })
number("round(x, digits)", "to a number of decimal digits (0 when left out), half away from zero",
  { "round(2.567, 1)", "2.6" },
  { form = "round" })
math64("sqrt", "square root", "2.25", "1.5")
math64("cbrt", "cube root", "8", "2.0")
math64("exp", "e to the power of x", "0", "1.0")
math64("log", "natural logarithm", "1", "0.0")
math64("log2", "logarithm to the base 2", "8", "3.0")
math64("log10", "logarithm to the base 10", "1000", "3.0")
math64("sin", "sine of an angle in radians", "0", "0.0")
math64("cos", "cosine of an angle in radians", "0", "1.0")
math64("tan", "tangent of an angle in radians", "0", "0.0")
math64("asin", "inverse of sin", "0", "0.0")
math64("acos", "inverse of cos", "1", "0.0")
math64("atan", "inverse of tan", "0", "0.0")
number("atan2(y, x)", "angle of the point (x, y)", { "atan2(0, 1)", "0.0" },
  { op = "ATAN2", takes = { "f64", "f64" }, gives = "f64" })
math64("sinh", "hyperbolic sine", "0", "0.0")
math64("cosh", "hyperbolic cosine", "0", "1.0")
math64("tanh", "hyperbolic tangent", "0", "0.0")
number("hypot(x, y)", "length of the vector (x, y)", { "hypot(3, 4)", "5.0" },
  { op = "HYPOT", takes = { "f64", "f64" }, gives = "f64" })
number("pow(x, y)", "x to the power of y, the same as x ^ y", { "pow(2, 10)", "1024.0" },
  { op = "POW", takes = { "f64", "f64" }, gives = "f64" })
number("is_nan(x)", "is x not a number?", { "is_nan(0.0 / 0.0)", "true" },
  { op = "IS_NAN", takes = { "float" }, gives = "bool" })
number("is_finite(x)", "is x neither infinite nor NaN?", { "is_finite(1.0 / 0.0)", "false" },
  { op = "IS_FINITE", takes = { "float" }, gives = "bool" })

local function choice(...) add("choice", ...) end
choice("if(condition, a, b)", "a where the condition is true, else b", { "if(2 > 1, 'more', 'less')", "'more'" },
  { form = "if", nulls = "null where the chosen value is; a condition that is null counts as false" })
choice("coalesce(a, b, ...)", "the first value that is not null", { "coalesce(null, 2, 3)", "2" },
  { form = "coalesce", nulls = "null where all values are" })
choice("nullif(a, b)", "null where a equals b, else a", { "nullif(3, 3)", "null" },
  { form = "nullif", nulls = "null where a is, or equals b" })
choice("between(x, low, high)", "low <= x and x <= high", { "between(3, 1, 5)", "true" }, { form = "between" })
choice("is_in(x, {a, b, ...})", "is x one of the constants?", { "is_in('b', {'a', 'b'})", "true" }, { form = "is_in" })
choice("is_distinct(a, b)", "do a and b differ, where null equals null?", { "is_distinct(null, 1)", "true" },
  { form = "is_distinct", nulls = "never null" })

add("value", "hash(x)", "a u64 that is equal for equal values, on every machine: XXH3 of 8 bytes, or of a text",
  { "hash('moonmill') % 10", "6" }, { form = "hash" })

local function text(...) add("text", ...) end
text("len(s)", "number of characters", { "len('héllo')", "5" }, { op = "LEN", takes = { "text" }, gives = "i64" })
text("bytes(s)", "number of bytes", { "bytes('héllo')", "6" }, { op = "BYTES", takes = { "bytes" }, gives = "i64" })
text("lower(s)", "in small letters", { "lower('ABC')", "'abc'" }, { op = "LOWER", takes = { "text" }, gives = "same" })
text("upper(s)", "in capital letters", { "upper('abc')", "'ABC'" },
  { op = "UPPER", takes = { "text" }, gives = "same" })
text("trim(s)", "without blanks at both ends", { "trim('  a b ')", "'a b'" },
  { op = "TRIM", takes = { "text" }, gives = "same" })
text("ltrim(s)", "without blanks at the start", { "ltrim('  a ')", "'a '" },
  { op = "LTRIM", takes = { "text" }, gives = "same" })
text("rtrim(s)", "without blanks at the end", { "rtrim('  a ')", "'  a'" },
  { op = "RTRIM", takes = { "text" }, gives = "same" })
text("sub(s, first, last)", "characters from first to last (-1 when left out); negative numbers count from the end",
  { "sub('moonmill', 5, -2)", "'mil'" }, { form = "sub" })
text("starts_with(s, start)", "does s start with this text?", { "starts_with('moonmill', 'moon')", "true" },
  { op = "STARTS_WITH", takes = { "text", "text" }, gives = "bool" })
text("ends_with(s, ending)", "does s end with this text?", { "ends_with('moonmill', 'mill')", "true" },
  { op = "ENDS_WITH", takes = { "text", "text" }, gives = "bool" })
text("contains(s, part)", "does s hold this text?", { "contains('moonmill', 'onm')", "true" },
  { op = "CONTAINS", takes = { "text", "text" }, gives = "bool" })
text("find(s, part)", "number of the character where part first stands", { "find('moonmill', 'mill')", "5" },
  { op = "FIND", takes = { "text", "text" }, gives = "i64", nulls = "null also where part is absent" })
text("replace(s, old, new)", "every old text replaced by new", { "replace('a-b-c', '-', '+')", "'a+b+c'" },
  { op = "REPLACE", takes = { "text", "text", "text" }, gives = "same" })
text("reverse(s)", "characters in reverse order", { "reverse('abc')", "'cba'" },
  { op = "REVERSE", takes = { "text" }, gives = "same" })
text("repeat(s, n)", "s, n times", { "repeat('ab', 3)", "'ababab'" },
  { op = "REPEAT", takes = { "text", "int" }, gives = "same" })
text("concat(a, b, ...)", "texts joined, the same as a .. b", { "concat('a', 'b', 1)", "'ab1'" }, { form = "concat" })

local function part(name, help, kind, example, value)
  add("time", name .. "(t)", help, { ("%s(%s)"):format(name, example), value },
    { op = name:upper(), takes = { kind }, gives = "i64" })
end
part("year", "year", "moment", 'date("2013-01-05")', "2013")
part("month", "month, 1 to 12", "moment", 'date("2013-01-05")', "1")
part("day", "day of the month, 1 to 31", "moment", 'date("2013-01-05")', "5")
part("hour", "hour, 0 to 23", "clock", 'timestamp("2013-01-05 17:30:15")', "17")
part("minute", "minute, 0 to 59", "clock", 'timestamp("2013-01-05 17:30:15")', "30")
part("second", "second, 0 to 59", "clock", 'timestamp("2013-01-05 17:30:15")', "15")
part("weekday", "day of the week, Monday 1 to Sunday 7", "moment", 'date("2013-01-05")', "6")
part("yearday", "day of the year, 1 to 366", "moment", 'date("2013-02-01")', "32")
part("week", "week of the year by ISO 8601, 1 to 53", "moment", 'date("2013-01-05")', "1")
for _, unit in ipairs { { "days", "48" }, { "hours", "24" }, { "minutes", "60" }, { "seconds", "60" } } do
  local larger = { days = "hours(48)", hours = "days(1)", minutes = "hours(1)", seconds = "minutes(1)" }
  local count = { days = 2, hours = 24, minutes = 60, seconds = 60 }
  add("time", unit[1] .. "(n)", "a duration of n " .. unit[1],
    { ("%s(%d) == %s"):format(unit[1], count[unit[1]], larger[unit[1]]), "true" }, { form = "duration" })
end

-- Casts: name -> example.
local casts = {
  { "f32", "a float of 32 bits", "f32('1.5')", "1.5" }, { "f64", "a float of 64 bits", "f64('1.5')", "1.5" },
  { "bool", "true or false, from text, or from a number that is not zero", "bool('true')", "true" },
  { "utf8", "a value as text", "utf8(12.5)", "'12.5'" }, { "binary", "the bytes of a text", "bytes(binary('é'))", "2" },
  { "date", "a date, from text like 2013-01-05 or from a timestamp", "date('2013-01-05') < date('2013-02-01')",
    "true" },
  { "duration", "a span of time, from text like PT1H30M or another unit", "duration('PT1H30M') == minutes(90)",
    "true" },
  { "timestamp", "a time, from text like 2013-01-05T10:00:00Z, a date, or another unit",
    "year(timestamp('2013-01-05 10:00:00'))", "2013" },
}
for _, name in ipairs { "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64" } do
  casts[#casts + 1] = { name, "a whole number; fails where the value does not fit or has a fraction", name .. "('12')",
    "12" }
end
for _, cast in ipairs(casts) do
  local name, help, example, value = cast[1], cast[2], cast[3], cast[4]
  local usage = types[name].time and "(x, unit)" or "(x)"
  local type = types[name]
  add("cast", name .. usage, help, { example, value }, { form = "cast", to = name, mode = "check" })
  if name ~= "utf8" and name ~= "binary" then
    add("cast", "try." .. name .. usage, name .. "(x), but null where that fails",
      { "try." .. name .. "('?')", "null" },
      { form = "cast", to = name, mode = "try", nulls = "null also where the value does not fit" })
  end
  if type.integer then
    local low, high = types.range(type)
    local shown = tostring(low):gsub("U?LL", "")
    local top = tostring(high):gsub("U?LL", "")
    add("cast", "wrap." .. name .. usage, "a whole number, of which only the low bits are kept",
      { ("wrap.%s(-1)"):format(name), type.signed and "-1" or top },
      { form = "cast", to = name, mode = "wrap" })
    add("cast", "sat." .. name .. usage, "a whole number, at most the greatest and at least the smallest there is",
      { ("sat.%s(-1e30)"):format(name), shown }, { form = "cast", to = name, mode = "sat" })
  end
end

local function aggregate(usage, help, op, takes, gives, nulls)
  add("aggregate", usage, help, { usage, nil }, { op = op, takes = { takes }, gives = gives, nulls = nulls })
end
local kept = "of nothing null"
aggregate("count()", "number of rows; count(x): of rows where x is not null", "COUNT", "any", "i64", "never null")
aggregate("count_null(x)", "number of rows where x is null", "COUNT_NULL", "any", "i64", "never null")
aggregate("sum(x)", "sum; exact for whole numbers", "SUM", "summable", "sum", "of nothing 0")
aggregate("mean(x)", "arithmetic mean", "MEAN", "number", "f64", kept)
aggregate("min(x)", "the least value", "MIN", "any", "same", kept)
aggregate("max(x)", "the greatest value", "MAX", "any", "same", kept)
aggregate("var(x)", "variance, by n - 1", "VAR", "number", "f64", "of fewer than two values null")
aggregate("std(x)", "standard deviation, by n - 1", "STD", "number", "f64", "of fewer than two values null")
aggregate("first(x)", "value of the first row", "FIRST", "any", "same", "nulls count as values")
aggregate("last(x)", "value of the last row", "LAST", "any", "same", "nulls count as values")
aggregate("median(x)", "the middle value, or the mean of the two middle ones", "MEDIAN", "number", "f64", kept)
aggregate("quantile(x, q)", "the value below which a share q (0 to 1) of the values lies, interpolated", "QUANTILE",
  "number", "f64", kept)
aggregate("n_unique(x)", "number of different values", "N_UNIQUE", "any", "i64", "never null")
aggregate("any(x)", "is x true in any row? Of nothing false", "ANY", "bool", "bool", "never null")
aggregate("all(x)", "is x true in every row? Of nothing true", "ALL", "bool", "bool", "never null")

---Names of all functions that may stand in an expression, for suggestions.
---@param with_aggregates boolean?
---@return string[]
function functions.names(with_aggregates)
  local names = {}
  for _, entry in ipairs(functions.list) do
    if with_aggregates or entry.group ~= "aggregate" then names[#names + 1] = entry.name end
  end
  return names
end

return functions
