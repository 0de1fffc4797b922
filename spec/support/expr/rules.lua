-- The rules of values, written naively and apart from the kernels: the first of the three oracles. Whole numbers are
-- int64 or uint64 cdata, `null` is null; a failing operation raises {id = ...}.
local ffi = require "ffi"
local null = require("columns").null

local rules = { null = null }

local LEAST = -0x7fffffffffffffffLL - 1
local function fail(id) error({ id = id }, 0) end
local function is_unsigned(x) return ffi.istype("uint64_t", x) end

-- ---- Whole numbers ----

local signed, unsigned = {}, {}
rules.i64, rules.u64 = signed, unsigned

signed["+"] = function(a, b)
  local r = a + b
  if b > 0 and r < a or b < 0 and r > a then fail "overflow" end
  return r
end
signed["-"] = function(a, b)
  local r = a - b
  if b < 0 and r < a or b > 0 and r > a then fail "overflow" end
  return r
end
signed["*"] = function(a, b)
  local r = a * b
  if a == -1 and b == LEAST or b == -1 and a == LEAST or a ~= 0 and a ~= -1 and r / a ~= b then fail "overflow" end
  return r
end
signed["//"] = function(a, b)
  if b == 0 then fail "divide-by-zero" end
  if a == LEAST and b == -1 then fail "overflow" end
  local q = a / b
  return (q * b ~= a and (a < 0) ~= (b < 0)) and q - 1 or q
end
signed["%"] = function(a, b)
  if b == 0 then fail "divide-by-zero" end
  if b == -1 then return 0LL end
  local r = a - a / b * b
  return (r ~= 0 and (r < 0) ~= (b < 0)) and r + b or r
end
unsigned["+"] = function(a, b) return a + b < a and fail "overflow" or a + b end
unsigned["-"] = function(a, b) return b > a and fail "overflow" or a - b end
unsigned["*"] = function(a, b) return a ~= 0 and a * b / a ~= b and fail "overflow" or a * b end
unsigned["//"] = function(a, b) return b == 0 and fail "divide-by-zero" or a / b end
unsigned["%"] = function(a, b) return b == 0 and fail "divide-by-zero" or a - a / b * b end

-- ---- Floats; those of 32 bits are rounded after each operation ----

function rules.f32(x) return tonumber(ffi.cast("float", x)) end

local floats = {}
rules.f64 = floats
floats["+"] = function(a, b) return a + b end
floats["-"] = function(a, b) return a - b end
floats["*"] = function(a, b) return a * b end
floats["/"] = function(a, b) return a / b end
floats["//"] = function(a, b, round) return math.floor(round(a / b)) end
floats["%"] = function(a, b)
  local r = math.fmod(a, b)
  if r == 0 then return 0 end
  return (r < 0) ~= (b < 0) and r + b or r
end

-- ---- Order: exact between all kinds of numbers ----

local function order_integers(a, b)
  if is_unsigned(a) ~= is_unsigned(b) then
    if is_unsigned(a) then return -order_integers(b, a) end
    if a < 0 then return -1 end
    a = ffi.cast("uint64_t", a)
  end
  return a < b and -1 or a > b and 1 or 0
end

---Less -1, equal 0, greater 1; nil when one is NaN.
function rules.order(a, b)
  local x, y = type(a), type(b)
  if x == "cdata" and y == "cdata" then return order_integers(a, b) end
  if x == "number" and y == "cdata" then
    local reversed = rules.order(b, a)
    return reversed and -reversed
  end
  if x == "cdata" then
    if b ~= b then return nil end
    if b >= 2 ^ 64 then return -1 end
    if b < -2 ^ 63 then return 1 end
    local whole = math.floor(b)
    local order = order_integers(a, whole >= 2 ^ 63 and ffi.cast("uint64_t", whole) or ffi.cast("int64_t", whole))
    return order == 0 and whole < b and -1 or order
  end
  if x == "boolean" then a, b = a and 1 or 0, b and 1 or 0 end
  if a < b then return -1 end
  if a > b then return 1 end
  return a == b and 0 or nil
end

function rules.compare(op, a, b)
  if a == null or b == null then return null end
  local order = rules.order(a, b)
  if op == "~=" then return order ~= 0 end
  if not order then return false end
  if op == "==" then return order == 0 end
  if op == "<" then return order < 0 end
  if op == "<=" then return order <= 0 end
  if op == ">" then return order > 0 end
  return order >= 0
