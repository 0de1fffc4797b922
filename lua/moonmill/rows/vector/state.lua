-- moonmill.rows.vector.state - what is known at one place of a function: the lanes that come there, the values in its
-- slots, and what the way there says about them.
local bit = require "bit"
local tags = require "moonmill.rows.vector.tags"

local band = bit.band

---@class moonmill.LaneState
---@field graph moonmill.Graph
---@field mask moonmill.GraphNode lanes that come here
---@field slots table<integer, moonmill.LaneValue>
---@field refined table<moonmill.LaneValue, integer> kinds that a value still may have here
local State = {}
State.__index = State

local function copied(t)
  local copy = {}
  for key, value in pairs(t) do copy[key] = value end
  return copy
end

---@return moonmill.LaneState
local function new(graph, mask, slots, refined)
  return setmetatable({ graph = graph, mask = mask, slots = slots, refined = refined or {} }, State)
end

---The same values in other lanes.
function State:copy(mask) return new(self.graph, mask, copied(self.slots), copied(self.refined)) end

---The kinds that a value may have here.
function State:tags(value) return self.refined[value] or value.tags end

---From here on, a value has one of these kinds only. False when it cannot.
function State:refine(value, set)
  local left = band(self:tags(value), set)
  if left ~= value.tags then self.refined[value] = left end
  return left ~= 0
end

---The lanes in which a value is of a kind.
function State:is(value, tag)
  local set = self:tags(value)
  if set == tag then return self.graph.yes end
  if band(set, tag) == 0 then return self.graph.no end
  return value.is[tag]
end

---The lanes in which a value is neither nil nor false.
function State:truth(value)
  local set = self:tags(value)
  if band(set, tags.FALSY) == 0 then return self.graph.yes end
  if band(set, tags.ANY - tags.FALSY) == 0 then return self.graph.no end
  if band(set, tags.ANY - tags.FALSY - tags.TRUE) == 0 then return self:is(value, tags.TRUE) end
  return self.graph:negate(self.graph:either(self:is(value, tags.NIL), self:is(value, tags.FALSE)))
end

return { new = new }
