-- moonmill.expr.codegen.range - bounds of the values of an integer expression, from the types of its columns.
local ffi = require "ffi"

local range = {}

local EXACT = 2 ^ 53 -- bounds are plain numbers, and exact up to here

local function of_type(type)
  if not type.integer or type.bits > 32 then return nil end
  if type.signed then return -2 ^ (type.bits - 1), 2 ^ (type.bits - 1) - 1 end
  return 0, 2 ^ type.bits - 1
end

local corners = {
  ADD = function(a, b, c, d) return a + c, b + d end,
  SUB = function(a, b, c, d) return a - d, b - c end,
  MUL = function(a, b, c, d)
    local w, x, y, z = a * c, a * d, b * c, b * d
    return math.min(w, x, y, z), math.max(w, x, y, z)
  end,
}

---The least and the greatest value that an integer node may have; nil when that is not known, or the operation might
---overflow.
---@param n table typed node
---@return number? low
---@return number? high
function range.of(n)
  if not n.type.integer then return nil end
  if n.kind == "const" then
    if n.null then return nil end
    local value = tonumber(n.value)
    if math.abs(value) >= EXACT then return nil end
    return value, value
  end
  if n.kind == "call" and n.op == "CAST" and n.mode == "check" and n.on2 and n.on2.integer and not n.fails then
    return range.of(n.args[1])
  end
  if n.kind == "call" and corners[n.op] and n.type.bits == 64 then
    local a, b = range.of(n.args[1])
    local c, d = range.of(n.args[2])
    if not a or not c then return nil end
    local low, high = corners[n.op](a, b, c, d)
    if low > -EXACT and high < EXACT and (low >= 0 or n.type.signed) then return low, high end
    return nil
  end
  return of_type(n.type)
end

---A value modulo 2^bits of a narrow integer type, as a constant of that type is kept.
---@param value any int64, uint64 or a whole number
---@param type moonmill.Type
function range.wrap(value, type)
  local held = ffi.new((type.signed and "int%d_t[1]" or "uint%d_t[1]"):format(type.bits))
  local wide = ffi.istype("uint64_t", value) and value or ffi.cast("uint64_t", ffi.cast("int64_t", value))
  ffi.copy(held, ffi.new("uint64_t[1]", wide), type.bits / 8) -- the low bytes
  return ffi.cast(type.signed and "int64_t" or "uint64_t", held[0])
end

return range
