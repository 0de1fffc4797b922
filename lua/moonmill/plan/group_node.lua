-- moonmill.plan.group_node - the node of a group stage, and the programs before and after it.
local ffi = require "ffi"
local expr = require "moonmill.expr.compiler"
local native = require "moonmill.base.ffi"
local nodes = require "moonmill.plan.nodes"
local registry = require "moonmill.base.aggregate_registry"
local schemas = require "moonmill.base.schemas"
local types = require "moonmill.base.types"

local C, err = native.C, native.err

local Group = {}
Group.__index = Group

function Group:need(wanted)
  local needed, kept = nodes.set_of(nodes.names(self.keys)), {}
  for _, aggregate in ipairs(self.aggregates) do
    if wanted[aggregate.name] then
      kept[#kept + 1] = aggregate
      if aggregate.column then needed[aggregate.column] = true end
    end
  end
  self.kept = kept
  return needed
end

function Group:make(arriving)
  local keys, key_count = nodes.numbers(arriving, nodes.names(self.keys))
  local number_of = nodes.numbering(arriving)
  local aggregates, leaving = ffi.new("mm_aggregate[?]", math.max(#self.kept, 1)), {}
  for i, key in ipairs(self.keys) do leaving[i] = { name = key.name, type = key.type, nullable = key.nullable } end
  self.places = {}
  for i, aggregate in ipairs(self.kept) do
    local slot = aggregates[i - 1]
    slot.op, slot.q, slot.place = registry.code_of(aggregate.op:lower()), aggregate.q or 0, i - 1
    slot.column = aggregate.column and number_of(aggregate.column) or -1
    if aggregate.saves then slot.flags = C.MM_AGG_SAVES end
    if aggregate.loads then slot.flags, slot.of = C.MM_AGG_LOADS, types.to_c(aggregate.loads) end
    self.places[i - 1] = { origin = aggregate.place, text = aggregate.text, stage = "group" }
    leaving[#leaving + 1] = { name = aggregate.name, type = aggregate.type, nullable = aggregate.nullable }
  end
  local stage = C.mm_stage_group(keys, key_count, aggregates, #self.kept, schemas.to_c(leaving), err)
  return nodes.checked(stage, self.places), leaving
end

function Group:lines()
  local lines = {}
  for i, aggregate in ipairs(self.kept) do
    local name = aggregate.name ~= aggregate.text and aggregate.name .. " = " or ""
    lines[i] = ("%s%s: %s%s"):format(name, aggregate.text, aggregate.type.name, aggregate.nullable and "?" or "")
  end
  return lines
end

---A function that gives the column of an aggregate's argument: itself, or one derived for it; none for count().
---@param draft moonmill.Draft
local function arguments(draft)
  local derived = {}
  return function(item)
    local tree, name = item.arg, "argument of " .. item.key
    if not tree or tree.kind == "column" then return tree and tree.name end
    if not derived[name] then
      draft:builder():derive(name, tree)
      derived[name] = true
    end
    return name
  end
end

---Put the node at the end of a draft.
---@param keys moonmill.Column[]
---@param aggregates { name: string, op: string, q: number?, column: string?, type: moonmill.Type, nullable: boolean,
---text: string, place: moonmill.Place, saves: boolean?, loads: moonmill.Type? }[] saves: the result is its states;
---loads: the column is, of values of this type
---@param draft moonmill.Draft
local function push(keys, aggregates, draft)
  local columns = table.move(keys, 1, #keys, 1, {})
  for _, aggregate in ipairs(aggregates) do
    columns[#columns + 1] = { name = aggregate.name, type = aggregate.type, nullable = aggregate.nullable }
  end
  local text = "group " .. (#keys > 0 and table.concat(nodes.names(keys), ", ") or "all rows")
  draft:push(setmetatable({ label = "group", breaks = true, text = text, keys = keys, aggregates = aggregates,
    columns = columns }, Group))
end

---Plan "keys, outputs" onto a draft.
---@param keys moonmill.Column[]
---@param outputs { name: string, tree: table, place: moonmill.Place }[]
---@param draft moonmill.Draft
---@param describe? fun(call: table, output: table): table what an aggregate call is, when not one over these columns
local function plan(keys, outputs, draft, describe)
  local scope, aggregates, by_key, after, plain = draft:scope(), {}, {}, {}, true
  scope.keys = nodes.names(keys)
  local argument = arguments(draft)
  for i, output in ipairs(outputs) do
    local found, tree = expr.split_aggregates(output.tree, scope, describe and function(call)
      return describe(call, output)
    end)
    local alone = #found == 1 and tree.kind == "column" and tree.name == found[1].key and not by_key[tree.name]
    plain = plain and alone
    after[i] = tree
    for _, item in ipairs(found) do
      if not by_key[item.key] then
        by_key[item.key] = {
          name = item.key, op = item.op, q = item.q, column = item.column or argument(item), type = item.type,
          nullable = item.nullable, text = item.key, place = output.place, loads = item.loads,
        }
        aggregates[#aggregates + 1] = by_key[item.key]
      end
    end
  end
  if plain then -- each output is one aggregate: it gets the output's name at once
    for i, aggregate in ipairs(aggregates) do aggregate.name = outputs[i].name end
  end
  push(keys, aggregates, draft)
  if plain then return end
  local order = nodes.names(keys)
  for i, output in ipairs(outputs) do
    draft:builder():derive(output.name, after[i])
    order[#order + 1] = output.name
  end
  draft:builder():select(order)
end

return { arguments = arguments, push = push, plan = plan }
