-- moonmill.plan.blame - the failure of a job, reported at the place in the script that its plan was made from.
local failure = require "moonmill.base.failure"

-- The place in the script that declares a column of the input.
local function declared_place(plan, name)
  for _, field in ipairs(plan.pipeline.input and plan.pipeline.input.fields or {}) do
    if field.name == name then
      local place = field.place
      return { file = place.file, line = place.line, column = place.column,
        text = ("input: %s: %s"):format(name, field.type.name) }
    end
  end
  return nil
end

-- Data in memory has no file: the place in the script is the best there is.
local function point_at_script(problem)
  local script = problem.script
  if problem.file or not script then return end
  problem.file, problem.line, problem.column, problem.script = script.file, script.line, script.column, nil
end

-- A message of Lua begins with its own place, which is nearer than that of the stage.
local function point_into_function(problem)
  local where = problem.script or problem
  local prefix = (where.file or "") .. ":"
  if problem.message:sub(1, #prefix) ~= prefix then return end
  local line, message = problem.message:sub(#prefix + 1):match "^(%d+): (.*)$"
  if line then where.line, where.column, problem.message = tonumber(line), nil, message end
end

---What the core says about an error of a job, with the stage's name and its place in the script.
---@param plan moonmill.Plan
---@param err ffi.cdata* mm_error
---@param steps moonmill.Node[] of the job's stages, in order
---@return moonmill.Failure
local function blame(plan, err, steps)
  local step = err.stage >= 0 and steps[err.stage + 1] or nil
  local problem = failure.from_c(err, step and step.places)
  if not step then
    problem.script = problem.field and declared_place(plan, problem.field)
    point_at_script(problem)
    return problem
  end
  if not problem.script and problem.file ~= step.place.file then
    problem.script = { file = step.place.file, line = step.place.line, column = step.place.column }
  end
  point_at_script(problem)
  point_into_function(problem)
  problem.stage = type(problem.stage) == "string" and problem.stage or step.label
  if problem.script then
    local text = problem.script.text
    problem.script.text = problem.stage .. (text and ": " .. text or "")
  end
  return problem
end

return blame
