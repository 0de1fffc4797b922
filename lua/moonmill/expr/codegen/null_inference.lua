-- moonmill.expr.codegen.null_inference - which columns cannot be null in the rows where a condition is true: `arr_delay
-- > 60` is true only of known delays, so after such a filter the column needs no further care for nulls.

-- Operations that may be true, or not null, although an operand is null.
local lenient = {
  OR = true, SELECT = true, COALESCE = true, IS_NULL = true, IS_DISTINCT = true, IS_TRUE = true, IS_NOT_NULL = true,
  AND = true,
}

-- Columns that are not null wherever n is not null.
local function known(n, found)
  if n.kind == "column" then
    found[n.name] = true
  elseif n.kind == "call" and not lenient[n.op] then
    for _, arg in ipairs(n.args) do known(arg, found) end
  end
  return found
end

-- Columns that are not null wherever n is true.
local function proven(n, found)
  if n.kind ~= "call" then return known(n, found) end
  if n.op == "AND" then
    proven(n.args[1], found)
    return proven(n.args[2], found)
  end
  if n.op == "IS_TRUE" then return proven(n.args[1], found) end
  return known(n.op == "IS_NOT_NULL" and n.args[1] or n, found)
end

---@param condition table typed node
---@return table<string, true> columns
return function(condition) return proven(condition, {}) end
