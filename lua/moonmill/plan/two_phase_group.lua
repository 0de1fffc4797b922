-- moonmill.plan.two_phase_group - group in two phases: over some of the rows it gives the partial states of its
-- aggregates as columns; over such results, joined in order, it gives what group gives over all rows.
--
-- DESIGN. Such a column is named after its output: "delay__sum", "delay__count". Where that does not say which
-- aggregate it is, it is numbered through the stage: "share__2_sum". Keys keep their names. So the second half needs
-- nothing but the pipeline and the table.
local expr = require "moonmill.expr.compiler"
local group_node = require "moonmill.plan.group_node"
local nodes = require "moonmill.plan.nodes"
local partial_aggregates = require "moonmill.plan.partial_aggregates"

local INSTEAD = {
  FIRST = "distinct keeps the first row of each key and can be merged; so can min and max of a column that orders",
  N_UNIQUE = "distinct on keys and column, then a group with count, can be merged",
}
INSTEAD.LAST = INSTEAD.FIRST
local AT_ONCE = "run the pipeline over all rows at once; count sum mean min max var std any all can be merged"

---Refuse a group that cannot be merged.
---@param list table[] aggregates that group accepted
---@param fail fun(message: string, hint: string, place: moonmill.Place)
local function check(list, fail)
  for _, item in ipairs(list) do
    local calls = expr.aggregates(item.tree)
    for _, call in ipairs(calls) do
      if not partial_aggregates.keeps(call.entry.op) then
        fail(("%s cannot be merged from parts of the rows"):format(call.key), INSTEAD[call.entry.op] or AT_ONCE,
          item.place)
      end
    end
    if #calls == 0 and type(item.target) == "table" then
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

---Plan a group over some of the rows onto a draft.
---@param keys moonmill.Column[]
---@param outputs { name: string, tree: table, place: moonmill.Place, item: table }[] item: that of list
---@param list table[] aggregates that group accepted
---@param draft moonmill.Draft
local function plan_partial(keys, outputs, list, draft)
  local scope, aggregates, taken, prefix = draft:scope(), {}, nodes.set_of(nodes.names(keys)), prefixes(list)
  scope.keys = nodes.names(keys)
  local argument = group_node.arguments(draft)
  for _, output in ipairs(outputs) do
    for i, found in ipairs((expr.split_aggregates(output.tree, scope))) do
      local column = argument(found)
      for _, kept in ipairs(partial_aggregates.apart(found)) do
        local name = output.name .. prefix[output.item](i) .. kept.part
        if taken[name] then
          draft:fail("duplicate-column", ("partial would give two columns called \"%s\""):format(name), nil,
            output.place)
        end
        taken[name] = true
        aggregates[#aggregates + 1] = { name = name, op = kept.op, columns = { column }, type = kept.type,
          nullable = kept.nullable, text = found.key, place = output.place }
      end
    end
  end
  group_node.push(keys, aggregates, draft)
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
  local names, op = {}, expr.aggregates(item.tree)[1].entry.op
  for _, column in ipairs(self.columns) do
    local name, part = column.name:match("^(.+)" .. self.prefix[item](1) .. "([%l_]+)$")
    if name and partial_aggregates.marks(op, part) then names[#names + 1] = name end
  end
  return names
end

-- An output, with what its aggregates are by their text. The columns that keep them are taken.
function Merge:output(name, tree, item)
  local output = { name = name, tree = tree, place = item.place, merged = {} }
  for i, call in ipairs(expr.aggregates(tree)) do
    local start = name .. self.prefix[item](i)
    local merged, missing = partial_aggregates.together(call.entry.op,
      function(part) return self.by_name[start .. part] end)
    if not merged then
      local column = self.by_name[start .. missing]
      self:fail(column and ("column \"%s\" is of type %s"):format(column.name, column.type.name)
        or ("there is no column \"%s\""):format(start .. missing), item.place)
    end
    output.merged[call.key] = merged
    for _, column in ipairs(merged.columns) do
      if not self.kept[column] then self.order[#self.order + 1] = column end
      self.kept[column] = true
    end
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
  local self = setmetatable({ draft = draft, columns = draft:columns(), by_name = {}, kept = {}, order = {},
    outputs = {}, prefix = prefixes(arguments.aggregates) }, Merge)
  for _, column in ipairs(self.columns) do self.by_name[column.name] = column end
  for _, item in ipairs(arguments.aggregates) do
    if type(item.target) == "string" then
      self:output(item.target, item.tree, item)
    else
      for _, name in ipairs(self:selected(item)) do self:output(name, expr.with_it(item.tree, name), item) end
    end
  end
  local keys = self:find_keys(arguments.keys)
  local order = nodes.names(keys)
  for _, name in ipairs(self.order) do order[#order + 1] = name end
  draft:builder():select(order) -- the core wants the parts of an aggregate side by side
  group_node.plan(keys, self.outputs, draft, function(call, output)
    local merged = output.merged[expr.print(call)]
    return { op = merged.op, columns = merged.columns, type = merged.type, nullable = merged.nullable }
  end)
end

return { check = check, plan_partial = plan_partial, plan_merge = plan_merge }
