-- moonmill.typed.integers - mm.sat.u8(x), mm.wrap.i16(x) ...: numbers made to fit, as the casts of expressions do.
--
-- DESIGN. A fraction is dropped; then sat takes the nearest bound, wrap the low bits. Values of 64 bits are int64_t and
-- uint64_t, all others Lua numbers; both are taken. Conversions of C do the work: compiled, each is one instruction,
-- and data decides no branch, so that a loop over random values stays one trace.
local ffi = require "ffi"
local fault = require "moonmill.typed.fault"
local native = require "moonmill.base.ffi"
local suggest = require "moonmill.base.suggest"
local types = require "moonmill.base.types"

local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max
local int64, uint64 = ffi.typeof "int64_t", ffi.typeof "uint64_t"

local function bad(call, x)
  fault.raise("bad-value", ("%s: %s is no integer"):format(call, fault.text(x)), "give a finite number", x)
end

-- The whole part of a number modulo 2^64, for numbers that no int64_t holds.
local function rest(call, x)
  if x ~= x or x == math.huge or x == -math.huge then bad(call, x) end
  x = x < 0 and ceil(x) or floor(x)
  local low = math.fmod(x, 2 ^ 64)
  if low < 0 then low = low + 2 ^ 64 end
  return low < 2 ^ 63 and int64(low) or int64(low - 2 ^ 64)
end

local function is_integer(x) return type(x) == "cdata" and (ffi.istype(int64, x) or ffi.istype(uint64, x)) end

-- The int64_t or uint64_t nearest to x within a range of them.
local function clamp(call, x, low, high, signed)
  if is_integer(x) then
    local negative = not ffi.istype(uint64, x) and x < 0
    if negative then return signed and (x < low and low or x) or low end
    return uint64(x) > uint64(high) and high or x
  end
  if type(x) ~= "number" or x ~= x then bad(call, x) end
  if x >= tonumber(high) then return high end
  if x <= tonumber(low) then return low end
  return x < 2 ^ 63 and int64(x) or uint64(int64(x - 2 ^ 63)) + 2ULL ^ 63
end

local WRAP = [[
  if type(x) ~= "number" then
    if not is_integer(x) then bad(call, x) end
    return RESULT(ctype(x))
  end
  if x > -0x1p63 and x < 0x1p63 then return RESULT(ctype(int64(x))) end
  return RESULT(ctype(rest(call, x)))]]
local SAT = [[
  if type(x) ~= "number" then return tonumber(clamp(call, x, low, high, signed)) end
  if x ~= x then bad(call, x) end
  return tonumber(int64(min(max(x, LOW), HIGH)))]]
local SAT_WIDE = "return ctype(clamp(call, x, low, high, signed))"

local SOURCE = [[
local scope, call, ctype, low, high, signed = ...
local type, tonumber, is_integer, bad, rest = scope.type, scope.tonumber, scope.is_integer, scope.bad, scope.rest
local min, max, int64, clamp = scope.min, scope.max, scope.int64, scope.clamp
return function(x)
BODY
end]]

local CHUNK = debug.getinfo(1, "S").source -- a line of what is generated is no line of the script
local scope = {
  type = type, tonumber = tonumber, is_integer = is_integer, bad = bad, rest = rest, min = min, max = max,
  int64 = int64, clamp = clamp,
}

local names = {}

local function define(group, word, kind, body)
  local low, high = types.range(kind)
  local source = SOURCE:gsub("BODY", body):gsub("RESULT", kind.bits == 64 and "" or "tonumber")
    :gsub("LOW", fault.text(tonumber(low))):gsub("HIGH", fault.text(tonumber(high)))
  local ctype = ffi.typeof((kind.signed and "int%d_t" or "uint%d_t"):format(kind.bits))
  local chunk = native.load_chunk(source, CHUNK)
  group[kind.id] = chunk(scope, ("mm.%s.%s"):format(word, kind.id), ctype, ctype(low), ctype(high), kind.signed)
end

-- A table of functions by type that knows what is missing.
local function group_of(word)
  return setmetatable({}, { __index = function(_, name)
    fault.raise("unknown-function", ("there is no mm.%s.%s"):format(word, tostring(name)),
      suggest.hint(tostring(name), names) or ("there are mm.%s.%s"):format(word, table.concat(names, " ")))
  end })
end

local sat, wrap = group_of "sat", group_of "wrap"
for _, name in ipairs(types.numbers) do
  local kind = types[name]
  if kind.integer then
    names[#names + 1] = name
    define(wrap, "wrap", kind, WRAP)
    define(sat, "sat", kind, kind.bits == 64 and SAT_WIDE or SAT)
  end
end

return { sat = sat, wrap = wrap }
