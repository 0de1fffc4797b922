-- moonmill.expr.typing.coerce - how types meet: the common type of operands, and how literals adapt to their
-- neighbours.
--
-- Integers of one sign meet in i64 or u64; an unsigned type below 64 bits fits into i64; u64 with a signed type asks
-- for a cast, except in comparisons, which are exact between all numbers. f32 with f32 stays f32, with anything else it
-- becomes f64. A literal takes the type of the other side where it fits, so that `x + 1` has the type that x gives.
local ffi = require "ffi"
local node = require "moonmill.expr.typing.node"
local types = require "moonmill.base.types"

local coerce = {}

local function to_float(value) return tonumber(value) end

-- The integer (int64 or uint64) that a float is, or nil.
local function to_integer(value)
  if value ~= math.floor(value) then return nil end
  if value >= -2 ^ 63 and value < 2 ^ 63 then return ffi.cast("int64_t", value) end
  if value >= 0 and value < 2 ^ 64 then return ffi.cast("uint64_t", value) end
end

local function as_type(value, type)
  return ffi.cast(type.signed and "int64_t" or "uint64_t", value)
end

-- A literal's value in another number type, or nil when it does not have exactly that value there.
local function exact(value, type)
  if type.integer then
    if _G.type(value) == "number" then value = to_integer(value) end
    return value and types.holds(value, type) and as_type(value, type) or nil
  end
  local float = to_float(value)
  if type.bits == 32 then float = tonumber(ffi.cast("float", float)) end
  if _G.type(value) == "number" then
    return (float == value or type.bits == 32 and math.abs(float) ~= math.huge) and float or nil
  end
  local back = to_integer(float)
  return back and types.holds(back, ffi.istype("uint64_t", value) and types.u64 or types.i64) and back == value
    and float or nil
end

coerce.exact = exact

local function is_literal(n) return n.kind == "const" and n.literal and n.type.number end

---A node as another type: nothing to do, a constant converted, or a checked cast.
---@param n table
---@param type moonmill.Type
---@param where table for errors
function coerce.cast(n, type, where)
  if n.type == type then return n end
  if node.is_null(n) then return node.const(type, nil, n) end
  if is_literal(n) and type.number then
    local value = exact(n.value, type)
    if value == nil and type.float then value = to_float(n.value) end
    if value ~= nil then return node.const(type, value, n) end
  end
  return node.call("CAST", { n }, { type = type, on = type, on2 = n.type, mode = "check" }, where or n)
end

local function mixed(a, b, where)
  local u, s = a, b
  if a.type.signed then u, s = b, a end
  node.fail(where, "type", ("u64 and %s have no common integer type"):format(s.type.name),
    ("cast one side: i64(…) or u64(…); %s"):format(u.kind == "column" and ("%s is u64"):format(u.name)
      or "either cast is checked"))
end

---The 64-bit integer type of an integer type's sign.
function coerce.wide(type) return type.signed and types.i64 or types.u64 end
local wide = coerce.wide

local function both_integers(a, b, where)
  if a.type.signed == b.type.signed then return wide(a.type) end
  local u = a.type.signed and b or a
  if u.type.bits < 64 then return types.i64 end
  mixed(a, b, where)
end

---The type in which `+ - * // %` of two number nodes work.
---@return moonmill.Type
function coerce.arithmetic(a, b, where)
  local x, y = a, b
  if a.literal and not b.literal then x, y = b, a end
  if y.literal and not x.literal then -- y adapts to x
    if x.type.float then return x.type end
    if y.type.float then return types.f64 end
    local value = y.kind == "const" and y.value
    if x.type.signed or value and value < 0 and not ffi.istype("uint64_t", value) and x.type.bits < 64 then
      if value and not types.holds(value, types.i64) then mixed(a, b, where) end
      return types.i64
    end
    if value and not types.holds(value, types.u64) then mixed(a, b, where) end
    return types.u64
  end
  if x.type.float or y.type.float then
    return x.type == types.f32 and y.type == types.f32 and types.f32 or types.f64
  end
  if x.literal and y.literal and x.type ~= y.type then -- one of them is beyond i64
    local small = x.type.signed and x or y
    if small.kind == "const" and small.value >= 0 then return types.u64 end
  end
  return both_integers(x, y, where)
end

