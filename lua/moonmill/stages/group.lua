-- group: one row for each key, with aggregates of its rows.
-- DESIGN: arguments that are more than a column are computed before the stage, arithmetic over aggregates after it;
-- both are programs like those of derive. Between them columns have names that no script can write.
local expr = require "moonmill.expr.compiler"
local derive = require "moonmill.stages.derive"
local group_node = require "moonmill.plan.group_node"
local two_phase_group = require "moonmill.plan.two_phase_group"
local selector = require "moonmill.expr.selector"

local group = {
  name = "group", position = 100, reach = "mergeable",
  usage = ':group("key" | { "k", ... } | {}, { "out = aggregate(expression)", ... })',
  help = "one row per key, in order of first appearance, with aggregates of its rows; {} makes one group of all rows",
  example = ':group({ "carrier" }, { "flights = count()", "share = sum(late) / count()" })',
}

-- Keys: columns, selectors, or computed ("month = month(date)").
local function accept_keys(call, list)
  local keys = {}
  for i, item in ipairs(call:texts(list, "keys")) do
    local plain = selector.begins(item.text) or not item.text:find "="
    keys[i] = plain and call:column(item) or derive.assignment(item)
  end
  return keys
end

function group.accept(call, keys, list)
  call:at_most(2)
  if list == nil and keys ~= nil then
    call:fail("bad-argument", "group takes keys and aggregates",
      'to count: :group("key", "n = count()"); to list keys: :distinct')
  end
  local aggregates = {}
  for i, item in ipairs(call:texts(list, "aggregates")) do aggregates[i] = derive.assignment(item) end
  if #aggregates == 0 then
    call:fail("bad-argument", "group computes no aggregate", 'for the keys alone use :select and :distinct')
  end
  return { keys = accept_keys(call, keys), aggregates = aggregates }
end

local function as_items(names, place)
  local items = {}
  for i, name in ipairs(names) do items[i] = { name = name, place = place } end
  return items
end

-- The keys as columns; computed ones are derived.
local function plan_keys(list, draft, claim)
  local keys = {}
  for _, key in ipairs(list) do
    local items = key.tree and as_items(derive.assign(key, draft), key.place) or { key }
    for _, column in ipairs(draft:expand(items)) do
      claim(column.name, key.place)
      keys[#keys + 1] = column
    end
  end
  return keys
end

-- One output for each name: a selector stands for the columns that are not keys.
local function plan_outputs(aggregates, columns)
  local outputs = {}
  for _, aggregate in ipairs(aggregates) do
    local many = type(aggregate.target) == "table"
    for _, name in ipairs(many and selector.names(aggregate.target, columns) or { aggregate.target }) do
      local tree = many and expr.with_it(aggregate.tree, name) or aggregate.tree
      outputs[#outputs + 1] = { name = name, tree = tree, place = aggregate.place, item = aggregate }
    end
  end
  return outputs
end

-- The keys and outputs over the columns of a draft.
local function resolve(arguments, draft)
  local taken, others = {}, {}
  local function claim(name, place)
    if taken[name] then
      draft:fail("duplicate-column", ("group would give two columns called \"%s\""):format(name), nil, place)
    end
    taken[name] = true
  end
  local keys = plan_keys(arguments.keys, draft, claim)
  for _, column in ipairs(draft:columns()) do
    if not taken[column.name] then others[#others + 1] = column end
  end
  local outputs = plan_outputs(arguments.aggregates, others)
  for _, output in ipairs(outputs) do claim(output.name, output.place) end
  return keys, outputs
end

function group.plan(arguments, draft)
  local keys, outputs = resolve(arguments, draft)
  group_node.plan(keys, outputs, draft)
end

function group.plan_partial(arguments, draft)
  local keys, outputs = resolve(arguments, draft)
  two_phase_group.plan_partial(keys, outputs, arguments.aggregates, draft)
end

group.plan_merge = two_phase_group.plan_merge

function group.check_merge(arguments, fail) two_phase_group.check(arguments.aggregates, fail) end

return group
