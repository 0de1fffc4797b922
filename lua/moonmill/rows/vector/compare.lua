-- moonmill.rows.vector.compare - == < <= of values in all lanes.
local bit = require "bit"
local tags = require "moonmill.rows.vector.tags"
local types = require "moonmill.base.types"

local band = bit.band
local compare = {}

---The lanes in which a comes before b. Both must be numbers, or both text.
---@param op "LT"|"LE"
function compare.order(trace, op, a, b)
  local state = trace.state
  local common = band(state:tags(a), state:tags(b), tags.NUMBER + tags.TEXT)
  local tag = band(common, tags.NUMBER) ~= 0 and tags.NUMBER or tags.TEXT
  local x, y = trace:need(a, tag, "comparing"), trace:need(b, tag, "comparing")
  return trace.graph:apply(op, tag == tags.NUMBER and types.f64 or types.utf8, x, y)
end

local function equal_objects(trace, a, b)
  local set_a, set_b = trace.state:tags(a), trace.state:tags(b)
  if band(set_a, set_b) == 0 then return trace.graph.no end
  if set_a ~= set_b then trace:reject "it compares a table or function" end
  return a.kind == b.kind and rawequal(a.object, b.object) and trace.graph.yes or trace.graph.no
end

---The lanes in which a == b.
function compare.equal(trace, a, b)
  local graph, state = trace.graph, trace.state
  local set_a, set_b = state:tags(a), state:tags(b)
  if band(set_a, tags.OBJECT) ~= 0 or band(set_b, tags.OBJECT) ~= 0 then return equal_objects(trace, a, b) end
  local result = graph.no
  for _, tag in ipairs(tags.LANES) do
    if band(set_a, set_b, tag) ~= 0 then
      local lanes = graph:both(state:is(a, tag), state:is(b, tag))
      if tag == tags.NUMBER then lanes = graph:both(lanes, graph:compute("EQ", a.number, b.number)) end
      if tag == tags.TEXT then lanes = graph:both(lanes, graph:apply("EQ", types.utf8, a.text, b.text)) end
      result = graph:either(result, lanes)
    end
  end
  return result
end

return compare
