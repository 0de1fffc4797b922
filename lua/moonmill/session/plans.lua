-- moonmill.session.plans - pipelines bound to columns and parameters: plans of the core, and what failures of their
-- jobs mean in the script.
local bit = require "bit"
local ffi = require "ffi"
local handles = require "moonmill.session.handles"
local failure = require "moonmill.base.failure"
local input = require "moonmill.pipeline.input"
local native = require "moonmill.base.ffi"
local params = require "moonmill.pipeline.params"
local plan = require "moonmill.plan.plan"
local schemas = require "moonmill.base.schemas"

local C, err = native.C, native.err
local plans = {}
local kept, last = {}, 0 -- by number: the plan of the language, and the step of each of its stages

-- A column of a type that we do not compute with can only pass where no row is dropped or moved.
local function check_opaque(bound, handle)
  if bit.band(C.mm_plan_flags(handle), C.MM_STAGE_KEEPS_ROWS) ~= 0 then return end
  for _, column in ipairs(bound.reads) do
    if column.type.opaque then
      failure.raise {
        id = "nested-type", field = column.name,
        hint = ('drop it first (:drop "%s"), or convert it where it comes from'):format(column.name),
        message = ("column \"%s\" is of type %s, which can only pass through where all rows stay"):format(
          column.name, column.type.name),
      }
    end
  end
end

---Bind a pipeline to columns and parameters; the core's plan goes to `to`.
---@param handle integer
---@param schema lightuserdata const mm_schema *
---@param to lightuserdata mm_plan **
---@param given table<string, string> parameters
---@param how string how a parameter is given, with %s for its name
---@return integer number of the plan, for failures
function plans.make(handle, schema, to, given, how)
  local pipeline = handles.of(handle, "pipeline").value
  local values = params.resolve(pipeline.params, given, how)
  local arriving, adapt = input.bind_data(pipeline, schemas.from_c(ffi.cast("const mm_schema *", schema)))
  local bound = plan.bind(pipeline, arriving, values, adapt)
  local made, steps = bound:make(), {}
  local result = C.mm_plan_new(schemas.to_c(bound.reads), err)
  for i, item in ipairs(made) do
    steps[i] = item.step
    if result == nil then
      C.mm_stage_free(item.stage)
    elseif C.mm_plan_add(result, item.stage, err) < 0 then
      C.mm_plan_release(result)
      result = nil
    end
  end
  if result == nil then error(failure.from_c(err), 0) end
  ffi.gc(result, C.mm_plan_release)
  check_opaque(bound, result)
  ffi.cast("mm_plan **", to)[0] = ffi.gc(result, nil)
  last = last + 1
  kept[last] = { plan = bound, steps = steps }
  return last
end

---What an error of a job means in the script: JSON.
---@param number integer of the plan
---@param problem lightuserdata const mm_error *
function plans.failure(number, problem)
  local known, pointer = kept[number], ffi.cast("const mm_error *", problem)
  local found = known and known.plan:failure(pointer, known.steps) or failure.from_c(pointer)
  return "[" .. failure.json(found) .. "]"
end

---@param number integer
function plans.forget(number) kept[number] = nil end

return plans