---The two sides of a comparison of numbers, exact in value.
---@return table a
---@return table b
function coerce.compared_numbers(a, b, where)
  local function side(n, other)
    if not is_literal(n) or other.literal then return nil end
    local target = other.type.integer and wide(other.type) or other.type
    local value = exact(n.value, target)
    return value ~= nil and node.const(target, value, n) or nil
  end
  local left, right = side(a, b), side(b, a)
  if left then return left, coerce.cast(b, left.type, where) end
  if right then return coerce.cast(a, right.type, where), right end
  local x, y = a.type, b.type
  if x == y and (x.float or x.bits == 64) then return a, b end
  local function widen(n, other)
    local t = n.type
    if t.float then return coerce.cast(n, types.f64, where) end
    if other.float and t.bits < 64 and not is_literal(n) then return coerce.cast(n, types.f64, where) end
    if not other.float and t.bits < 64 and other.signed then return coerce.cast(n, types.i64, where) end
    if not other.float and t.signed == other.signed or other.float or t.bits == 64 then
      return coerce.cast(n, wide(t), where)
    end
    return coerce.cast(n, types.i64, where)
  end
  return widen(a, y), widen(b, x)
end

-- Common type of two number types where values keep their type: if, coalesce, min ... nil when there is none.
local function common_number(a, b)
  if a == b then return a end
  if a.float or b.float then return types.f64 end
  if a.signed == b.signed then return a.bits > b.bits and a or b end
  local u, s = a, b
  if a.signed then u, s = b, a end
  if u.bits == 64 then return nil end
  return types.make("i" .. math.max(s.bits, 2 * u.bits))
end

local function common_time(a, b)
  if a.id == b.id and a.time and a.zone == b.zone then
    return types.make(a.id, types.finer_unit(a.unit, b.unit), a.zone)
  end
  if a == types.date and b.id == "timestamp" then return b end
  if b == types.date and a.id == "timestamp" then return a end
end

---Common type of two types, or nil.
---@return moonmill.Type?
function coerce.common(a, b)
  if a == b or b == types.null then return a end
  if a == types.null then return b end
  if a.number and b.number then return common_number(a, b) end
  return common_time(a, b)
end

-- The type of a literal's neighbours after it joined them.
local function adapted(type, n)
  if type.integer and n.type.float then return types.f64 end
  if type.float then return type end
  if n.kind == "const" and types.holds(n.value, type) then return type end
  if n.kind ~= "const" or types.holds(n.value, wide(type)) then return wide(type) end
  return coerce.common(type, n.type)
end

---Nodes in their common type, for if, coalesce, min, max ... Literals adapt to the others.
---@param nodes table[]
---@param what string name of the function, for the error
---@return table[] nodes
---@return moonmill.Type type
function coerce.unify(nodes, what)
  local found
  local function join(n, joined)
    if joined then
      found = joined
      return
    end
    node.fail(n, "type", ("%s has values of types %s and %s"):format(what, found.name, n.type.name),
      n.type == types.utf8 and (found == types.date or found.id == "timestamp") and ('write %s("…")'):format(found.id)
        or "cast one of them, so that all have one type")
  end
  for _, n in ipairs(nodes) do
    if not (n.literal and n.type.number) then
      join(n, found and coerce.common(found, n.type) or not found and n.type)
    end
  end
  local by_others = found and found.number
  for _, n in ipairs(nodes) do
    if n.literal and n.type.number then
      join(n, by_others and adapted(found, n) or not by_others
        and (found and coerce.common(found, n.type) or not found and n.type))
    end
  end
  local cast = {}
  for i, n in ipairs(nodes) do cast[i] = coerce.cast(n, found) end
  return cast, found
end

---The two sides of a comparison in the types that the operation takes.
function coerce.compared(a, b, where)
  if a.type.number and b.type.number then return coerce.compared_numbers(a, b, where) end
  local type = coerce.common(a.type, b.type)
  if type then return coerce.cast(a, type, where), coerce.cast(b, type, where) end
  local hint = "cast one side"
  for _, pair in ipairs { { a, b }, { b, a } } do
    local x, y = pair[1], pair[2]
    if y.type == types.utf8 and (x.type == types.date or x.type.id == "timestamp") then
      hint = ("write %s(%s)"):format(x.type.id, y.kind == "const" and ('"%s"'):format(y.value) or "…")
    elseif y.type == types.utf8 and x.type.number then
      hint = ("write %s(…) to read the text as a number"):format(x.type.name)
    elseif x.type == types.bool and x.kind == "call" and y.type.number then
      hint = "write between(x, low, high) or use and"
    end
  end
  node.fail(where, "type", ("%s and %s cannot be compared"):format(a.type.name, b.type.name), hint)
end

---A comparison of two nodes.
function coerce.comparison(op, a, b, where)
  if a.type == types.null or b.type == types.null then return node.const(types.bool, nil, where) end
  a, b = coerce.compared(a, b, where)
  return node.call(op, { a, b }, { type = types.bool, on2 = b.type }, where)
end

return coerce
