-- moonmill.expr.codegen.builder - compiles expressions, in order, into one vector program over a list of input columns.
local check = require "moonmill.expr.typing.checker"
local emit = require "moonmill.expr.codegen.emit"
local failure = require "moonmill.base.failure"
local fold = require "moonmill.expr.codegen.fold"
local narrow = require "moonmill.expr.codegen.narrow"
local program = require "moonmill.expr.codegen.program"
local null_inference = require "moonmill.expr.codegen.null_inference"
local suggest = require "moonmill.base.suggest"

---@class moonmill.Builder
---@field scope table what expr.check takes: the columns as they are now
local Builder = {}
Builder.__index = Builder

---@param columns table[] {name =, type =, nullable =} in the order of the input's columns
---@param params table? name -> {type =, value =}
---@param options { place: integer? }? place: number of the first place
---@return moonmill.Builder
local function new(columns, params, options)
  local self = setmetatable({
    inputs = columns, emitter = emit.new(options and options.place), registers = {},
    scope = { columns = {}, order = {}, params = params or {} },
  }, Builder)
  for i, column in ipairs(columns) do
    self.scope.columns[column.name] = { type = column.type, nullable = column.nullable or false, input = i }
    self.scope.order[i] = column.name
  end
  self.emitter.bindings = function(name) return self:register(name) end
  return self
end

function Builder:register(name)
  local column = self.scope.columns[name]
  if not column.register then
    column.register = self.emitter:load(column.input, self.inputs[column.input].name, column.type)
  end
  return column.register
end

---Name of the script's stage that the next expressions belong to, for errors at run time.
function Builder:stage(stage)
  self.emitter.stage = stage
  return self
end

local function compiled(n) return narrow(fold(n)) end

---Compute a column. A name that exists is replaced where it stands.
---@param name string
---@param what table tree, or typed node of this scope
---@return table column {type =, nullable =}
function Builder:derive(name, what)
  local n = compiled(what.type and what or check.value(what, self.scope))
  local column = { type = n.type, nullable = n.nullable, register = self.emitter:expression(n) }
  if not self.scope.columns[name] then table.insert(self.scope.order, name) end
  self.scope.columns[name] = column
  return column
end

---Replace a column by its cast to any type.
---@param name string
---@param tree table what is cast
---@param type moonmill.Type
---@param mode string? "check" (default), "try", "wrap", "sat"
function Builder:cast(name, tree, type, mode)
  return self:derive(name, check.cast(tree, self.scope, type, mode))
end

---Keep only rows where a condition is true. Columns that it proves to be known are not nullable from here on.
---@param what table tree, or typed node of this scope
function Builder:filter(what)
  local condition = compiled(what.type and what or check.condition(what, self.scope))
  self.emitter:filter(condition)
  for name in pairs(null_inference(condition)) do
    local column = self.scope.columns[name]
    self.scope.columns[name] = {
      type = column.type, nullable = false, input = column.input, register = column.register,
    }
  end
  return self
end

function Builder:find(name)
  return self.scope.columns[name] or failure.raise {
    id = "unknown-column", message = ('there is no column "%s"'):format(name),
    hint = suggest.hint(name, self.scope.order),
  }
end

function Builder:set_columns(names, columns)
  self.scope.columns, self.scope.order = columns, names
  return self
end

---Keep these columns, in this order.
---@param names string[]
function Builder:select(names)
  local columns, order = {}, {}
  for i, name in ipairs(names) do columns[name], order[i] = self:find(name), name end
  return self:set_columns(order, columns)
end

---Leave out these columns.
---@param names string[]
function Builder:drop(names)
  local gone, kept = {}, {}
  for _, name in ipairs(names) do gone[name] = self:find(name) end
  for _, name in ipairs(self.scope.order) do
    if not gone[name] then kept[#kept + 1] = name end
  end
  return self:select(kept)
end

---Give columns new names, all at once: a and b may change places.
---@param renames table<string, string> old name -> new name
function Builder:rename(renames)
  local columns, order = {}, {}
  for old in pairs(renames) do self:find(old) end
  for i, old in ipairs(self.scope.order) do
    local name = renames[old] or old
    if columns[name] then
      failure.raise { id = "duplicate-column", message = ('there would be two columns "%s"'):format(name) }
    end
    columns[name], order[i] = self.scope.columns[old], name
  end
  return self:set_columns(order, columns)
end

---A column as it is now: {name =, type =, nullable =}, or nil.
---@param name string
function Builder:column(name)
  local column = self.scope.columns[name]
  return column and { name = name, type = column.type, nullable = column.nullable }
end

---The columns as they are now, in order.
function Builder:columns()
  local columns = {}
  for i, name in ipairs(self.scope.order) do columns[i] = self:column(name) end
  return columns
end

---Close the program.
---@param names string[]? columns of the result, default all
---@param options { prune: boolean?, arriving: string[]?, dry: boolean? }? prune: the program's input is `reads` only,
---in that order, instead of all columns; arriving: it is these columns, in this order; dry: make no program
---@return { program: ffi.cdata*?, columns: table[], reads: string[], listing: string, places: table, next_place:
---integer }
function Builder:finish(names, options)
  options = options or {}
  if names then self:select(names) end
  local columns, outputs = self:columns(), {}
  for i, column in ipairs(columns) do outputs[i] = self:register(column.name) end
  local code = self.emitter.code
  local read, reads, inputs, arriving = program.reads(code, outputs), {}, {}, options.arriving and {}
  for i, name in ipairs(options.arriving or {}) do arriving[name] = i - 1 end
  for i, input in ipairs(self.inputs) do
    if read[i] then reads[#reads + 1] = input.name end
    if arriving then
      inputs[i] = arriving[input.name]
    else
      inputs[i] = options.prune and #reads - 1 or i - 1
    end
  end
  local count = options.arriving and #options.arriving or options.prune and #reads or #self.inputs
  return {
    program = not options.dry and program.build(code, outputs, count, inputs) or nil, columns = columns, reads = reads,
    listing = program.listing(code, outputs, self.scope.order), places = self.emitter.places,
    next_place = self.emitter.place,
  }
end

return { new = new }
