-- moonmill.plan.plan - a pipeline bound to the columns of its input: everything is checked, only needed columns are
-- read, neighbouring stages of expressions are one program.
-- DESIGN: three passes. Stages plan themselves in order onto a draft, which gives nodes (moonmill.plan.nodes); from the
-- last to the first, nodes say which columns they need; from the first to the last, each makes its stage over what
-- really arrives.
local C = require("moonmill.base.ffi").C
local blame = require "moonmill.plan.blame"
local Draft = require "moonmill.plan.draft"
local nodes = require "moonmill.plan.nodes"

---@class moonmill.Plan
---@field pipeline moonmill.Pipeline
---@field reads moonmill.Column[] columns that are read, in order
---@field columns moonmill.Column[] of the result
---@field steps moonmill.Node[]
local Plan = {}
Plan.__index = Plan

---Check a pipeline over these columns and decide what to do.
---@param pipeline moonmill.Pipeline
---@param columns moonmill.Column[] that come in
---@param params table of moonmill.pipeline.params.resolve
---@param adapt? fun(draft: moonmill.Draft) what makes of them the columns that the pipeline sees
---@return moonmill.Plan
local function bind(pipeline, columns, params, adapt)
  local draft = Draft.new(columns, params, pipeline.modules)
  if adapt then adapt(draft) end
  for _, stage in ipairs(pipeline.stages) do draft:add(stage) end
  local steps, result = draft:finish()
  local wanted = nodes.set_of(nodes.names(result))
  for i = #steps, 1, -1 do wanted = steps[i]:need(wanted) end
  return setmetatable({ pipeline = pipeline, columns = result, steps = steps, reads = nodes.only(columns, wanted) },
    Plan)
end

---The core's stages, in order. The caller owns them.
---@return { stage: ffi.cdata*, step: moonmill.Node }[]
function Plan:make()
  local made, arriving = {}, self.reads
  local ok, problem = pcall(function()
    for _, step in ipairs(self.steps) do
      local stage
      stage, arriving = step:make(arriving)
      if stage then made[#made + 1] = { stage = stage, step = step } end
      step.leaving = stage and arriving or nil
    end
  end)
  if ok then return made end
  for _, item in ipairs(made) do C.mm_stage_free(item.stage) end
  error(problem, 0)
end

---What an error of a job of this plan means in the script.
---@param err ffi.cdata* mm_error
---@param steps moonmill.Node[] of the job's stages, in order
---@return moonmill.Failure
function Plan:failure(err, steps) return blame(self, err, steps) end

---Make the stages only to learn what they are: steps get `leaving` and what `explain` shows.
function Plan:describe()
  for _, item in ipairs(self:make()) do C.mm_stage_free(item.stage) end
end

return { bind = bind }
