-- moonmill.cli.commands.options - options that several sub-commands share, and what they mean.
local failure = require "moonmill.base.failure"
local read_options = require "moonmill.io.read_options"

local function fail_usage(message, hint) failure.raise { id = "usage", message = message, hint = hint } end

local ARGUMENTS = { character = "CHAR", whole = "N", text = "TEXT", texts = "TEXT" }

---How files are read.
local function configure_files(parser)
  for _, option in ipairs(read_options.options) do
    if option.kind == "switch" then
      parser:flag((option.default == "true" and "--no-" or "--") .. option.name, option.help)
    else
      local made = parser:option("--" .. option.name, option.help):argname(ARGUMENTS[option.kind] or "WORD")
      if option.kind == "texts" then made:count "*" end
    end
  end
end

---@return moonmill.FileOptions
local function files(options)
  local given = {}
  for _, option in ipairs(read_options.options) do
    local name = option.name
    if option.default == "true" then given[name] = not options["no_" .. name] else given[name] = options[name] end
  end
  return read_options.settings(given, "--%s")
end

---A pipeline: a file, or the text of -e; and its parameters.
local function configure_pipeline(parser)
  parser:option("-e --expression", "A pipeline as text instead of a file: a chain of stages, or a whole script.")
    :argname "TEXT"
  parser:option("-p --param", "Set a parameter of the pipeline; may be repeated."):argname("NAME=VALUE"):count "*"
  parser:argument("files", "The pipeline (unless -e is given), then input files; - is stdin."):args "*"
end

---@return table<string, string> name -> text
local function params(options)
  local given = {}
  for _, text in ipairs(options.param or {}) do
    local name, value = text:match "^%s*([%a_][%w_]*)%s*=(.*)$"
    if not name then fail_usage(("-p takes name=value, got \"%s\""):format(text), "for example -p min_flights=100") end
    if given[name] ~= nil then fail_usage(("parameter \"%s\" is given twice"):format(name)) end
    given[name] = value
  end
  return given
end

---The pipeline that the options name, and the input files that remain.
---@param wanted? string what a script may return, as for moonmill.script.script
---@return moonmill.Pipeline
---@return string[] inputs
---@return string name for messages
---@return string[] read files that were read for it: the script, and the modules that it required
local function pipeline(options, wanted)
  local script = require "moonmill.script.script"
  local files_given = table.move(options.files, 1, #options.files, 1, {})
  if options.expression then
    local result, modules = script.evaluate(options.expression, nil, { wanted = wanted })
    return result, files_given, "-e", modules:paths()
  end
  local path = table.remove(files_given, 1)
  if not path then
    fail_usage("which pipeline?", "moonmill run PIPELINE.lua INPUT..., or moonmill run -e ':where \"...\"' INPUT...")
  end
  local chain = path:match "^%s*:" or path:find "[\n{%[]"
  local ok, result, modules = pcall(script.load, path, wanted)
  if ok then
    local read = modules:paths()
    read[#read + 1] = path
    return result, files_given, path, read
  end
  if failure.is(result) and result.id == "cannot-open" and result.file == path then
    result.hint = chain and "to run a text as a pipeline, put -e before it"
      or require("moonmill.io.files").suggestion(path) or result.hint
  end
  if failure.is(result) and result.id == "syntax" and not path:find "%.lua$" then
    result.hint = ("a pipeline is a Lua file; stages over a file of data: moonmill run -e ':where ...' %s"):format(path)
  end
  error(result, 0)
end

---A number of an option, or nil.
local function number(value, option, least)
  if value == nil then return nil end
  local parsed = tonumber(value)
  if not (parsed and parsed >= least) then -- so that NaN is refused
    fail_usage(("%s takes a number from %g, got \"%s\""):format(option, least, value))
  end
  return parsed
end

---A whole number of an option from `least` to `most`, or nil.
local function whole(value, option, least, most)
  local parsed = number(value, option, least)
  if parsed and not (parsed <= most and parsed == math.floor(parsed)) then
    fail_usage(("%s takes a whole number from %d to %d, got \"%s\""):format(option, least, most, value))
  end
  return parsed
end

return {
  configure_files = configure_files, files = files, configure_pipeline = configure_pipeline, params = params,
  pipeline = pipeline,
  number = number, whole = whole,
}
