-- moonmill.functions.catalogue - the one table of functions: what the checker knows, `moonmill help functions` shows
-- and the docs are made of.
--
-- DESIGN. An entry has name, group, usage, help, example {text, result} and either `op` with `takes` and `gives`, or
-- `form`, the name of a rule in moonmill.expr.typing.forms. takes: kinds of arguments ("number", "f64", "int", "text",
-- "bytes", "moment", "clock", "any"); gives: "same" or a type. A result is null where an argument is, unless `nulls`
-- says otherwise. Aggregates are a table of their own: min(x) is an aggregate in group, min(a, b) a function
-- everywhere. What they take and give the core's registry knows (moonmill.base.aggregate_registry): their form.
local types = require "moonmill.base.types"

---@class moonmill.Function
---@field name string
---@field group string "number", "choice", "value", "text", "time", "cast", "aggregate"
---@field usage string "round(x, digits)"
---@field help string one line
---@field example string[] { expression, its value }
---@field op string? name of an operation (core/kernels/operations.def) or, for an aggregate, of MM_AGG_*
---@field takes string[]?
---@field gives string?
---@field form string?
---@field nulls string? the null rule where it is not "null where an argument is null"

local functions = { list = {}, scalars = {}, aggregates = {} }

local function add_function(group, usage, help, example, fields)
  fields.group, fields.usage, fields.help, fields.example = group, usage, help, example
  fields.name = usage:match "^[^(]+"
  functions.list[#functions.list + 1] = fields
  functions[group == "aggregate" and "aggregates" or "scalars"][fields.name] = fields
end

local function number(...) add_function("number", ...) end
local function math64(name, help, text, value)
  number(name .. "(x)", help, { name .. "(" .. text .. ")", value },
    { op = name:upper(), takes = { "f64" }, gives = "f64" })
end

number("abs(x)", "absolute value", { "abs(-3)", "3" }, { op = "ABS", takes = { "number" }, gives = "same" })
number("sign(x)", "-1, 0 or 1: the sign of x", { "sign(-2.5)", "-1.0" },
  { op = "SIGN", takes = { "number" }, gives = "same" })
number("min(a, b, ...)", "the smallest of the values", { "min(3, 1, 2)", "1" }, { form = "extreme" })
number("max(a, b, ...)", "the largest of the values", { "max(3, 1, 2)", "3" }, { form = "extreme" })
number("clamp(x, low, high)", "x, limited to the range from low to high", { "clamp(12, 0, 10)", "10" },
  { form = "clamp" })
number("floor(x)", "largest integer not greater than x", { "floor(-2.5)", "-3.0" }, { form = "rounding", op = "FLOOR" })
number("ceil(x)", "smallest integer not less than x", { "ceil(-2.5)", "-2.0" }, { form = "rounding", op = "CEIL" })
number("trunc(x)", "x without its fraction", { "trunc(-2.5)", "-2.0" }, { form = "rounding", op = "TRUNC" })
number("round(x, digits)", "x rounded to decimal digits (default 0), halves away from zero",
  { "round(2.567, 1)", "2.6" },
  { form = "round" })
math64("sqrt", "square root", "2.25", "1.5")
math64("cbrt", "cube root", "8", "2.0")
math64("exp", "e to the power of x", "0", "1.0")
math64("log", "natural logarithm", "1", "0.0")
math64("log2", "base-2 logarithm", "8", "3.0")
math64("log10", "base-10 logarithm", "1000", "3.0")
math64("sin", "sine of an angle in radians", "0", "0.0")
math64("cos", "cosine of an angle in radians", "0", "1.0")
math64("tan", "tangent of an angle in radians", "0", "0.0")
math64("asin", "arc sine, in radians", "0", "0.0")
math64("acos", "arc cosine, in radians", "1", "0.0")
math64("atan", "arc tangent, in radians", "0", "0.0")
number("atan2(y, x)", "angle of the point (x, y), in radians", { "atan2(0, 1)", "0.0" },
  { op = "ATAN2", takes = { "f64", "f64" }, gives = "f64" })
math64("sinh", "hyperbolic sine", "0", "0.0")
math64("cosh", "hyperbolic cosine", "0", "1.0")
math64("tanh", "hyperbolic tangent", "0", "0.0")
number("hypot(x, y)", "length of the vector (x, y)", { "hypot(3, 4)", "5.0" },
  { op = "HYPOT", takes = { "f64", "f64" }, gives = "f64" })
number("pow(x, y)", "x to the power of y; the same as x ^ y", { "pow(2, 10)", "1024.0" },
  { op = "POW", takes = { "f64", "f64" }, gives = "f64" })
number("is_nan(x)", "true if x is NaN", { "is_nan(0.0 / 0.0)", "true" },
  { op = "IS_NAN", takes = { "float" }, gives = "bool" })
number("is_finite(x)", "true if x is neither infinite nor NaN", { "is_finite(1.0 / 0.0)", "false" },
  { op = "IS_FINITE", takes = { "float" }, gives = "bool" })

local function choice(...) add_function("choice", ...) end
choice("if(condition, a, b)", "a if the condition is true, else b", { "if(2 > 1, 'more', 'less')", "'more'" },
  { form = "if", nulls = "null where the chosen value is; a null condition counts as false" })
choice("coalesce(a, b, ...)", "the first value that is not null", { "coalesce(null, 2, 3)", "2" },
  { form = "coalesce", nulls = "null where all values are" })
choice("nullif(a, b)", "null if a equals b, else a", { "nullif(3, 3)", "null" },
  { form = "nullif", nulls = "null where a is, or equals b" })
choice("between(x, low, high)", "true if low <= x and x <= high", { "between(3, 1, 5)", "true" }, { form = "between" })
choice("is_in(x, {a, b, ...})", "true if x is one of the constants", { "is_in('b', {'a', 'b'})", "true" },
  { form = "is_in" })
choice("is_distinct(a, b)", "true if a and b differ; null equals null", { "is_distinct(null, 1)", "true" },
  { form = "is_distinct", nulls = "never null" })

add_function("value", "hash(x)", "u64 hash, the same on every machine: XXH3 of 8 bytes, or of a text",
  { "hash('moonmill') % 10", "6" }, { form = "hash" })

local function text(...) add_function("text", ...) end
text("len(s)", "number of characters", { "len('héllo')", "5" }, { op = "LEN", takes = { "text" }, gives = "i64" })
text("bytes(s)", "number of bytes", { "bytes('héllo')", "6" }, { op = "BYTES", takes = { "bytes" }, gives = "i64" })
text("lower(s)", "s in lower case", { "lower('ABC')", "'abc'" }, { op = "LOWER", takes = { "text" }, gives = "same" })
text("upper(s)", "s in upper case", { "upper('abc')", "'ABC'" },
  { op = "UPPER", takes = { "text" }, gives = "same" })
text("trim(s)", "s without leading and trailing white space", { "trim('  a b ')", "'a b'" },
  { op = "TRIM", takes = { "text" }, gives = "same" })
text("ltrim(s)", "s without leading white space", { "ltrim('  a ')", "'a '" },
  { op = "LTRIM", takes = { "text" }, gives = "same" })
text("rtrim(s)", "s without trailing white space", { "rtrim('  a ')", "'  a'" },
  { op = "RTRIM", takes = { "text" }, gives = "same" })
text("sub(s, first, last)", "characters first to last (default -1); negative positions count from the end",
  { "sub('moonmill', 5, -2)", "'mil'" }, { form = "sub" })
text("starts_with(s, start)", "true if s begins with start", { "starts_with('moonmill', 'moon')", "true" },
  { op = "STARTS_WITH", takes = { "text", "text" }, gives = "bool" })
text("ends_with(s, ending)", "true if s ends with ending", { "ends_with('moonmill', 'mill')", "true" },
  { op = "ENDS_WITH", takes = { "text", "text" }, gives = "bool" })
text("contains(s, part)", "true if part occurs in s", { "contains('moonmill', 'onm')", "true" },
  { op = "CONTAINS", takes = { "text", "text" }, gives = "bool" })
text("find(s, part)", "position of the first occurrence of part, counted from 1", { "find('moonmill', 'mill')", "5" },
  { op = "FIND", takes = { "text", "text" }, gives = "i64", nulls = "null also where part does not occur" })
text("distance(a, b)", "Levenshtein distance: fewest characters to insert, delete or replace to make a into b",
  { "distance('kitten', 'sitting')", "3" }, { op = "DISTANCE", takes = { "text", "text" }, gives = "i64" })
text("replace(s, old, new)", "s with every occurrence of old replaced by new",
  { "replace('a-b-c', '-', '+')", "'a+b+c'" },
  { op = "REPLACE", takes = { "text", "text", "text" }, gives = "same" })
text("reverse(s)", "s with its characters in reverse order", { "reverse('abc')", "'cba'" },
  { op = "REVERSE", takes = { "text" }, gives = "same" })
text("repeat(s, n)", "s repeated n times", { "repeat('ab', 3)", "'ababab'" },
  { op = "REPEAT", takes = { "text", "int" }, gives = "same" })
text("concat(a, b, ...)", "the values joined as text; the same as a .. b", { "concat('a', 'b', 1)", "'ab1'" },
  { form = "concat" })

local function date_part(name, help, kind, example, value)
  add_function("time", name .. "(t)", help, { ("%s(%s)"):format(name, example), value },
    { op = name:upper(), takes = { kind }, gives = "i64" })
end
date_part("year", "year", "moment", 'date("2013-01-05")', "2013")
date_part("month", "month, 1 to 12", "moment", 'date("2013-01-05")', "1")
date_part("day", "day of the month, 1 to 31", "moment", 'date("2013-01-05")', "5")
date_part("hour", "hour, 0 to 23", "clock", 'timestamp("2013-01-05 17:30:15")', "17")
date_part("minute", "minute, 0 to 59", "clock", 'timestamp("2013-01-05 17:30:15")', "30")
date_part("second", "second, 0 to 59", "clock", 'timestamp("2013-01-05 17:30:15")', "15")
date_part("weekday", "day of the week, 1 (Monday) to 7 (Sunday)", "moment", 'date("2013-01-05")', "6")
date_part("yearday", "day of the year, 1 to 366", "moment", 'date("2013-02-01")', "32")
date_part("week", "ISO 8601 week of the year, 1 to 53", "moment", 'date("2013-01-05")', "1")
for _, unit in ipairs { { "days", "48" }, { "hours", "24" }, { "minutes", "60" }, { "seconds", "60" } } do
  local larger = { days = "hours(48)", hours = "days(1)", minutes = "hours(1)", seconds = "minutes(1)" }
  local count = { days = 2, hours = 24, minutes = 60, seconds = 60 }
  add_function("time", unit[1] .. "(n)", "a duration of n " .. unit[1],
    { ("%s(%d) == %s"):format(unit[1], count[unit[1]], larger[unit[1]]), "true" }, { form = "duration" })
end

-- Casts: name -> example.
local casts = {
  { "f32", "a 32-bit float", "f32('1.5')", "1.5" }, { "f64", "a 64-bit float", "f64('1.5')", "1.5" },
  { "bool", "true or false, from text or from a number (true unless zero)", "bool('true')", "true" },
  { "utf8", "the value as text", "utf8(12.5)", "'12.5'" },
    { "binary", "the bytes of a text", "bytes(binary('é'))", "2" },
  { "date", "a date, from text such as 2013-01-05 or from a timestamp", "date('2013-01-05') < date('2013-02-01')",
    "true" },
  { "duration", "a time span, from text such as PT1H30M or from another unit", "duration('PT1H30M') == minutes(90)",
    "true" },
  { "timestamp", "a point in time, from text such as 2013-01-05T10:00:00Z, a date or another unit",
    "year(timestamp('2013-01-05 10:00:00'))", "2013" },
}
for _, name in ipairs { "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64" } do
  casts[#casts + 1] = { name, "an integer; fails if the value does not fit or has a fraction", name .. "('12')",
    "12" }
end
for _, cast in ipairs(casts) do
  local name, help, example, value = cast[1], cast[2], cast[3], cast[4]
  local usage = types[name].time and "(x, unit)" or "(x)"
  local type = types[name]
  add_function("cast", name .. usage, help, { example, value }, { form = "cast", to = name, mode = "check" })
  if name ~= "utf8" and name ~= "binary" then
    add_function("cast", "try." .. name .. usage, name .. "(x), or null where that fails",
      { "try." .. name .. "('?')", "null" },
      { form = "cast", to = name, mode = "try", nulls = "null also where the value does not fit" })
  end
  if type.integer then
    local low, high = types.range(type)
    local shown = tostring(low):gsub("U?LL", "")
    local top = tostring(high):gsub("U?LL", "")
    add_function("cast", "wrap." .. name .. usage, "an integer; only the low bits are kept (modular)",
      { ("wrap.%s(-1)"):format(name), type.signed and "-1" or top },
      { form = "cast", to = name, mode = "wrap" })
    add_function("cast", "sat." .. name .. usage,
      "an integer, limited to the range of the type (saturating)", { ("sat.%s(-1e30)"):format(name), shown },
        { form = "cast", to = name, mode = "sat" })
  end
end

local function aggregate(usage, help, nulls)
  add_function("aggregate", usage, help, { usage, nil },
    { form = "aggregate", op = usage:match("^[^(]+"):upper(), nulls = nulls })
end
local NONE, FEW = "null without values", "null with fewer than two values"
aggregate("count()", "number of rows; count(x): of rows where x is not null", "never null")
aggregate("count_null(x)", "number of rows where x is null", "never null")
aggregate("sum(x)", "sum; exact for integers", "0 without values")
aggregate("mean(x)", "arithmetic mean", NONE)
aggregate("min(x)", "the smallest value", NONE)
aggregate("max(x)", "the largest value", NONE)
aggregate("var(x)", "sample variance (divided by n - 1)", FEW)
aggregate("std(x)", "sample standard deviation (divided by n - 1)", FEW)
aggregate("first(x)", "value in the first row", "nulls count as values")
aggregate("last(x)", "value in the last row", "nulls count as values")
aggregate("median(x)", "the middle value, or the mean of the two middle values", NONE)
aggregate("quantile(x, q)", "the q-quantile, q from 0 to 1, linearly interpolated", NONE)
aggregate("n_unique(x)", "number of distinct values", "never null")
aggregate("any(x)", "true if x is true in any row; false without values", "never null")
aggregate("all(x)", "true if x is true in every row; true without values", "never null")

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
