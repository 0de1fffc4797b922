-- moonmill.plan.two_phase_group - group in two phases: over some of the rows it gives what is known of its aggregates,
-- a column for each; over such results, joined in order, it gives what group gives over all rows.
--
-- DESIGN. Such a column is named after its output: "delay__mean_f64", "flights__count". Where that does not say which
-- aggregate it is, it is numbered through the stage: "share__2_sum_i64". Keys keep their names. So the second half
-- needs nothing but the pipeline and the table.
local expr = require "moonmill.expr.compiler"
local group_node = require "moonmill.plan.group_node"
local nodes = require "moonmill.plan.nodes"
local partial_aggregates = require "moonmill.plan.partial_aggregates"
local registry = require "moonmill.base.aggregate_registry"
local types = require "moonmill.base.types"

---Refuse a group that cannot be merged.
---@param list table[] aggregates that group accepted
---@param fail fun(message: string, hint: string, place: moonmill.Place)
local function check(list, fail)
  for _, item in ipairs(list) do
    if #expr.aggregates(item.tree) == 0 and type(item.target) == "table" then
      fail("a selector without an aggregate cannot be merged", "name the columns", item.place)
    end
  end
end

-- What follows an output's name in the names of its columns: a function of the aggregate's number in the output.
local function prefixes(list)
  local of, first = {}, 1
  for _, item in ipairs(list) do
    local count, start = #expr.aggregates(item.tree), first
    local numbered = count > 1 or type(item.target) == "table"
    of[item] = function(i) return numbered and ("__%d_"):format(start + i - 1) or "__" end
    first = first + count
  end
  return of
end

local ROWS = "rows of the part" -- no script can write that
local HAS_ROWS = expr.parse("it > 0", { file = "", line = 1, column = 1 })

-- Without keys a part without rows is a group too. It has no first row and no last one: leave it out.
local function leave_out_nothing(aggregates, draft)
  draft:builder():filter(expr.with_it(HAS_ROWS, ROWS))
  draft:builder():select(nodes.names(aggregates))
end

---Plan a group over some of the rows onto a draft.
---@param keys moonmill.Column[]
---@param outputs { name: string, tree: table, place: moonmill.Place, item: table }[] item: that of list
---@param list table[] aggregates that group accepted
---@param draft moonmill.Draft
local function plan_partial(keys, outputs, list, draft)
  local scope, aggregates, taken, prefix = draft:scope(), {}, nodes.set_of(nodes.names(keys)), prefixes(list)
  scope.keys = nodes.names(keys)
  local argument, of_row = group_node.arguments(draft), false
  for _, output in ipairs(outputs) do
    for i, found in ipairs((expr.split_aggregates(output.tree, scope))) do
      local kept = partial_aggregates.kept(found)
      local name = output.name .. prefix[output.item](i) .. kept.part
      if taken[name] then
        draft:fail("duplicate-column", ("partial would give two columns called \"%s\""):format(name), nil, output.place)
      end
      taken[name] = true
      of_row = of_row or registry.nulls_of(found.op:lower()) == "of row"
      aggregates[#aggregates + 1] = { name = name, op = kept.op, column = argument(found), type = kept.type,
        nullable = kept.nullable, text = found.key, place = output.place, saves = kept.saves }
    end
  end
  if #keys > 0 or not of_row then return group_node.push(keys, aggregates, draft) end
  local counted = table.move(aggregates, 1, #aggregates, 1, {})
  counted[#counted + 1] = { name = ROWS, op = "COUNT", type = types.i64, nullable = false, text = "count()",
    place = draft.stage.place }
  group_node.push(keys, counted, draft)
  leave_out_nothing(aggregates, draft)
end

-- ---- The second half ----

local Merge = {}
Merge.__index = Merge

function Merge:fail(what, place)
  self.draft:fail("not-partial", "merge takes what partial gives: " .. what,
    "join the results of partial() of the same pipeline, and pass them as they are", place)
end

-- The names that a selector of outputs stood for: those with columns of its first aggregate.
function Merge:selected(item)
  local names, aggregate = {}, expr.aggregates(item.tree)[1].entry.name
  for _, column in ipairs(self.columns) do
    local name, part = column.name:match("^(.+)" .. self.prefix[item](1) .. "([%l%d_]+)$")
    if name and partial_aggregates.keeps(aggregate, part) then names[#names + 1] = name end
  end
  return names
end

-- An output, with what its aggregates are by their text. The columns that keep them are taken.
function Merge:output(name, tree, item)
  local output = { name = name, tree = tree, place = item.place, merged = {} }
  for i, call in ipairs(expr.aggregates(tree)) do
    local start = name .. self.prefix[item](i)
    local merged, missing, misfit = partial_aggregates.merged(call.entry.name,
      function(part) return self.by_name[start .. part] end)
    if not merged then
      self:fail(misfit and ("column \"%s\" is of type %s"):format(misfit.name, misfit.type.name)
        or ("there is no column \"%s\""):format(start .. missing), item.place)
    end
    merged.q = call.entry.name == "quantile" and expr.quantile_share(call.tree, self.draft:scope()) or nil
    output.merged[call.key], self.kept[merged.column] = merged, true
  end
  self.outputs[#self.outputs + 1] = output
end

-- The keys: the columns that keep no aggregate. Without selectors they are known by name.
function Merge:find_keys(list)
  local named, any = {}, false
  for _, key in ipairs(list) do
    local name = key.tree and key.target or key.name
    if type(name) ~= "string" then
      any = true
    elseif not self.by_name[name] or self.kept[name] then
      self:fail(("there is no column \"%s\""):format(name), key.place)
    else
      named[name] = true
    end
  end
  local keys = {}
  for _, column in ipairs(self.columns) do
    if not self.kept[column.name] then
      if not any and not named[column.name] then
        self:fail(("column \"%s\" is not one of its columns"):format(column.name))
      end
      keys[#keys + 1] = column
    end
  end
  return keys
end

---Plan a group over joined results of the first half onto a draft.
---@param arguments { keys: table[], aggregates: table[] } that group accepted
---@param draft moonmill.Draft
local function plan_merge(arguments, draft)
  local self = setmetatable({ draft = draft, columns = draft:columns(), by_name = {}, kept = {}, outputs = {},
    prefix = prefixes(arguments.aggregates) }, Merge)
  for _, column in ipairs(self.columns) do self.by_name[column.name] = column end
  for _, item in ipairs(arguments.aggregates) do
    if type(item.target) == "string" then
      self:output(item.target, item.tree, item)
    else
      for _, name in ipairs(self:selected(item)) do self:output(name, expr.with_it(item.tree, name), item) end
    end
  end
  local keys = self:find_keys(arguments.keys)
  group_node.plan(keys, self.outputs, draft, function(call, output)
    local merged = output.merged[expr.print(call)]
    return { op = merged.op, q = merged.q, column = merged.column, type = merged.type, nullable = merged.nullable,
      loads = merged.loads }
  end)
end

return { check = check, plan_partial = plan_partial, plan_merge = plan_merge }
