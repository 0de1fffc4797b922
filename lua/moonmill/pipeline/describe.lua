-- moonmill.pipeline.describe - a pipeline's purpose, parameters, input and usage: as values and as text.
local two_phase = require "moonmill.pipeline.two_phase"
local json = require "moonmill.base.json"
local params = require "moonmill.pipeline.params"
local printable = require "moonmill.base.printable"

local describe = {}

---Columns or fields as values.
---@param columns { name: string, type: moonmill.Type, nullable: boolean }[]
---@return table[]
function describe.columns(columns)
  local list = json.list {}
  for i, column in ipairs(columns) do
    list[i] = { name = column.name, type = column.type.name, nullable = column.nullable }
  end
  return list
end

local function param_of(param)
  return {
    name = param.name, type = param.type.name, nullable = param.nullable, required = param.required,
    default = param.default_text or json.null, help = param.help or json.null,
  }
end

local function input_of(declared)
  if not declared then return json.null end
  if declared.whole then return { whole = declared.whole } end
  return { fields = describe.columns(declared.fields), rest = declared.rest }
end

---@param pipeline moonmill.Pipeline
---@return table { about, params, input, stages, file, reach, half }
function describe.pipeline(pipeline)
  local declared, stages = json.list {}, json.list {}
  for i, param in ipairs(pipeline.params) do declared[i] = param_of(param) end
  for i, stage in ipairs(pipeline.stages) do stages[i] = stage.entry.name end
  return {
    about = pipeline.about or json.null, params = declared, input = input_of(pipeline.input), stages = stages,
    file = pipeline.place.file, reach = two_phase.reach(pipeline), half = pipeline.half or json.null,
  }
end

local function input_lines(declared, lines)
  if not declared then
    lines[#lines + 1] = "input: any columns"
  elseif declared.whole then
    lines[#lines + 1] = "input: " .. declared.whole
  else
    lines[#lines + 1] = "input:"
    for _, field in ipairs(declared.fields) do
      local name = printable.line(field.name)
      lines[#lines + 1] = ("  %s: %s%s"):format(name, field.type.name, field.nullable and "?" or "")
    end
    if declared.rest then lines[#lines + 1] = "  ...  (other columns pass through)" end
  end
end

---@param pipeline moonmill.Pipeline
---@param name string what the reader calls it
---@return string
function describe.text(pipeline, name)
  local lines = { pipeline.about and ("%s: %s"):format(name, pipeline.about) or name }
  if #pipeline.params > 0 then lines[2] = "parameters:" end
  for _, param in ipairs(pipeline.params) do lines[#lines + 1] = "  " .. params.describe(param) end
  input_lines(pipeline.input, lines)
  local stages = describe.pipeline(pipeline).stages
  lines[#lines + 1] = "stages: " .. (#stages > 0 and table.concat(stages, " ") or "none")
  return table.concat(lines, "\n")
end

return describe
