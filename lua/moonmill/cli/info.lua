-- moonmill info: what a pipeline is for, its parameters, what it reads, how to call it.
local options_of = require "moonmill.cli.options"
local params = require "moonmill.params"

local info = { name = "info", summary = "what a pipeline does, its parameters and its input" }

info.configure = options_of.configure_pipeline

function info.run(options)
  local pipeline, _, name = options_of.pipeline(options)
  print(pipeline.about and ("%s: %s"):format(name, pipeline.about) or name)
  if #pipeline.params > 0 then
    print "parameters:"
    for _, param in ipairs(pipeline.params) do print("  " .. params.describe(param)) end
  end
  local declared = pipeline.input
  if declared and declared.whole then
    print("input: " .. declared.whole)
  elseif declared then
    print "input:"
    for _, field in ipairs(declared.fields) do
      print(("  %s: %s%s"):format(field.name, field.type.name, field.nullable and "?" or ""))
    end
    if declared.rest then print "  ...  (other columns pass through)" end
  else
    print "input: any columns"
  end
  local steps = {}
  for i, stage in ipairs(pipeline.stages) do steps[i] = stage.entry.name end
  print("stages: " .. (#steps > 0 and table.concat(steps, " ") or "none"))
  local example = { "moonmill run", name == "-e" and "-e '...'" or name, "INPUT.csv" }
  for _, param in ipairs(pipeline.params) do
    if param.required then example[#example + 1] = ("-p %s=..."):format(param.name) end
  end
  print("example: " .. table.concat(example, " "))
end

return info
