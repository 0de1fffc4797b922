-- moonmill.rows.vector.branch_merge - one state out of several whose lanes meet at one place, where a branch ends.
--
-- DESIGN. No lane is in two of the states, so each value is a chain of choices between them, last to first. A choice
-- need not ask for the whole mask of a state: what holds for all lanes here, or follows from not having been in an
-- earlier state, is left out, and mostly one comparison remains. Slots that hold something in some of the states only
-- are dead; objects of different kinds make a value that may not be used.
local bit = require "bit"
local states = require "moonmill.rows.vector.state"
local tags = require "moonmill.rows.vector.tags"

local band, bor = bit.band, bit.bor

-- The parts of a conjunction, added to a set.
local function add_parts(mask, set, seen)
  seen = seen or {}
  if seen[mask] then return set end
  seen[mask] = true
  if mask.op == "AND" then
    add_parts(mask.args[1], set, seen)
    add_parts(mask.args[2], set, seen)
  else
    set[mask] = true
  end
  return set
end

-- For each state but the last: what tells its lanes from those of the states behind it.
local function conditions(graph, list, all)
  local known, result = add_parts(all, { [graph.yes] = true }), {}
  for i = 1, #list - 1 do
    local count, rest = 0, nil
    for part in pairs(add_parts(list[i].mask, {})) do
      if not known[part] then count, rest = count + 1, part end
    end
    if count == 1 then known[graph:negate(rest)] = true end
    result[i] = count == 0 and graph.yes or count == 1 and rest or list[i].mask
  end
  return result
end

-- All lanes. Pairs that simplify are joined first.
local function union(graph, list)
  local masks = {}
  for _, state in ipairs(list) do
    local mask, i = state.mask, 1
    while i <= #masks do
      local joined = graph:either(masks[i], mask, true)
      if joined then
        table.remove(masks, i)
        mask, i = joined, 0
      end
      i = i + 1
    end
    masks[#masks + 1] = mask
  end
  local all = masks[1]
  for i = 2, #masks do all = graph:either(all, masks[i]) end
  return all
end

-- Choices among those states for which part(i) is something.
local function chain(graph, chosen, count, part)
  local result
  for i = count, 1, -1 do
    local node = part(i)
    if node and result then
      result = graph:choose(chosen[i], node, result)
    elseif node then
      result = node
    end
  end
  return result
end

local function merge_objects(list)
  local first = list[1]
  for _, value in ipairs(list) do
    if value.object ~= first.object or value.kind ~= first.kind then return { tags = tags.OBJECT, kind = "mixed" } end
  end
  return first
end

-- One value of those in each state.
local function merge_values(values, list, chosen, of)
  local graph = values.graph
  local set, same = 0, true
  for i, value in ipairs(of) do
    set = bor(set, list[i]:tags(value))
    same = same and value == of[1]
  end
  if same then return of[1] end
  if band(set, tags.OBJECT) ~= 0 then return merge_objects(of) end
  local function part(tag, name)
    return band(set, tag) ~= 0 and chain(graph, chosen, #list, function(i)
      return band(list[i]:tags(of[i]), tag) ~= 0 and of[i][name]
    end) or nil
  end
  local number, text = part(tags.NUMBER, "number"), part(tags.TEXT, "text")
  if set == tags.NUMBER then return values:number(number) end
  if set == tags.TEXT then return values:text(text) end
  if set == tags.NIL then return values.none end
  if set == tags.TRUE or set == tags.FALSE then return set == tags.TRUE and values.yes or values.no end
  local result = { tags = set, number = number, text = text, is = {} }
  for _, tag in ipairs(tags.LANES) do
    if band(set, tag) ~= 0 then
      result.is[tag] = chain(graph, chosen, #list, function(i) return list[i]:is(of[i], tag) end)
    end
  end
  return result
end

local function merge_refined(list, result)
  for value in pairs(list[1].refined) do
    local set = 0
    for _, state in ipairs(list) do set = bor(set, state:tags(value)) end
    if set ~= value.tags then result.refined[value] = set end
  end
end

---@param values moonmill.Values
---@param list moonmill.LaneState[] at least one
---@return moonmill.LaneState
local function merge(values, list)
  if #list == 1 then return list[1] end
  local graph = values.graph
  local all = union(graph, list)
  local chosen = conditions(graph, list, all)
  local result = states.new(graph, all, {})
  for slot = 0, table.maxn(list[1].slots) do
    local of, complete = {}, true
    for i, state in ipairs(list) do
      of[i] = state.slots[slot]
      complete = complete and of[i] ~= nil
    end
    if complete then result.slots[slot] = merge_values(values, list, chosen, of) end
  end
  merge_refined(list, result)
  return result
end

return merge
