-- moonmill explain: how a pipeline will run.
local failure = require "moonmill.base.failure"
local input = require "moonmill.pipeline.input"
local options_of = require "moonmill.cli.commands.options"
local params = require "moonmill.pipeline.params"
local print = require("moonmill.base.printable").print

local explain = {
  name = "explain", summary = "print the plan of a pipeline: programs, columns read, segments",
  about = "Print how a pipeline will run over the given files, or over the input it declares.",
}

explain.configure = require("moonmill.cli.commands.check").configure

-- Try the row functions on rows of the files, unless they can be read only once.
local function try_functions(plan, declared, paths, file_options)
  local readable = #paths > 0
  for _, path in ipairs(paths) do readable = readable and path ~= "-" end
  require("moonmill.plan.probe_rows").try(plan, readable and function()
    return require("moonmill.io.files").open(paths, file_options, declared):source(plan.reads)
  end or nil)
end

function explain.run(options)
  local pipeline, paths, name = options_of.pipeline(options)
  local given = params.suppose(pipeline.params, options_of.params(options))
  local columns, total
  if #paths > 0 then
    local files = require("moonmill.io.files").open(paths, options_of.files(options), pipeline.input)
    columns, total = input.bind(pipeline.input, files.columns, paths[1]), #files.columns
    files:close()
  else
    columns = input.promised(pipeline.input)
  end
  if not columns then
    failure.raise {
      id = "no-input", message = ("%s does not say which columns it reads, so a plan needs a file"):format(name),
      hint = ("moonmill explain %s FILE"):format(name == "-e" and "-e '...'" or name),
    }
  end
  local plan = require("moonmill.plan.plan").bind(pipeline, columns, given)
  try_functions(plan, pipeline.input, paths, options_of.files(options))
  print(require("moonmill.plan.explanation")(plan, total or #columns))
end

return explain
