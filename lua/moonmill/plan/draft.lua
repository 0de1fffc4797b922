-- moonmill.plan.draft - a plan under construction: the columns that the next stage sees, and the nodes so far.
local expr = require "moonmill.expr.compiler"
local failure = require "moonmill.base.failure"
local nodes = require "moonmill.plan.nodes"
local selector = require "moonmill.expr.selector"
local suggest = require "moonmill.base.suggest"

---@class moonmill.Draft
---@field params table values of the parameters
---@field modules moonmill.Modules|false of the script
local Draft = {}
Draft.__index = Draft

---@param columns moonmill.Column[]
---@param params table
---@param modules? moonmill.Modules|false
function Draft.new(columns, params, modules)
  return setmetatable({ params = params, modules = modules or false, nodes = {}, _columns = columns, _open = false,
    _indexed = false, _by_name = {}, stage = false }, Draft)
end

---The columns at this point, in order.
---@return moonmill.Column[]
function Draft:columns()
  if self._open then return self._open.builder:columns() end
  return self._columns
end

---Let a stage of the pipeline plan itself.
function Draft:add(stage)
  self.stage = stage
  stage.entry.plan(stage.arguments, self)
end

---Raise a usage error of the stage that plans itself.
function Draft:fail(id, message, hint, place)
  place = place or self.stage.place
  failure.raise {
    id = id, message = message, hint = hint, file = place.file, line = place.line, column = place.column,
    stage = self.stage.entry.name,
  }
end

---The program that takes expressions; it goes on until another node comes.
function Draft:builder()
  if not self._open then
    self._open = nodes.program(expr.builder(self._columns, self.params))
    self._open.place = self.stage.place
  end
  local stages = self._open.stages
  if stages[#stages] ~= self.stage then stages[#stages + 1] = self.stage end
  self._open.builder:stage(self.stage.entry.name)
  return self._open.builder
end

---What the checker of expressions knows here.
function Draft:scope()
  local columns = self:columns()
  local scope = { columns = {}, order = nodes.names(columns), params = self.params }
  for _, column in ipairs(columns) do
    scope.columns[column.name] = { type = column.type, nullable = column.nullable }
  end
  return scope
end

---End the program, if one is open.
function Draft:close()
  local open = self._open
  if not open then return end
  open.columns = open.builder:columns()
  self.nodes[#self.nodes + 1] = open
  self._columns, self._open = open.columns, false
end

---Put a node at the end.
function Draft:push(node)
  self:close()
  node.columns = node.columns or self._columns
  node.place, node.stage = self.stage.place, self.stage
  self.nodes[#self.nodes + 1] = node
  self._columns = node.columns
end

-- The column of a name, or nil.
function Draft:find(name)
  if self._open then return self._open.builder:column(name) end
  if self._indexed ~= self._columns then
    self._by_name, self._indexed = {}, self._columns
    for _, column in ipairs(self._columns) do self._by_name[column.name] = column end
  end
  return self._by_name[name]
end

---The column of a name.
---@return moonmill.Column
function Draft:column(name, place)
  local column = self:find(name)
  if column then return column end
  local names = nodes.names(self:columns())
  local hint = suggest.hint(name, names)
  if not hint and name:find "[%+%*/%(]" then hint = ("to compute a column write \"name = %s\""):format(name) end
  self:fail("unknown-column", ("there is no column \"%s\" here"):format(name),
    hint or "the columns here: " .. table.concat(names, ", "), place)
end

---The columns of a list of names and selectors.
---@return moonmill.Column[]
function Draft:expand(items)
  local found = {}
  for _, item in ipairs(items) do
    local names = item.selector and selector.names(item.selector, self:columns()) or { item.name }
    for _, name in ipairs(names) do found[#found + 1] = self:column(name, item.place) end
  end
  return found
end

---All columns, as a list for expand.
function Draft:every()
  local items = {}
  for i, column in ipairs(self:columns()) do items[i] = { name = column.name } end
  return items
end

---@return moonmill.Node[]
---@return moonmill.Column[] of the result
function Draft:finish()
  self:close()
  return self.nodes, self._columns
end

return Draft
