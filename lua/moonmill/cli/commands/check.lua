-- moonmill check: a pipeline's names and types, without reading data.
local input = require "moonmill.pipeline.input"
local options_of = require "moonmill.cli.commands.options"
local params = require "moonmill.pipeline.params"
local printable = require "moonmill.base.printable"

local print = printable.print

local check = {
  name = "check", summary = "check a pipeline's names and types without running it",
  about = "Check a pipeline: against the input it declares, or against the columns of the given files.",
}

function check.configure(parser)
  options_of.configure_pipeline(parser)
  options_of.configure_files(parser)
end

---Columns as lines "  name: type".
local function lines_of(columns)
  local lines = {}
  for i, column in ipairs(columns) do
    lines[i] = ("  %s: %s%s"):format(printable.line(column.name), column.type.name, column.nullable and "?" or "")
  end
  return table.concat(lines, "\n")
end

function check.run(options)
  local pipeline, paths, name = options_of.pipeline(options)
  local given = params.suppose(pipeline.params, options_of.params(options))
  local columns, dropped
  if #paths > 0 then
    local files = require("moonmill.io.files").open(paths, options_of.files(options), pipeline.input)
    columns, dropped = input.bind(pipeline.input, files.columns, paths[1])
    files:close()
  else
    columns = input.promised(pipeline.input)
  end
  if not columns then
    print(name .. ": the script is well formed; which columns it meets only a file can tell")
    print("  try: moonmill check " .. (name == "-e" and "-e '...'" or name) .. " FILE")
    return
  end
  local plan = require("moonmill.plan.plan").bind(pipeline, columns, given)
  print(name .. ": ok")
  print "reads:"
  print(lines_of(plan.reads))
  print "gives:"
  print(lines_of(plan.columns))
  if dropped and #dropped > 0 then
    print(("not in the pipeline's input, left out: %s"):format(table.concat(dropped, ", ")))
  end
end

return check
