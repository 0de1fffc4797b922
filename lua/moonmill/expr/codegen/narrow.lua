-- moonmill.expr.codegen.narrow - the fifth pass: the narrowest type that suffices. Comparisons of a narrow column with
-- a constant that fits, or with another narrow column, are done in the narrow type, where a vector register holds more
-- lanes; so are + - * that a wrapping cast follows and that cannot overflow before it. Casts upon casts and casts to
-- the same type go away.
local coerce = require "moonmill.expr.typing.coerce"
local node = require "moonmill.expr.typing.node"
local range = require "moonmill.expr.codegen.range"
local types = require "moonmill.base.types"

local comparisons = { EQ = true, NE = true, LT = true, LE = true, GT = true, GE = true, IS_DISTINCT = true, IN = true }

local function is_plain_cast(n)
  return n.kind == "call" and n.op == "CAST" and n.type == n.on and n.args[1].type == n.on2
end

-- Is n a cast of a narrower number that changes no value? Gives the node below.
local function widened(n)
  if is_plain_cast(n) and n.on.number and n.on2.number and not n.fails then
    local from, to = n.on2, n.on
    local keeps = from.integer and to.integer or from == types.f32 or from.integer and to.float and from.bits < 32
      or from.integer and to == types.f64 and from.bits == 32
    if keeps and n.mode == "check" then return n.args[1] end
  end
end

local modular = { ADD = true, SUB = true, MUL = true }

-- Is n a sum, a difference or a product whose low bits of a type can be had from those of its operands? Not when it
-- is itself modulo fewer bits.
local function is_modular(n, type)
  return n.kind == "call" and modular[n.op] and n.type.bits >= type.bits and range.of(n)
end

-- An integer node modulo 2^bits of a narrow type: the low bits of + - * depend on the low bits of their operands alone.
local function wrapped(n, type)
  if n.kind == "const" then return node.const(type, not n.null and range.wrap(n.value, type) or nil, n) end
  local inner = widened(n)
  if inner and inner.type.integer then return wrapped(inner, type) end
  if n.type == type then return n end
  if is_modular(n, type) then
    return node.call(n.op, { wrapped(n.args[1], type), wrapped(n.args[2], type) },
      { type = type, on = type, safe = true }, n)
  end
  return node.call("CAST", { n }, { type = type, on = type, on2 = n.type, mode = "wrap" }, n)
end

local function narrow_cast(n)
  if not is_plain_cast(n) then return n end
  local x = n.args[1]
  local narrows = n.mode == "wrap" and n.type.integer and n.type.bits < 64
  if narrows and is_modular(x, n.type) then return wrapped(x, n.type) end
  if x.type == n.type then return x end
  local inner = widened(x)
  if inner then -- the value is the same one cast less
    if inner.type == n.type then return inner end
    if n.type.number and (n.mode == "check" or inner.type.integer) then
      return node.call("CAST", { inner }, { type = n.type, on = n.on, on2 = inner.type, mode = n.mode }, n)
    end
  end
  return n
end

-- A constant in a narrower integer type, or nil.
local function constant_in(n, type)
  if n.kind ~= "const" or n.null or not n.type.integer or not types.holds(n.value, type) then return nil end
  return node.const(type, coerce.exact(n.value, type), n)
end

local function narrow_in(n)
  local x = widened(n.args[1])
  if not x or not x.type.integer then return n end
  local items = {}
  for _, item in ipairs(n.items) do
    items[#items + 1] = constant_in(item, x.type) -- values that do not fit are found in no row
  end
  if #items == 0 then return n end
  return node.call("IN", { x }, { type = n.type, items = items }, n)
end

local function narrow_comparison(n)
  if n.op == "IN" then return narrow_in(n) end
  local a, b = n.args[1], n.args[2]
  if a.type ~= b.type then return n end
  local x, y = widened(a), widened(b)
  if x and y and x.type.float == y.type.float then
    local type = coerce.common(x.type, y.type)
    if type and type ~= a.type and (type.integer == x.type.integer) then
      x, y = coerce.cast(x, type), coerce.cast(y, type)
    else
      return n
    end
  elseif x and x.type.integer then
    y = constant_in(b, x.type)
  elseif y and y.type.integer then
    x = constant_in(a, y.type)
  end
  if not (x and y) then return n end
  return node.call(n.op, { x, y }, { type = n.type, on = x.type, on2 = y.type }, n)
end

local function narrow(n, memo)
  if n.kind ~= "call" then return n end
  local seen = memo[n]
  if seen then return seen end
  local args = {}
  for i, arg in ipairs(n.args) do args[i] = narrow(arg, memo) end
  local result = node.with_args(n, args)
  if result.op == "CAST" then
    result = narrow_cast(result)
  elseif comparisons[result.op] then
    result = narrow_comparison(result)
  end
  memo[n] = result
  return result
end

---@param n table typed node
---@return table node
return function(n) return narrow(n, {}) end
