-- moonmill.expr.aggregates - takes the aggregate calls out of an expression of group: `sum(a) / sum(b)` becomes two
-- aggregates and the tree of a division over two placeholder columns, which the stage after the group computes.
local check = require "moonmill.expr.typing.checker"
local fold = require "moonmill.expr.codegen.fold"
local catalogue = require "moonmill.functions.catalogue"
local node = require "moonmill.expr.typing.node"
local registry = require "moonmill.base.aggregate_registry"
local print_tree = require "moonmill.expr.syntax.print"
local types = require "moonmill.base.types"

-- Is this call an aggregate? min and max are with one argument only.
local function aggregate_of(tree)
  local entry = tree.kind == "call" and catalogue.aggregates[tree.name]
  if entry and (not catalogue.scalars[tree.name] or #tree.args == 1) then return entry end
end

local function call(name, tree, arg)
  return { kind = "call", name = name, args = { arg }, at = tree.at, source = tree.source, height = arg.height + 1 }
end

-- What an aggregate takes, for a message: it does not take a value.
local function wanted_by(entry)
  if not registry.type_of(entry.name, types.f64) then return "conditions" end
  return registry.type_of(entry.name, types.utf8) and "types that are not only passed through" or "numbers"
end

local function refuse_nested(tree)
  if aggregate_of(tree) then
    node.fail(tree, "aggregate", ("%s stands within another aggregate"):format(tree.name),
      "compute it in a group of its own first")
  end
  for _, child in ipairs { tree.a or false, tree.b or false } do
    if child then refuse_nested(child) end
  end
  for _, child in ipairs(tree.args or tree.items or {}) do refuse_nested(child) end
end

---The share of a call of quantile.
local function quantile_of(tree, scope)
  local q = tree.args[2]
  local n = fold(check.value(q, { columns = {}, order = {}, params = scope.params }))
  local value = n.kind == "const" and n.type.number and tonumber(n.value)
  if not (value and value >= 0 and value <= 1) then -- so that NaN is refused
    node.fail(q, "type", "the share of quantile is a number from 0 to 1", "quantile(x, 0.9)")
  end
  return value
end

local UNTYPED = 'where all is null nobody knows the type: declare it, input = { "x: f64?", ... }'

-- One aggregate call as {op, arg, q, key, type, nullable, at, source}.
local function describe(tree, entry, scope)
  local count, wanted = #tree.args, entry.name == "quantile" and 2 or 1
  if count ~= wanted and not (entry.name == "count" and count == 0) then
    node.fail(tree, "argument-count", ("%s takes %d argument%s, found %d"):format(entry.name, wanted, wanted == 1 and ""
      or "s", count), entry.usage)
  end
  local result = { op = entry.op, key = print_tree(tree), at = tree.at, source = tree.source }
  local arg = tree.args[1]
  if not arg then
    result.type, result.nullable = types.i64, false
    return result
  end
  refuse_nested(arg)
  local n = check.value(arg, scope)
  local gives = registry.type_of(entry.name, n.type)
  if not gives then
    node.fail(arg, "type", ("%s takes %s, found %s"):format(entry.name, wanted_by(entry), n.type.name),
      n.type == types.null and UNTYPED or nil)
  end
  if entry.op == "SUM" and n.type == types.bool then
    arg = call("i64", tree, arg)
    n = check.value(arg, scope)
  end
  result.arg, result.of, result.type = arg, n.type, gives
  result.q = entry.name == "quantile" and quantile_of(tree, scope) or nil
  local keyed, nulls = scope.keys and next(scope.keys) ~= nil, registry.nulls_of(entry.name)
  -- A group with a key has a row at least.
  result.nullable = nulls == "of one" or nulls ~= "never" and (n.nullable or not keyed)
  return result
end

---The aggregates that an expression calls, each once.
---@param tree table
---@return { entry: table, tree: table, key: string }[]
local function list_aggregates(tree)
  local found, seen = {}, {}
  local function walk(n)
    local entry = aggregate_of(n)
    local key = entry and print_tree(n)
    if entry and not seen[key] then
      seen[key] = true
      found[#found + 1] = { entry = entry, tree = n, key = key }
    end
    if entry then return end
    if n.a then walk(n.a) end
    if n.b then walk(n.b) end
    for _, child in ipairs(n.args or n.items or {}) do walk(child) end
  end
  walk(tree)
  return found
end

---Split an expression of group.
---@param tree table
---@param scope table as for expr.check; `keys` (list of names) may stand outside of aggregates
---@param describe_call? function (tree, entry, scope) what an aggregate call is, when not one over the scope's columns
---@return table[] aggregates { op = "SUM", arg = tree?, of = type of arg, q = number?, key = name of the placeholder
---column, type =, nullable =, at =, source = }
---@return table rest tree over the keys and the placeholders
local function split(tree, scope, describe_call)
  describe_call = describe_call or describe
  local found, by_key = {}, {}
  local keys = {}
  for _, key in ipairs(scope.keys or {}) do keys[key] = true end

  local function take(n, entry)
    local aggregate = describe_call(n, entry, scope)
    aggregate.key = aggregate.key or print_tree(n)
    while scope.columns[aggregate.key] do aggregate.key = aggregate.key .. "'" end
    if not by_key[aggregate.key] then
      by_key[aggregate.key] = aggregate
      found[#found + 1] = aggregate
    end
    return { kind = "column", name = aggregate.key, quoted = true, at = n.at, source = n.source, height = 1 }
  end

  local function walk(n)
    local entry = aggregate_of(n)
    if entry then return take(n, entry) end
    if n.kind == "column" and scope.columns[n.name] and not keys[n.name] then
      node.fail(n, "aggregate", ('column "%s" is neither a key nor within an aggregate'):format(n.name),
        ("write first(%s), or make it a key"):format(n.name))
    end
    local copy = {}
    for field, value in pairs(n) do copy[field] = value end
    if n.a then copy.a = walk(n.a) end
    if n.b then copy.b = walk(n.b) end
    for _, field in ipairs { "args", "items" } do
      if n[field] then
        copy[field] = {}
        for i, child in ipairs(n[field]) do copy[field][i] = walk(child) end
      end
    end
    return copy
  end

  local rest = walk(tree)
  return found, rest
end

return { list = list_aggregates, split = split, quantile_share = quantile_of }
