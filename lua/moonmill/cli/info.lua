-- moonmill info: what a pipeline is for, its parameters, what it reads, how to call it.
local describe = require "moonmill.describe"
local options_of = require "moonmill.cli.options"

local info = { name = "info", summary = "what a pipeline does, its parameters and its input" }

info.configure = options_of.configure_pipeline

function info.run(options)
  local pipeline, _, name = options_of.pipeline(options)
  print(describe.text(pipeline, name))
  local example = { "moonmill run", name == "-e" and "-e '...'" or name, "INPUT.csv" }
  for _, param in ipairs(pipeline.params) do
    if param.required then example[#example + 1] = ("-p %s=..."):format(param.name) end
  end
  print("example: " .. table.concat(example, " "))
end

return info
