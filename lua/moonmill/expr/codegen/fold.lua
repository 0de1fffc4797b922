-- moonmill.expr.codegen.fold - the fourth pass: operations on constants become constants, and choices that are known
-- are made.
--
-- A constant is computed by the kernel itself, on one row, so folded and compiled values are the same to the bit. An
-- operation that fails is a mistake in the script where it is surely reached; on a side that may not be taken it stays,
-- to fail where it is. Nothing that can fail is ever dropped, except on a side that is never taken.
local evaluate = require "moonmill.expr.codegen.evaluate"
local node = require "moonmill.expr.typing.node"
local types = require "moonmill.base.types"

local fold

local function is_const(n, value) return n.kind == "const" and n.value == value end

-- Operations whose result is not simply null where an operand is.
local own_nulls = { AND = true, OR = true, SELECT = true, COALESCE = true, IS_NULL = true, IS_NOT_NULL = true,
  IS_TRUE = true, IS_DISTINCT = true }

-- What a call is without computing it, or nil.
local function known_choice(call)
  local op, args = call.op, call.args
  local a, b, c = args[1], args[2], args[3]
  if op == "SELECT" and a.kind == "const" then return a.value and b or c end
  if op == "COALESCE" then
    if not a.nullable then return a end
    if node.is_null(a) then return b end
    if node.is_null(b) then return a end
  elseif op == "AND" then
    if is_const(a, false) or is_const(b, true) then return a end
    if is_const(a, true) then return b end
    if is_const(b, false) and not a.may_fail then return b end
  elseif op == "OR" then
    if is_const(a, true) or is_const(b, false) then return a end
    if is_const(a, false) then return b end
    if is_const(b, true) and not a.may_fail then return b end
  elseif (op == "IS_NULL" or op == "IS_NOT_NULL") and not a.nullable and not a.may_fail then
    return node.const(types.bool, op == "IS_NOT_NULL", call)
  elseif not own_nulls[op] then
    local null, may_fail = false, false
    for _, arg in ipairs(args) do
      null = null or node.is_null(arg)
      may_fail = may_fail or arg.may_fail
    end
    if null and not may_fail then return node.const(call.type, nil, call) end
  end
end

local function all_const(nodes)
  for _, n in ipairs(nodes or {}) do
    if n.kind ~= "const" then return false end
  end
  return true
end

-- Is argument i of a lazy call surely reached when the call is? `first` is its folded first argument.
local function reached(call, i, first)
  if first.kind ~= "const" then return false end
  if call.op == "AND" then return first.value == true or first.null and not call.truth end
  if call.op == "COALESCE" then return first.null end
  return (first.value == true) == (call.op == "SELECT" and i == 2)
end

local function fold_items(call, sure, memo)
  local items = {}
  for i, item in ipairs(call.items) do
    items[i] = fold(item, sure, memo)
    if items[i].kind ~= "const" then node.fail(item, "type", "the list of is_in holds constants only") end
    if items[i].null then node.fail(item, "type", "null is not found by is_in", "write x == null or is_in(x, {…})") end
  end
  return items
end

function fold(n, sure, memo)
  if n.kind ~= "call" then return n end
  local seen = memo[sure][n]
  if seen then return seen end
  local args = {}
  for i, arg in ipairs(n.args) do
    args[i] = fold(arg, sure and (i == 1 or not node.lazy[n.op] or reached(n, i, args[1])), memo)
  end
  local call = node.with_args(n, args)
  if n.items then
    call = node.call(n.op, args, setmetatable({ items = fold_items(n, sure, memo) }, { __index = n }), n)
  end
  local result = known_choice(call)
  if not result and all_const(args) then result = evaluate(call, sure) end
  result = result or call
  memo[sure][n] = result
  return result
end

---@param n table typed node
---@return table node
return function(n) return fold(n, true, { [true] = {}, [false] = {} }) end
