-- moonmill.cli.main - the command: finds the sub-command, reads its options, turns what goes wrong into a message and
-- an exit code.
-- DESIGN: one file per sub-command under moonmill/cli/commands: name, summary, configure(parser), run(options, cli) ->
-- exit code. Only the file of the sub-command that is asked for is loaded, so that `moonmill version` starts in
-- milliseconds.
local failure = require "moonmill.base.failure"
local native = require "moonmill.base.ffi"
local report = require "moonmill.cli.output.report"
local suggest = require "moonmill.base.suggest"

local DIED, SIGPIPE = 128, 13 -- an exit code is their sum where a signal ended the process
local COMMANDS = { "run", "check", "explain", "info", "call", "head", "schema", "list", "help", "doctor", "version" }

local function overview()
  local lines = { "moonmill: data pipelines as short Lua scripts", "", "usage: moonmill COMMAND ...", "" }
  for _, name in ipairs(COMMANDS) do
    lines[#lines + 1] = ("  %-9s%s"):format(name, require("moonmill.cli.commands." .. name).summary)
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "moonmill COMMAND --help tells its options, moonmill help TOPIC of functions, stages and types."
  return table.concat(lines, "\n") .. "\n"
end

-- The parser of a sub-command's options. What an option says is never dropped in silence: given twice it is an error,
-- unless it may be repeated.
local function parser_of(command)
  local argparse = require "argparse"
  local parser = argparse("moonmill " .. command.name, command.about or command.summary):add_help(false)
  command.configure(parser)
  parser:option("--errors", "How errors are written to stderr."):choices { "text", "json" }:default "text"
  parser:flag("-h --help", "Show this help and exit.")
  for _, option in ipairs(parser._options) do
    if option._maxcount == 1 then option:overwrite(false) end
  end
  return parser
end

-- The options of a sub-command, or nil when its help was asked for and shown; what the parser refuses becomes a
-- failure.
local function options_of(command, argv)
  local parser = parser_of(command)
  local rest = {}
  for i = 2, #argv do
    rest[i - 1] = command.word and command.word(argv[i]) or argv[i]
    if argv[i] == "-h" or argv[i] == "--help" then
      io.stdout:write(parser:get_help(), "\n")
      return nil
    end
  end
  local ok, result = parser:pparse(rest)
  if ok then return result end
  local message, hint = result:match "^(.-)\n(.*)$"
  failure.raise {
    id = "usage", message = ("%s: %s"):format(command.name, message or result),
    hint = (hint and hint:gsub("^D", "d")) or ("moonmill %s --help"):format(command.name),
  }
end

local function command_of(name)
  for _, known in ipairs(COMMANDS) do
    if known == name then return require("moonmill.cli.commands." .. name) end
  end
  local hint = suggest.hint(name, COMMANDS)
  if not hint and (name:find "%.lua$" or name == "-e") then hint = "did you mean \"moonmill run " .. name .. "\"?" end
  failure.raise {
    id = "unknown-command", message = ("there is no command \"%s\""):format(name),
    hint = hint or "the commands: " .. table.concat(COMMANDS, ", "),
  }
end

-- Are errors wanted as JSON? This must be known before the options are parsed.
local function errors_format(argv)
  for i, word in ipairs(argv) do
    if word == "--errors=json" or (word == "--errors" and argv[i + 1] == "json") then return "json" end
  end
  return "text"
end

-- The help of a sub-command.
local function usage(name) return parser_of(command_of(name)):get_help() .. "\n" end

local SELF = { commands = COMMANDS, overview = overview, usage = usage } -- what `help` tells of

local function perform(argv)
  local name = argv[1]
  if name == nil then
    io.stderr:write(overview())
    return 2
  elseif name == "-h" or name == "--help" then
    io.stdout:write(overview())
    return 0
  elseif name == "--version" or name == "-V" then
    name = "version"
  end
  local command = command_of(name)
  local options = options_of(command, argv)
  return options and command.run(options, SELF) or 0
end

-- Output must have been written.
local function dispatch(argv)
  local code = perform(argv)
  failure.check(native.C.mm_host_flush(native.err), native.err)
  return code
end

---Run the command.
---@param argv string[]
---@return integer exit code
local function main(argv)
  local format = errors_format(argv)
  local ok, result = xpcall(dispatch, function(problem)
    if failure.is(problem) then return problem end
    local memory = failure.memory(problem)
    if memory then return memory end
    local text = failure.describe(problem)
    return failure.is(text) and text or debug.traceback(text, 2)
  end, argv)
  if ok then return result end
  local unread = failure.is(result) and result.id == "closed-pipe" and result.file == "<stdout>"
  if unread then return DIED + SIGPIPE end -- silently, as of `| head`
  return report.problem(failure.memory(result) or result, format)
end

return { main = main }
