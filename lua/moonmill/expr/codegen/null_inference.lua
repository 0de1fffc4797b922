-- moonmill.expr.codegen.null_inference - columns that cannot be null in rows where a condition is true: `x > 60` is
-- true only of known x, so after such a filter the column needs no further care for nulls.

-- Operations that may be true, or not null, although an operand is null.
local lenient = {
  OR = true, SELECT = true, COALESCE = true, IS_NULL = true, IS_DISTINCT = true, IS_TRUE = true, IS_NOT_NULL = true,
  AND = true,
}

-- Columns that are not null wherever n is not null.
local function add_columns(n, found)
  if n.kind == "column" then
    found[n.name] = true
  elseif n.kind == "call" and not lenient[n.op] then
    for _, arg in ipairs(n.args) do add_columns(arg, found) end
  end
  return found
end

-- Columns that are not null wherever n is true.
local function add_proven(n, found)
  if n.kind ~= "call" then return add_columns(n, found) end
  if n.op == "AND" then
    add_proven(n.args[1], found)
    return add_proven(n.args[2], found)
  end
  if n.op == "IS_TRUE" then return add_proven(n.args[1], found) end
  return add_columns(n.op == "IS_NOT_NULL" and n.args[1] or n, found)
end

---@param condition table typed node
---@return table<string, true> columns
return function(condition) return add_proven(condition, {}) end
