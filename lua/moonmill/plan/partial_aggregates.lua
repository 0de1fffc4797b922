-- moonmill.plan.partial_aggregates - the column in which a group over some of the rows keeps an aggregate, and how such
-- columns are merged.
--
-- DESIGN. Where the result is all there is to know, it is kept: "count", "min". Else the state is, as bytes, and the
-- column's name tells the type under which it was saved: "mean_f64", "sum_duration_ms". So the second half knows the
-- type of its result before it has seen a row; the bytes themselves are checked to be of that type.
local registry = require "moonmill.base.aggregate_registry"
local types = require "moonmill.base.types"

-- A type as the end of a name.
local function ending(type) return type.time and type.id .. "_" .. type.unit or type.id end

-- The types under which states of an aggregate may be saved: a list of { part =, type = }, part being unique.
local state_lists = {}
local function states_of(name)
  if state_lists[name] then return state_lists[name] end
  local list, taken = {}, {}
  local function add(type)
    type = registry.state_type_of(name, type)
    local part = type and name .. "_" .. ending(type)
    if not part or taken[part] then return end
    list[#list + 1] = { part = part, type = type }
    taken[part] = true
  end
  for _, id in ipairs(types.names) do
    for _, unit in ipairs(types[id].time and { "s", "ms", "us", "ns" } or { false }) do
      add(types.make(id, unit or nil))
    end
  end
  state_lists[name] = list
  return list
end

---The column that keeps an aggregate of expr.split_aggregates.
---@return { part: string, op: string, type: moonmill.Type, nullable: boolean, saves: boolean }
local function kept(item)
  local name = item.op:lower()
  -- State columns have no nulls; they are nullable where the result may be null, so that the second half knows.
  local nullable = item.nullable and registry.nulls_of(name) ~= "of one"
  if registry.merge_of(name) then
    return { part = name, op = item.op, type = item.type, nullable = nullable, saves = false }
  end
  local part = name .. "_" .. ending(registry.state_type_of(name, item.of))
  return { part = part, op = item.op, type = types.binary, nullable = nullable, saves = true }
end

local function merged_values(name, find)
  local merge, column = registry.merge_of(name), find(name)
  if not column then return nil, name end
  if registry.type_of(name, column.type) ~= column.type then return nil, name, column end
  return { op = merge:upper(), column = column.name, type = registry.type_of(merge, column.type),
    nullable = column.nullable }
end

local function merged_states(name, find)
  for _, state in ipairs(states_of(name)) do
    local column = find(state.part)
    if column then
      -- Of no rows others may know no type.
      if column.type ~= types.binary and column.type ~= types.null then return nil, state.part, column end
      return { op = name:upper(), column = column.name, type = registry.type_of(name, state.type), loads = state.type,
        nullable = column.nullable or registry.nulls_of(name) == "of one" }
    end
  end
  return nil, name .. "_*"
end

---The aggregate over the column that keeps one: `find(part)` gives that column.
---@param name string of the aggregate
---@return { op: string, column: string, type: moonmill.Type, nullable: boolean, loads: moonmill.Type? }? merged
---@return string? part the missing one
---@return moonmill.Column? column one of another type
local function merged(name, find)
  if registry.merge_of(name) then return merged_values(name, find) end
  return merged_states(name, find)
end

---Does a column of this part keep the aggregate?
---@return boolean
local function keeps(name, part)
  if registry.merge_of(name) then return part == name end
  for _, state in ipairs(states_of(name)) do
    if state.part == part then return true end
  end
  return false
end

return { kept = kept, merged = merged, keeps = keeps }
