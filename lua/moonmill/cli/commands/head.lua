-- moonmill head: the first rows of a file.
local options_of = require "moonmill.cli.commands.options"

local head = { name = "head", summary = "the first rows of a file" }

function head.configure(parser)
  parser:argument("files", "Input files, read as one table; - is stdin."):args "+"
  parser:option("-n --rows", "Number of rows."):argname("N"):default "10"
  options_of.configure_files(parser)
end

function head.run(options)
  local rows = options_of.whole(options.rows, "-n", 0, 2 ^ 53)
  local pipeline = require("moonmill.script.script").evaluate((":limit(%d)"):format(rows), "head")
  require("moonmill.cli.commands.run").over(pipeline, options.files, { files = options_of.files(options) })
end

return head
