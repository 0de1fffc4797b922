-- moonmill.expr.typing.explicit_cast - casts that the user asks for: which there are, and the operation for each.
local coerce = require "moonmill.expr.typing.coerce"
local node = require "moonmill.expr.typing.node"
local types = require "moonmill.base.types"

-- The types between which there is a cast.
local function castable(from, to)
  if from == to or to.number and (from.number or from == types.bool) then return true end
  if from == types.utf8 then
    return to.number or to == types.bool or to == types.binary or to == types.date or to.time
  end
  if to == types.utf8 then return true end
  if from.id == "timestamp" then return to == types.date or to.id == "timestamp" or to.integer end
  if from == types.date then return to.id == "timestamp" or to.integer end
  if from.id == "duration" then return to.id == "duration" or to.integer end
  return from.integer and (to == types.date or to.time)
end

-- Dates are counted in i32 and times in i64: casts between them and integers are casts of that integer.
local function storage(type)
  if type == types.date then return types.i32 end
  return type.time and types.i64 or type
end

---A cast that the user asks for.
---@param x table typed node
---@param to moonmill.Type
---@param mode "check"|"try"|"wrap"|"sat"
---@param where table node that messages point at
---@return table typed node
return function(x, to, mode, where)
  if node.is_null(x) then return node.const(to, nil, x) end
  local from = x.type
  if not castable(from, to) and not (from.number and to == types.bool) or (mode == "wrap" or mode == "sat")
    and not from.number then
    node.fail(where, "type", ("%s cannot be cast to %s"):format(from.name, mode == "check" and to.name or mode .. "."
      .. to.name),
      from.id == "duration" and to.float and "divide it by a duration: x / hours(1)" or nil)
  end
  if from == to then return node.settled(x) end
  if from.number and to == types.bool then
    local zero = from.float and node.const(from, 0, where) or node.const(from, from.signed and 0LL or 0ULL, where)
    return node.call("NE", { x, zero }, { type = types.bool, on2 = from }, where)
  end
  if mode == "check" and from.number and to.number and x.literal then return node.settled(coerce.cast(x, to, where)) end
  local on, on2 = to, from
  if to.integer and not from.number and from ~= types.bool and from ~= types.utf8 then on2 = storage(from) end
  if from.integer and not to.number and to ~= types.utf8 then on = storage(to) end
  if on == on2 then -- the same count under another name: adding nothing renames it
    return node.call("ADD", { x, node.const(on, 0LL, where) }, { type = to, on = on, safe = true }, where)
  end
  return node.call("CAST", { x }, { type = to, on = on, on2 = on2, mode = mode }, where)
end
