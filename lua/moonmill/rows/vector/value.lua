-- moonmill.rows.vector.value - a Lua value in all lanes at once: kinds it may have, and what it is where it has one.
--
-- DESIGN. `tags` is the set of kinds. A value of several kinds has a mask for each in `is`; `number` and `text` are the
-- nodes that count in the lanes of that kind. What has kind OBJECT is the same in all lanes and known now: the row, the
-- parameters, tables, functions. A state (moonmill.rows.vector.state) may know more of a value than the value itself:
-- behind `if x then`, x is not nil.
local tags = require "moonmill.rows.vector.tags"
local types = require "moonmill.base.types"

---@class moonmill.LaneValue
---@field tags integer
---@field number moonmill.GraphNode?
---@field text moonmill.GraphNode?
---@field is table<integer, moonmill.GraphNode>?
---@field kind "row"|"params"|"table"|"function"|"library"|"builtin"|"mixed"|nil of an object
---@field object any
---@field name string? of an object, for messages
local Values = {}
Values.__index = Values

---@param graph moonmill.Graph
local function new(graph)
  return setmetatable({
    graph = graph, numbers = {}, columns = {}, none = { tags = tags.NIL }, yes = { tags = tags.TRUE },
    no = { tags = tags.FALSE },
  }, Values)
end

---The number of a node, in all lanes.
function Values:number(node)
  local value = self.numbers[node]
  if not value then
    value = { tags = tags.NUMBER, number = node }
    self.numbers[node] = value
  end
  return value
end

function Values:text(node) return { tags = tags.TEXT, text = node } end

---A boolean that is true where the mask is set.
function Values:bool(mask)
  if mask == self.graph.yes then return self.yes end
  if mask == self.graph.no then return self.no end
  return { tags = tags.BOOL, is = { [tags.TRUE] = mask, [tags.FALSE] = self.graph:negate(mask) } }
end

function Values:object(kind, object, name) return { tags = tags.OBJECT, kind = kind, object = object, name = name } end

---A number, text, boolean or nil of Lua; nil for any other kind.
function Values:plain(value)
  local kind = type(value)
  if kind == "number" then return self:number(self.graph:number(value)) end
  if kind == "string" then return self:text(self.graph:text(value)) end
  if kind == "boolean" then return value and self.yes or self.no end
  if kind == "nil" then return self.none end
end

-- What a column of a type holds where it is not null.
local storage = { date = types.i32, timestamp = types.i64, duration = types.i64 }

local function filled(self, field, load)
  local graph = self.graph
  local of = field.type
  if of.text then return { tags = tags.TEXT, text = load } end
  if of == types.bool then
    local yes = graph:is_true(load)
    if not load.nulls then yes = load end
    return { tags = tags.BOOL, is = { [tags.TRUE] = yes, [tags.FALSE] = graph:negate(yes) } }
  end
  if of == types.f64 then return { tags = tags.NUMBER, number = load } end
  local stored = storage[of.id] or of
  if not stored.number then return nil end
  local node = graph:cast(load, types.f64, "wrap")
  local value = { tags = tags.NUMBER, number = node }
  if stored.bits == 64 then value.beyond = graph:negate(graph:compute("LT", graph:compute("ABS", node),
    graph:number(2 ^ 53))) end
  return value
end

---A column of the input; nil when Lua cannot read its type. `beyond` of it are lanes that hold no exact number.
---@param field { name: string, type: moonmill.Type, nullable: boolean, index: integer }
function Values:column(field)
  local value = self.columns[field.name]
  if value or field.type.id == "null" then return value or self.none end
  local graph = self.graph
  local load = graph:load(field.index, field.name, field.type, field.nullable)
  value = filled(self, field, load)
  if value and load.nulls then
    local known = graph:known_in(load)
    local is = value.is or { [value.tags] = known }
    if value.is then is[tags.FALSE] = graph:both(known, is[tags.FALSE]) end
    is[tags.NIL] = graph:negate(known)
    value.is, value.tags = is, value.tags + tags.NIL
  end
  self.columns[field.name] = value
  return value
end

return { new = new }
