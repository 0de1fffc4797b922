-- moonmill.pipeline.two_phase - a pipeline in two phases, for data that exceeds one machine: the first runs over each
-- part of the rows, the other over the joined results, and gives what the pipeline gives over all rows.
--
-- DESIGN. A half is a pipeline: its stages are those of the whole up to the first that looks beyond a row, which plans
-- itself for a part; or that stage, planned for the joined results, and all that follow it.
local failure = require "moonmill.base.failure"
local with_stages = require("moonmill.pipeline.pipeline").with_stages

---How far a pipeline looks: the furthest of its stages; a first half gives the same however the rows are divided.
---@param pipeline moonmill.Pipeline
---@return "rows"|"mergeable"|"global"
local function reach(pipeline)
  if pipeline.half == "partial" then return "rows" end
  local furthest = "rows"
  for _, stage in ipairs(pipeline.stages) do
    local here = stage.entry.reach
    if here == "global" or furthest == "rows" then furthest = here end
  end
  return pipeline.half == "merge" and furthest ~= "rows" and "global" or furthest
end

local function fail_stage(stage, message, hint, place)
  place = place or stage.place
  failure.raise {
    id = "not-mergeable", message = message, hint = hint, file = place.file, line = place.line, column = place.column,
    stage = stage.entry.name,
  }
end

-- The number of the first stage that looks beyond a row; refused when its results cannot be merged.
local function first_beyond(pipeline)
  for i, stage in ipairs(pipeline.stages) do
    local entry = stage.entry
    if entry.reach == "global" then
      fail_stage(stage, ("%s needs all rows at once and cannot be merged"):format(entry.name),
        "run the pipeline over all rows at once, or put a stage that can be merged before it")
    elseif entry.reach == "mergeable" then
      if entry.check_merge then
        entry.check_merge(stage.arguments, function(...) fail_stage(stage, ...) end)
      end
      return i
    end
  end
end

-- A stage that plans itself in another way.
local function planned(stage, plan)
  local entry = setmetatable({ plan = plan }, { __index = stage.entry })
  return { entry = entry, place = stage.place, arguments = stage.arguments }
end

local function half(pipeline, name, stages, input)
  if pipeline.half then
    failure.raise { id = "not-mergeable", message = ("%s of what is one half already"):format(name),
      hint = "take both halves of the same pipeline" }
  end
  local copy = with_stages(pipeline, stages)
  rawset(copy, "half", name)
  rawset(copy, "input", input)
  return copy
end

-- First rows in an order: a part's own first rows are all that can matter of it.
local function takes_first(pipeline, i)
  local sorted, limit = pipeline.stages[i], pipeline.stages[i + 1]
  local plain = limit and limit.entry.name == "limit" and #limit.arguments.by == 0 and #limit.arguments.order == 0
  return sorted.entry.name == "sort" and plain
end

---The half for a part of the rows.
---@param pipeline moonmill.Pipeline
---@return moonmill.Pipeline
local function partial(pipeline)
  local at = first_beyond(pipeline)
  local stages = table.move(pipeline.stages, 1, at or #pipeline.stages, 1, {})
  if at and takes_first(pipeline, at) then
    stages[at + 1] = pipeline.stages[at + 1]
  elseif at then
    local stage = stages[at]
    stages[at] = planned(stage, stage.entry.plan_partial or stage.entry.plan)
  end
  return half(pipeline, "partial", stages, pipeline.input)
end

---The half for the joined results; it reads what they hold.
---@param pipeline moonmill.Pipeline
---@return moonmill.Pipeline
local function merge(pipeline)
  local at = first_beyond(pipeline)
  local stages = at and table.move(pipeline.stages, at, #pipeline.stages, 1, {}) or {}
  if at then stages[1] = planned(stages[1], stages[1].entry.plan_merge or stages[1].entry.plan) end
  return half(pipeline, "merge", stages, false)
end

return { reach = reach, partial = partial, merge = merge }
