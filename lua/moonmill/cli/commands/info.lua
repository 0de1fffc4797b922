-- moonmill info: what a pipeline is for, its parameters, what it reads, how to call it; the functions of a module.
local describe = require "moonmill.pipeline.describe"
local options_of = require "moonmill.cli.commands.options"
local script = require "moonmill.script.script"
local print = require("moonmill.base.printable").print

local info = { name = "info", summary = "what a pipeline does, its parameters and input; functions of a module" }

info.configure = options_of.configure_pipeline

function info.run(options)
  local pipeline, _, name = options_of.pipeline(options, "any")
  if script.kind_of(pipeline) == "module" then
    print(pipeline:text(name))
    print(("example: moonmill call %s %s ..."):format(name, pipeline.functions[1].name))
    return
  end
  print(describe.text(pipeline, name))
  local example = { "moonmill run", name == "-e" and "-e '...'" or name, "INPUT.csv" }
  for _, param in ipairs(pipeline.params) do
    if param.required then example[#example + 1] = ("-p %s=..."):format(param.name) end
  end
  print("example: " .. table.concat(example, " "))
end

return info
