-- Random well-typed expressions: each is {text, type, eval}, where eval(row, truth) follows the naive rules. Columns
-- are named like their type; those that hold nulls have an "n" before it.
local rules = require "expr.rules"
local null = rules.null

local random = { derived = {} } -- derived: type -> name of a further column that expressions may use

local function pick(list) return list[math.random(#list)] end
local identity = function(x) return x end

local integers = { "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64" }
local is_integer = {}
for _, name in ipairs(integers) do is_integer[name] = true end
random.types = { "bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "utf8", "date" }

local gen -- gen(type, depth)

local function made(type, eval, format, ...)
  local texts, args = {}, { ... }
  for i, arg in ipairs(args) do texts[i] = arg.text end
  return { type = type, text = format:format(unpack(texts)), eval = eval, args = args, format = format }
end

-- A function that is null where an argument is; all arguments are computed first.
local function strict(type, f, format, ...)
  local args = { ... }
  return made(type, function(row)
    local values, any_null = {}, false
    for i, arg in ipairs(args) do
      values[i] = arg.eval(row)
      any_null = any_null or values[i] == null
    end
    if any_null then return null end
    return f(unpack(values))
  end, format, ...)
end

-- ---- Leaves ----

local words = { "", "a", "moon", "Mill", "héllo", "12", "-7", "300", "x y", " pad ", "banana" }
local whole = { 0LL, 1LL, -1LL, 2LL, 3LL, 7LL, -8LL, 100LL, 127LL, -128LL, 255LL, 65535LL, 2147483647LL,
  9007199254740993LL,
  9223372036854775807LL, -9223372036854775807LL - 1 }
local fractions = { 0, 1, -1, 0.5, -2.5, 3, 100, 1e10, -1e18, 0.1, 9007199254740992, 1 / 0, -1 / 0, 0 / 0, -0.0 }

---A random value of a type, as the rules hold it.
function random.value(type)
  if type == "bool" then return math.random(2) == 1 end
  if type == "utf8" then return pick(words) end
  if type == "f64" then return math.random(3) == 1 and math.random(-1000, 1000) / 8 or pick(fractions) end
  if type == "f32" then return rules.f32(random.value "f64") end
  if type == "date" then return math.random(0, 20000) * 1LL end
  for _ = 1, 20 do
    local x = math.random(3) > 1 and math.random(-130, 300) * 1LL or pick(whole)
    local ok, value = pcall(rules.integer, x, type, "check")
    if ok then return value end
  end
  return rules.integer(1LL, type, "check")
end

---A value as the text of a constant of exactly that type.
function random.constant(type, value)
  if value == null then return type .. "(null)" end
  if type == "utf8" then return '"' .. value .. '"' end
  if type == "bool" then return tostring(value) end
  if type == "date" then return ("date(%s)"):format(rules.show(value)) end
  if type == "f64" or type == "f32" then
    local text = value ~= value and "(0.0 / 0.0)" or value == 1 / 0 and "(1.0 / 0.0)" or value == -1 / 0
      and "(-1.0 / 0.0)"
      or 1 / value == -1 / 0 and "(-0.0)" or ("%.17g"):format(value)
    return ("%s(%s)"):format(type, text)
  end
  return ("%s(%s)"):format(type, rules.show(value))
end

local function leaf(type)
  if math.random(4) == 1 then
    local value = random.value(type)
    return { type = type, text = random.constant(type, value), eval = function() return value end, args = {} }
  end
  local name = (math.random(2) == 1 and "n" or "") .. type
  if random.derived[type] and math.random(2) == 1 then name = random.derived[type] end
  return { type = type, text = name, column = name, eval = function(row) return row[name] end, args = {} }
end

-- ---- Numbers ----

local function some_integer(depth, signs)
  local type = pick(integers)
  while signs and (type:sub(1, 1) == "u") ~= (signs == "u") do type = pick(integers) end
  return gen(type, depth)
end

local function arithmetic(type, depth)
  local op = pick(is_integer[type] and { "+", "-", "*", "//", "%" } or { "+", "-", "*", "/", "//", "%" })
  local a, b
  if type == "i64" then
    a, b = some_integer(depth, "i"), some_integer(depth, "i")
  elseif type == "u64" then
    a, b = some_integer(depth, "u"), some_integer(depth, "u")
  elseif type == "f32" then
    a, b = gen("f32", depth), gen("f32", depth)
  else
    a, b = gen("f64", depth), pick { gen("f64", depth), gen("f32", depth), some_integer(depth) }
  end
  local round = type == "f32" and rules.f32 or identity
  local f = rules[is_integer[type] and type or "f64"][op]
  return strict(type, function(x, y)
    if type == "f64" then x, y = tonumber(x), tonumber(y) end
    return is_integer[type] and f(x, y) or round(f(x, y, round))
  end, "(%s " .. op:gsub("%%", "%%%%") .. " %s)", a, b)
end

local function cast(type, depth)
  local mode = pick { "check", "try", "wrap", "sat" }
  local from = some_integer(depth)
  if mode ~= "wrap" and math.random(4) == 1 then from = gen("f64", depth) end
  return strict(type, function(x)
    return rules.integer(x, type, mode)
  end, (mode == "check" and "" or mode .. ".") .. type .. "(%s)", from)
end

local integer_forms = {
  function(type, depth) return cast(type, depth) end,
  function(type, depth)
    return strict(type, function(s)
      return rules.parse_integer(s, type) or null
    end, "try." .. type .. "(%s)", gen("utf8", depth))
  end,
}
local i64_forms = {
  function(depth) return strict("i64", function(x) return rules.i64["-"](0LL, x) end, "(-%s)",
    gen(pick { "i64", "i8" }, depth)) end,
  function(depth) return strict("i64", function(x) return x < 0 and rules.i64["-"](0LL, x) or x end, "abs(%s)",
    gen(pick { "i64", "i16" }, depth)) end,
  function(depth) return strict("i64", function(s) return #rules.characters(s) * 1LL end, "len(%s)",
    gen("utf8", depth)) end,
  function(depth) return strict("i64", function(d) return os.date("!*t", tonumber(d) * 86400).year * 1LL end,
    "year(%s)", gen("date", depth)) end,
  function(depth) return strict("i64", function(d) return os.date("!*t", tonumber(d) * 86400).month * 1LL end,
    "month(%s)", gen("date", depth)) end,
  function(depth)
    return strict("i64", function(d)
      return (os.date("!*t", tonumber(d) * 86400).wday + 5) % 7 * 1LL + 1
    end, "weekday(%s)", gen("date", depth))
  end,
}
local f64_forms = {
  function(depth) return strict("f64", function(x) return math.sqrt(x) end, "sqrt(%s)", gen("f64", depth)) end,
  function(depth) return strict("f64", function(x) return math.floor(x) end, "floor(%s)", gen("f64", depth)) end,
  function(depth) return strict("f64", function(x, y) return tonumber(x) / tonumber(y) end, "(%s / %s)",
    some_integer(depth), some_integer(depth)) end,
  function(depth) return strict("f64", function(x) return tonumber(x) end, "f64(%s)", some_integer(depth)) end,
  function(depth) return strict("f64", function(x) return -x end, "(-%s)", gen("f64", depth)) end,
}

-- ---- Text ----

local text_forms = {
  function(depth) return strict("utf8", function(a, b) return a .. b end, "(%s .. %s)", gen("utf8", depth),
    gen("utf8", depth)) end,
  function(depth) return strict("utf8", rules.reverse, "reverse(%s)", gen("utf8", depth)) end,
  function(depth) return strict("utf8", function(s) return (s:gsub("%l", string.upper):gsub("é", "É")) end, "upper(%s)",
    gen("utf8", depth)) end,
  function(depth) return strict("utf8", function(s) return s:match "^ *(.-) *$" end, "trim(%s)",
    gen("utf8", depth)) end,
  function(depth)
    return strict("utf8", rules.sub, "sub(%s, %s, %s)", gen("utf8", depth), gen("i8", 0), gen("i8", 0))
  end,
  function(depth) return strict("utf8", function(x) return rules.show(x) end, "utf8(%s)", some_integer(depth)) end,
  function(depth) return strict("utf8", function(s) return (s:gsub("a", "bb")) end, "replace(%s, 'a', 'bb')",
    gen("utf8", depth)) end,
}

-- ---- Conditions ----

local comparable = { "i8", "i32", "i64", "u8", "u64", "f32", "f64" }
local function comparison(depth)
  local op = pick { "==", "~=", "<", "<=", ">", ">=" }
  local a, b
  if math.random(3) == 1 then
    local type = pick { "utf8", "date", "bool" }
    a, b = gen(type, depth), gen(type, depth)
  else
    a, b = gen(pick(comparable), depth), gen(pick(comparable), depth)
  end
  return strict("bool", function(x, y) return rules.compare(op, x, y) end, "(%s " .. op .. " %s)", a, b)
end

local function both(depth)
  local a, b = gen("bool", depth), gen("bool", depth)
  return made("bool", function(row, truth)
    local x = a.eval(row, truth)
    if x == false or truth and x == null then return false end
    local y = b.eval(row, truth)
    if y == false then return false end
    return (x == null or y == null) and null or true
  end, "(%s and %s)", a, b)
end

-- Left of `or` a condition must not be null, but where null counts as false.
local function either(depth, truth_only)
  local a, b = gen("bool", depth), gen("bool", depth)
  local left = truth_only and "%s" or "coalesce(%s, false)"
  return made("bool", function(row, truth)
    if a.eval(row, truth_only) == true then return true end
    return b.eval(row, truth)
  end, "(" .. left .. " or %s)", a, b)
end

local bool_forms = {
  comparison, comparison, both, either,
  function(depth) return strict("bool", function(x) return not x end, "(not %s)", gen("bool", depth)) end,
  function(depth)
    local a = gen(pick(random.types), depth)
    return made("bool", function(row) return a.eval(row) == null end, "(%s == null)", a)
  end,
  function(depth)
    local type = pick(random.types)
    local a, b = gen(type, depth), gen(type, depth)
    return made("bool", function(row)
      local x, y = a.eval(row), b.eval(row)
      if x == null or y == null then return (x == null) ~= (y == null) end
      return rules.order(x, y) ~= 0
    end, "is_distinct(%s, %s)", a, b)
  end,
  function(depth)
    local x, low, high = gen(pick(comparable), depth), gen(pick(comparable), depth), gen(pick(comparable), depth)
    return made("bool", function(row, truth)
      local value = x.eval(row)
      local from = rules.compare(">=", value, low.eval(row))
      if from == false or truth and from == null then return false end
      local to = rules.compare("<=", value, high.eval(row))
      if to == false then return false end
      return (from == null or to == null) and null or true
    end, "between(%s, %s, %s)", x, low, high)
  end,
  function(depth)
    return strict("bool", function(x)
      for _, item in ipairs { 1LL, 3LL, 100LL, 255LL, -8LL } do
        if rules.order(x, item) == 0 then return true end
      end
      return false
    end, "is_in(%s, {1, 3, 100, 255, -8})", some_integer(depth))
  end,
  function(depth) return strict("bool", function(s) return s:sub(1, 1) == "m" end, "starts_with(%s, 'm')",
    gen("utf8", depth)) end,
  function(depth) return strict("bool", function(s) return s:find("an", 1, true) ~= nil end, "contains(%s, 'an')",
    gen("utf8", depth)) end,
}

-- ---- Choices, of any type ----

-- A condition whose null counts as false.
local function condition(depth) return math.random(4) == 1 and either(depth, true) or gen("bool", depth) end

local choices = {
  function(type, depth)
    local c, a, b = condition(depth), gen(type, depth), gen(type, depth)
    return made(type, function(row)
      if c.eval(row, true) == true then return a.eval(row) end
      return b.eval(row)
    end, "if(%s, %s, %s)", c, a, b)
  end,
  function(type, depth)
    local a, b = gen(type, depth), gen(type, depth)
    return made(type, function(row)
      local x = a.eval(row)
      if x ~= null then return x end
      return b.eval(row)
    end, "coalesce(%s, %s)", a, b)
  end,
  function(type, depth)
    local a, b = gen(type, depth), gen(type, depth)
    return made(type, function(row)
      local x, y = a.eval(row), b.eval(row)
      if rules.compare("==", x, y) == true then return null end
      return x
    end, "nullif(%s, %s)", a, b)
  end,
  function(type, depth)
    local op = pick { "min", "max" }
    return strict(type, rules[op], op .. "(%s, %s)", gen(type, depth), gen(type, depth))
  end,
}

function gen(type, depth)
  if depth <= 0 or math.random(6) == 1 then return leaf(type) end
  depth = depth - 1
  if math.random(4) == 1 then return pick(choices)(type, depth) end
  if type == "bool" then return pick(bool_forms)(depth) end
  if type == "utf8" then return pick(text_forms)(depth) end
  if type == "f32" then return arithmetic("f32", depth) end
  if type == "f64" then return math.random(2) == 1 and arithmetic("f64", depth) or pick(f64_forms)(depth) end
  if type == "i64" or type == "u64" then
    local roll = math.random(4)
    if roll <= 2 then return arithmetic(type, depth) end
    if roll == 3 and type == "i64" then return pick(i64_forms)(depth) end
  end
  if is_integer[type] then return pick(integer_forms)(type, depth) end
  return leaf(type)
end

---A random expression of a type.
---@param type string
---@param depth integer
---@return { text: string, type: string, eval: fun(row: table, truth: boolean?): any }
function random.expression(type, depth) return gen(type, depth) end

---Sums, differences and products of whole numbers, wrapped and wrapped again.
---@param type string of a whole number
---@param depth integer
function random.wraps(type, depth)
  if depth <= 0 then return leaf(type) end
  local wide, parts = pick { "i64", "u64" }, {}
  for i = 1, 2 do
    local part = pick(integers)
    while part:sub(1, 1) ~= wide:sub(1, 1) do part = pick(integers) end
    parts[i] = random.wraps(part, depth - math.random(2))
  end
  local op = pick { "+", "-", "*" }
  local inner = strict(wide, rules[wide][op], "(%s " .. op .. " %s)", parts[1], parts[2])
  return strict(type, function(x) return rules.integer(x, type, "wrap") end, "wrap." .. type .. "(%s)", inner)
end

---The text of an expression with the values of a row instead of its columns.
function random.with_constants(e, row)
  if e.column then return random.constant(e.type, row[e.column]) end
  if not e.format then return e.text end
  local texts = {}
  for i, arg in ipairs(e.args) do texts[i] = random.with_constants(arg, row) end
  return e.format:format(unpack(texts))
end

---A condition for where.
function random.condition(depth) return condition(depth) end

return random
