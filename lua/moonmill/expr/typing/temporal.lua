-- moonmill.expr.typing.temporal - arithmetic of dates, timestamps and durations. They are counts of i64 (dates of i32),
-- so the operations are those of whole numbers, in the finer of two units.
local coerce = require "moonmill.expr.typing.coerce"
local node = require "moonmill.expr.typing.node"
local types = require "moonmill.base.types"

local function is_moment(type) return type == types.date or type.id == "timestamp" end

-- Two counts of one unit, as a value of a type.
local function count(op, a, b, type, tree)
  return node.call(op, { a, b }, { type = type, on = types.i64 }, tree)
end

-- A date or timestamp as a timestamp of a unit.
local function stamp(n, unit, tree)
  return coerce.cast(n, types.make("timestamp", unit, n.type.id == "timestamp" and n.type.zone or nil), tree)
end

local function span(n, unit, tree) return coerce.cast(n, types.make("duration", unit), tree) end

local function checked(n, to, on, on2, tree)
  return node.call("CAST", { n }, { type = to, on = on, on2 = on2, mode = "check" }, tree)
end

-- A date and a number of days: a date.
local function moved_date(op, date, days, tree)
  local moved = count(op, checked(date, types.i64, types.i64, types.i32, tree), days, types.i64, tree)
  return checked(moved, types.date, types.i32, types.i64, tree)
end

-- A moment or a duration, and a duration.
local function moved(op, a, b, unit, tree)
  if a.type == types.date and b.days then return moved_date(op, a, b.days, tree) end
  local left = a.type.id == "duration" and span(a, unit, tree) or stamp(a, unit, tree)
  return count(op, left, span(b, unit, tree), left.type, tree)
end

-- How often a duration goes into another one, and what is left; nil for other operations.
local function divided(op, a, b, tree)
  if op == "FLOORDIV" then return count(op, a, b, types.i64, tree) end
  if op == "MOD" then return count(op, a, b, a.type, tree) end
  if op ~= "DIV" then return nil end
  local function f64(n) return checked(n, types.f64, types.f64, types.i64, tree) end
  return node.call(op, { f64(a), f64(b) }, {}, tree)
end

-- The result of an operation; nil where it has no meaning.
local function combined(op, a, b, tree)
  local x, y = a.type, b.type
  local unit = x.unit and y.unit and types.finer_unit(x.unit, y.unit) or x.unit or y.unit or "us"
  if op == "SUB" and is_moment(x) and is_moment(y) then
    return count(op, stamp(a, unit, tree), stamp(b, unit, tree), types.make("duration", unit), tree)
  elseif op == "ADD" and x.id == "duration" and is_moment(y) then
    return moved(op, b, a, unit, tree)
  elseif (op == "ADD" or op == "SUB") and y.id == "duration" and (is_moment(x) or x.id == "duration") then
    return moved(op, a, b, unit, tree)
  elseif x.id == "duration" and y.id == "duration" then
    return divided(op, span(a, unit, tree), span(b, unit, tree), tree)
  elseif op == "MUL" and x.id == "duration" and y.integer then
    return count(op, coerce.cast(b, types.i64, tree), a, x, tree)
  elseif op == "MUL" and x.integer and y.id == "duration" then
    return count(op, coerce.cast(a, types.i64, tree), b, y, tree)
  end
end

---@param op string ADD, SUB ...
---@param a table typed node
---@param b table typed node
---@param tree table where the operator stands
---@return table? node nil when neither side is a time
return function(op, a, b, tree)
  local x, y = a.type, b.type
  if not (is_moment(x) or is_moment(y) or x.id == "duration" or y.id == "duration") then return nil end
  return combined(op, a, b, tree)
    or node.fail(tree, "type", ('"%s" has no meaning for %s and %s'):format(tree.op, x.name, y.name),
      (x.number or y.number) and "write days(n), hours(n), minutes(n) or seconds(n) for a number" or nil)
end
