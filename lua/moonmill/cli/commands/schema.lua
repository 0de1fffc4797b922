-- moonmill schema: the columns of a file, as an input list to paste into a pipeline.
local options_of = require "moonmill.cli.commands.options"
local print = require("moonmill.base.printable").print

local schema = { name = "schema", summary = "the columns of a file, as an input list to paste into a pipeline" }

function schema.configure(parser)
  parser:argument("files", "Files with the same columns; - is stdin."):args "+"
  options_of.configure_files(parser)
end

function schema.run(options)
  local files = require("moonmill.io.files").open(options.files, options_of.files(options))
  local rows, all, nulls = files:sample()
  print(("-- Types, and nulls (?), %s."):format(all and "of all rows" or ("as in the first %d rows"):format(rows)))
  print "input = {"
  for i, column in ipairs(files.columns) do
    local name = column.name:find "^[%a_][%w_]*$" and column.name or "`" .. column.name .. "`"
    print(("  %s,"):format(("%q"):format(("%s: %s%s"):format(name, column.type.name, nulls[i] and "?" or ""))))
  end
  print "}"
  files:close()
end

return schema
