-- moonmill.expr.typing.logic - typing of and, or, not: three-valued logic, and Lua's idioms `x or 0` and `c and a or b`
-- for other types.
local coerce = require "moonmill.expr.typing.coerce"
local forms = require "moonmill.expr.typing.forms"
local node = require "moonmill.expr.typing.node"
local types = require "moonmill.base.types"

local logic = {}

local function boolean(n, tree, what)
  if n.type == types.null then return node.const(types.bool, nil, n) end
  if n.type == types.bool then return n end
  node.fail(tree, "type", ('%s takes conditions, found %s'):format(what, n.type.name),
    what == '"and"' and "write if(c, a, null), or c and a or b" or "compare it with a value, as in x ~= 0 or x ~= null")
end

function logic.conjunction(checker, tree, truth)
  local a, b = checker:check(tree.a, truth), checker:check(tree.b, truth)
  return node.call("AND", { boolean(a, tree, '"and"'), boolean(b, tree, '"and"') },
    { type = types.bool, truth = truth }, tree)
end

-- a or b, where both are checked.
local function alternative(a, b, tree, truth)
  if a.type == types.null then return b end
  if a.type == types.bool and (b.type == types.bool or b.type == types.null) then
    if a.nullable and not truth then
      node.fail(tree, "nullable-or", 'the left side of "or" may be null: Lua would take the right side, SQL gives null',
        "write coalesce(a, false) or b, or if(a, true, b)")
    end
    return node.call("OR", { a, boolean(b, tree, '"or"') }, { type = types.bool, truth = truth }, tree)
  end
  if a.type == types.bool then boolean(b, tree, '"or"') end
  local values, type = coerce.unify({ a, b }, '"or"')
  return node.call("COALESCE", values, { type = type, on = type }, tree)
end

-- A chain a or b or c ..., from the right; an operand `c and v` whose v is no condition makes an if.
function logic.disjunction(checker, tree, truth)
  local links, operands_of = {}, {}
  while tree.kind == "binary" and tree.op == "or" do
    table.insert(links, 1, tree)
    table.insert(operands_of, 1, tree.b)
    tree = tree.a
  end
  table.insert(operands_of, 1, tree)
  local checked, conditions = {}, {}
  for i, operand in ipairs(operands_of) do
    if i < #operands_of and operand.kind == "binary" and operand.op == "and" then
      local value = checker:check(operand.b, truth)
      if value.type == types.bool or value.type == types.null then
        local left = boolean(checker:check(operand.a, truth), operand, '"and"')
        value = node.call("AND", { left, boolean(value, operand, '"and"') }, { type = types.bool, truth = truth },
          operand)
      else
        conditions[i] = checker:condition(operand.a, 'the left side of "and"')
      end
      checked[i] = value
    else
      checked[i] = checker:check(operand, truth)
    end
  end
  local result = checked[#checked]
  for i = #checked - 1, 1, -1 do
    if conditions[i] then
      result = forms.select(conditions[i], checked[i], result, links[i])
    else
      result = alternative(checked[i], result, links[i], truth)
    end
  end
  return result
end

function logic.negation(checker, tree)
  return node.call("NOT", { boolean(checker:check(tree.a), tree, '"not"') }, { type = types.bool }, tree)
end

return logic
