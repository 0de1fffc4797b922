-- moonmill.expr.instants - arithmetic of dates, timestamps and durations. They are counts of i64 (dates of i32), so the
-- operations are those of whole numbers, in the finer of two units.
local coerce = require "moonmill.expr.coerce"
local node = require "moonmill.expr.node"
local types = require "moonmill.types"

---@param op string ADD, SUB ...
---@param a table typed node
---@param b table typed node
---@param tree table where the operator stands
---@return table? node nil when neither side is a time
return function(op, a, b, tree)
  local x, y = a.type, b.type
  local function is_moment(t) return t == types.date or t.id == "timestamp" end
  if not (is_moment(x) or is_moment(y) or x.id == "duration" or y.id == "duration") then return nil end
  local function count(of, left, right, type)
    return node.call(of, { left, right }, { type = type, on = types.i64 }, tree)
  end
  local function stamp(n, unit) -- a date or timestamp in a unit
    local zone = n.type.id == "timestamp" and n.type.zone or nil
    return coerce.cast(n, types.make("timestamp", unit, zone), tree)
  end
  local function span(n, unit) return coerce.cast(n, types.make("duration", unit), tree) end
  local function unit_of(n) return n.type.unit or "us" end
  local unit = x.unit and y.unit and types.finer_unit(x.unit, y.unit) or x.unit or y.unit or "us"

  if op == "SUB" and is_moment(x) and is_moment(y) then
    return count(op, stamp(a, unit), stamp(b, unit), types.make("duration", unit))
  end
  if op == "ADD" and x.id == "duration" and is_moment(y) then a, b, x, y = b, a, y, x end
  if (op == "ADD" or op == "SUB") and y.id == "duration" then
    if x == types.date and b.days then
      local days = node.call("CAST", { a }, { type = types.i64, on = types.i64, on2 = types.i32, mode = "check" }, tree)
      local moved = count(op, days, b.days, types.i64)
      return node.call("CAST", { moved }, { type = types.date, on = types.i32, on2 = types.i64, mode = "check" }, tree)
    end
    if is_moment(x) then
      local left = stamp(a, unit)
      return count(op, left, span(b, unit), left.type)
    end
    if x.id == "duration" then return count(op, span(a, unit), span(b, unit), types.make("duration", unit)) end
  end
  if x.id == "duration" and y.id == "duration" then
    a, b = span(a, unit), span(b, unit)
    if op == "FLOORDIV" then return count(op, a, b, types.i64) end
    if op == "MOD" then return count(op, a, b, a.type) end
    if op == "DIV" then
      local function f64(n)
        return node.call("CAST", { n }, { type = types.f64, on = types.f64, on2 = types.i64, mode = "check" }, tree)
      end
      return node.call(op, { f64(a), f64(b) }, {}, tree)
    end
  end
  if op == "MUL" and (x.integer or y.integer) and (x.id == "duration" or y.id == "duration") then
    local n, d = a, b
    if x.id == "duration" then n, d = b, a end
    return count(op, coerce.cast(n, types.i64, tree), d, types.make("duration", unit_of(d)))
  end
  node.fail(tree, "type", ('"%s" has no meaning for %s and %s'):format(tree.op, x.name, y.name),
    (x.number or y.number) and "write days(n), hours(n), minutes(n) or seconds(n) for a number" or nil)
end
