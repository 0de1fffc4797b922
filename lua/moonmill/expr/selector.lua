-- moonmill.expr.selector - cols(...): many columns by type and name. Within the brackets: types, groups of types, names
-- in quotes with * and ?, and `and or not`. It is read by the parser of expressions; here its tree becomes a predicate.
local expr = require "moonmill.expr.compiler"
local failure = require "moonmill.base.failure"
local suggest = require "moonmill.base.suggest"
local types = require "moonmill.base.types"

local GROUPS = {
  number = function(type) return type.number end,
  integer = function(type) return type.integer end,
  float = function(type) return type.float end,
}
local KNOWN = { "number", "integer", "float", unpack(types.names) }

---@class moonmill.Selector
---@field text string as written
---@field matches fun(column: { name: string, type: moonmill.Type }): boolean

local function fail_selector(tree, message, hint)
  failure.raise_at({ id = "bad-selector", message = message, hint = hint }, tree.source.origin, tree.source.text,
    tree.at)
end

-- '*_delay' as a Lua pattern.
local function glob(text)
  local pattern = text:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".")
  return "^" .. pattern .. "$"
end

local function by_type(tree)
  local word = tree.name
  if GROUPS[word] then return function(column) return GROUPS[word](column.type) end end
  for _, name in ipairs(types.names) do
    if name == word then return function(column) return column.type.id == word end end
  end
  fail_selector(tree, ("there is no type \"%s\""):format(word),
    suggest.hint(word, KNOWN) or ("names of columns stand in quotes: cols('%s')"):format(word))
end

local function predicate(tree)
  if tree.kind == "column" then
    return by_type(tree)
  elseif tree.kind == "text" then
    local pattern = glob(tree.value)
    return function(column) return column.name:find(pattern) ~= nil end
  elseif tree.kind == "unary" and tree.op == "not" then
    local inner = predicate(tree.a)
    return function(column) return not inner(column) end
  elseif tree.kind == "binary" and (tree.op == "and" or tree.op == "or") then
    local a, b, both = predicate(tree.a), predicate(tree.b), tree.op == "and"
    return function(column)
      if both then return a(column) and b(column) end
      return a(column) or b(column)
    end
  end
  fail_selector(tree, "cols() takes types and names in quotes, joined by and, or, not",
    "for example cols(f64), cols('*_delay'), cols(f64 and not '*_id')")
end

---Does this text begin with a selector?
local function begins(text) return text:find "^%s*cols%s*%(" ~= nil end

---The selector of a tree that the parser of expressions made of cols(...).
---@return moonmill.Selector
local function of_tree(tree)
  if tree.kind ~= "call" or tree.name ~= "cols" then fail_selector(tree, "expected cols(...)") end
  if #tree.args > 1 then
    fail_selector(tree.args[2], "cols() takes one condition", "join conditions with or: cols('a*' or 'b*')")
  end
  local text = tree.source.text:match("^cols%s*%b()", tree.at) or "cols(...)"
  return { text = text, tree = tree, matches = #tree.args == 0 and function() return true end
    or predicate(tree.args[1]) }
end

---Names of the matching columns, in order; none is an error.
---@return string[]
local function names(selector, columns)
  local found = {}
  for _, column in ipairs(columns) do
    if selector.matches(column) then found[#found + 1] = column.name end
  end
  if #found == 0 then
    local all = {}
    for i, column in ipairs(columns) do all[i] = ("%s: %s"):format(column.name, column.type.name) end
    fail_selector(selector.tree, ("no column matches %s"):format(selector.text),
      "the columns here: " .. table.concat(all, ", "))
  end
  return found
end

---The selector of a text.
local function parse(text, origin) return of_tree(expr.parse(text, origin)) end

return { begins = begins, parse = parse, of_tree = of_tree, names = names }