end

---The lesser of two, NaN being the greatest and -0 less than +0.
function rules.min(a, b)
  if type(a) == "number" then
    if a ~= a then return b end
    if b ~= b then return a end
    if a == 0 and b == 0 then return 1 / a < 0 and a or b end
  end
  if rules.order(a, b) <= 0 then return a end
  return b
end
function rules.max(a, b)
  if type(a) == "number" then
    if a ~= a or b ~= b then return 0 / 0 end
    if a == 0 and b == 0 then return 1 / a < 0 and b or a end
  end
  if rules.order(a, b) >= 0 then return a end
  return b
end

-- ---- Casts ----

local bits = { i8 = 8, i16 = 16, i32 = 32, i64 = 64, u8 = 8, u16 = 16, u32 = 32, u64 = 64 }
local ctypes = { i8 = "int8_t", i16 = "int16_t", i32 = "int32_t", u8 = "uint8_t", u16 = "uint16_t", u32 = "uint32_t" }

function rules.range(to)
  local n = bits[to]
  if to:sub(1, 1) == "u" then return 0ULL, n == 64 and 0xffffffffffffffffULL or 2ULL ^ n - 1 end
  if n == 64 then return LEAST, 0x7fffffffffffffffLL end
  return -2LL ^ (n - 1), 2LL ^ (n - 1) - 1
end

local function boxed(value, to) return ffi.cast(to:sub(1, 1) == "u" and "uint64_t" or "int64_t", value) end

---A number or bool as an integer type, in a mode: "check", "try", "wrap", "sat".
function rules.integer(x, to, mode)
  if type(x) == "boolean" then x = x and 1LL or 0LL end
  local low, high = rules.range(to)
  local below, above = rules.order(x, low), rules.order(x, high)
  local fraction = type(x) == "number" and x ~= math.floor(x)
  if below and below >= 0 and above <= 0 and not (fraction and (mode == "check" or mode == "try")) then
    return boxed(type(x) == "number" and (x < 0 and math.ceil(x) or math.floor(x)) or x, to)
  end
  if mode == "try" then return null end
  if mode == "check" or not below then fail "bad-cast" end
  if mode == "sat" then return below < 0 and low or high end
  if type(x) == "number" then return nil end -- the low bits of a float: left to the kernels' own specs
  return boxed(ctypes[to] and tonumber(ffi.new(ctypes[to] .. "[1]", ffi.cast(ctypes[to], x))[0]) or x, to)
end

---Text as a whole number, or nil.
function rules.parse_integer(text, to)
  local sign, digits = text:match "^([+-]?)(%d+)$"
  if not digits then return nil end
  local value = 0ULL
  for digit in digits:gmatch "%d" do
    if value > 1000000000000000000ULL then return nil end
    value = value * 10 + tonumber(digit)
  end
  local x = ffi.cast("int64_t", value)
  if sign == "-" then x = -x end
  local low, high = rules.range(to)
  if rules.order(x, low) < 0 or rules.order(x, high) > 0 then return nil end
  return boxed(x, to)
end

-- ---- Text ----

function rules.characters(s)
  local list = {}
  for c in s:gmatch "[%z\1-\127\194-\244][\128-\191]*" do list[#list + 1] = c end
  return list
end

function rules.sub(s, first, last)
  local list = rules.characters(s)
  local n = #list
  first, last = tonumber(first), tonumber(last)
  if first < 0 then first = math.max(n + first + 1, 1) elseif first == 0 then first = 1 end
  if last < 0 then last = n + last + 1 elseif last > n then last = n end
  return first <= last and table.concat(list, "", first, last) or ""
end

function rules.reverse(s)
  local list, out = rules.characters(s), {}
  for i = #list, 1, -1 do out[#out + 1] = list[i] end
  return table.concat(out)
end

---Anything as the specs' columns show it.
function rules.show(value)
  if type(value) == "cdata" then return (tostring(value):gsub("U?LL$", "")) end
  if type(value) ~= "number" then return tostring(value) end
  if value ~= value then return "nan" end
  return ("%.17g"):format(value)
end

return rules
