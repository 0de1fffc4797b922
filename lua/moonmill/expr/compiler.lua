-- moonmill.expr.compiler - the driver of the expression compiler: text -> tree -> typed tree -> vector program.
--
-- DESIGN. One pass per file under moonmill/expr: lex, parse, check (types and nulls), fold (constants), narrow (smaller
-- types, no idle casts), emit (instructions). Trees are never changed: each pass returns a new one. `expr.builder`
-- compiles several expressions, in order, into one program: neighbouring stages fuse.
--
-- A scope is { columns = { name -> {type =, nullable =} }, order = { names... }, params = { name -> {type =, value =} }
-- }, where type is one of moonmill.base.types and the value of a parameter is what `expr.constant` gives (nil: null).
local aggregates = require "moonmill.expr.aggregates"
local builder = require "moonmill.expr.codegen.builder"
local check = require "moonmill.expr.typing.checker"
local fold = require "moonmill.expr.codegen.fold"
local narrow = require "moonmill.expr.codegen.narrow"
local parse = require "moonmill.expr.syntax.parse"

local expr = {}

---Tree of an expression; raises a failure (moonmill.base.failure) on a mistake.
---@param text string
---@param origin table? {file, line, column} of the text's first byte
---@return table tree
expr.parse = parse.expression

---"name = expression": its name and tree. "cols(...) = expression": the tree of the selector (kind "call", name "cols")
---instead of the name. A column's name alone names itself.
---@param text string
---@param origin table?
---@return string|table name
---@return table tree
expr.parse_named = parse.named

---A tree as text, in one spelling.
---@param tree table
---@return string
expr.print = require "moonmill.expr.syntax.print"

-- A copy of a tree in which visit(node) may replace nodes.
local function map(tree, visit)
  local replaced = visit(tree)
  if replaced then return replaced end
  local copy = {}
  for field, value in pairs(tree) do copy[field] = value end
  if tree.a then copy.a = map(tree.a, visit) end
  if tree.b then copy.b = map(tree.b, visit) end
  for _, list in ipairs { "args", "items" } do
    if tree[list] then
      copy[list] = {}
      for i, child in ipairs(tree[list]) do copy[list][i] = map(child, visit) end
    end
  end
  return copy
end

local function names_of(tree, kind)
  local names = {}
  map(tree, function(n)
    if n.kind == kind then names[n.name] = true end
  end)
  return names
end

---Set of the columns that a tree names (`it` included).
---@param tree table
---@return table<string, true>
function expr.columns(tree) return names_of(tree, "column") end

---Set of the parameters that a tree names.
---@param tree table
---@return table<string, true>
function expr.params(tree) return names_of(tree, "param") end

---A copy of a tree in which `it` is a column.
---@param tree table
---@param column string
---@return table tree
function expr.with_it(tree, column)
  return map(tree, function(n)
    if n.kind == "column" and n.name == "it" and not n.quoted then
      return { kind = "column", name = column, quoted = true, at = n.at, source = n.source, height = 1 }
    end
  end)
end

---A tree that is a column, for stages that make expressions of names.
---@param name string
---@param origin table?
---@return table tree
function expr.column(name, origin)
  return { kind = "column", name = name, quoted = true, at = 1, source = { text = name, origin = origin }, height = 1 }
end

---A tree that is a call.
---@param name string
---@param ... table trees
---@return table tree
function expr.call(name, ...)
  local args, height = { ... }, 0
  for _, arg in ipairs(args) do height = math.max(height, arg.height) end
  return { kind = "call", name = name, args = args, at = args[1].at, source = args[1].source, height = height + 1 }
end

---The typed tree of an expression: node.type, node.nullable.
---@param tree table
---@param scope table
---@return table node
function expr.check(tree, scope) return check.value(tree, scope) end

---The typed tree of a condition: bool, where null counts as false.
---@param tree table
---@param scope table
---@return table node
function expr.condition(tree, scope) return check.condition(tree, scope) end

---The value of an expression without columns: a node {type =, value = (nil: null)}, cast to `type` when given. Whole
---numbers are int64 or uint64 cdata, as are dates (days), timestamps and durations (units).
---@param tree table
---@param type moonmill.Type?
---@param params table?
---@return table const
function expr.constant(tree, type, params)
  local scope = { columns = {}, order = {}, params = params or {} }
  local n = type and check.cast(tree, scope, type) or check.value(tree, scope)
  return narrow(fold(n))
end

---Split an expression of group: the aggregates in it, and the rest over placeholder columns named by aggregate.key.
---@param tree table
---@param scope table `scope.keys` lists the keys
---@return table[] aggregates
---@return table rest
expr.split_aggregates = aggregates.split

---The aggregates that an expression calls, each once: { entry =, tree =, key = }.
expr.aggregates = aggregates.list

---The share of a call of quantile, over a scope's parameters.
expr.quantile_share = aggregates.quantile_share

---A builder of one program out of several expressions; see moonmill.expr.codegen.builder.
---@param columns table[] {name =, type =, nullable =} in the order of the input's columns
---@param params table? name -> {type =, value =}
---@param options { place: integer? }?
---@return moonmill.Builder
expr.builder = builder.new

return expr
