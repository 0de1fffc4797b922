-- moonmill help: functions, stages, types, or one of them by name; and the sub-commands.
local failure = require "moonmill.base.failure"
local catalogue = require "moonmill.functions.catalogue"
local stages = require "moonmill.stages.registry"
local suggest = require "moonmill.base.suggest"
local types = require "moonmill.base.types"

local help = { name = "help", summary = "help on functions, stages, types, or one of them by name" }

function help.configure(parser)
  parser:argument("topic", "functions, stages, types, selectors, or one of them by name."):args "?"
end

local TOPICS = {}

function TOPICS.stages()
  for _, name in ipairs(stages.names) do
    local entry = stages.by_name[name]
    print(("%-10s %s\n           %s"):format(name, entry.help, entry.usage))
  end
end

function TOPICS.functions()
  local group
  for _, entry in ipairs(catalogue.list) do
    if entry.group ~= group then
      print(("%s%s"):format(group and "\n" or "", entry.group))
      group = entry.group
    end
    print(("  %-28s %s"):format(entry.usage, entry.help))
  end
end

function TOPICS.types()
  print("types: " .. table.concat(types.names, " "))
  print [[
timestamp and duration take a unit: timestamp(ms); timestamp also a zone: timestamp(us, Europe/Paris).
A ? behind a type says that the column may be null: "arr_delay: f64?".
casts: i32(x) fails if the value does not fit, try.i32(x) gives null, wrap.u8(x) is modular, sat.u8(x)
saturates.]]
end

function TOPICS.selectors()
  print [[
cols() selects many columns wherever names are expected; in expressions `it` is the column.
  cols()                       all columns
  cols(f64)  cols(number)      by type; number, integer, float are groups
  cols('*_delay')              by name; * matches any text, ? any character
  cols(f64 and not '*_id')     joined by and, or, not
example: :derive { "cols(utf8) = trim(it)" }]]
end

local function show_stage(entry)
  print(("stage %s: %s"):format(entry.name, entry.help))
  print("usage:   " .. entry.usage)
  print("example: " .. entry.example)
end

local function show_function(entry)
  print(("%s: %s"):format(entry.usage, entry.help))
  print("kind:    " .. entry.group)
  if entry.nulls then print("null:    " .. entry.nulls) end
  local example = entry.example
  if example and example[1] and example[2] then print(("example: %s gives %s"):format(example[1], example[2])) end
end

local function topic_names(cli)
  local names = { "functions", "stages", "types", "selectors" }
  for _, name in ipairs(stages.names) do names[#names + 1] = name end
  for _, entry in ipairs(catalogue.list) do names[#names + 1] = entry.name end
  for _, name in ipairs(cli.commands) do names[#names + 1] = name end
  return names
end

---@param cli { commands: string[], overview: fun(): string, usage: fun(name: string): string } of moonmill.cli.main
function help.run(options, cli)
  local topic = options.topic
  if topic == nil then
    io.stdout:write(cli.overview())
    print "topics: functions, stages, types, selectors, or the name of a function, a stage or a command"
    return
  end
  if TOPICS[topic] then
    TOPICS[topic]()
    return
  end
  local found = false
  if stages.by_name[topic] then
    show_stage(stages.by_name[topic])
    found = true
  end
  for _, entry in ipairs(catalogue.list) do
    if entry.name == topic then
      if found then print "" end
      show_function(entry)
      found = true
    end
  end
  for _, name in ipairs(cli.commands) do
    if name == topic then
      io.stdout:write(cli.usage(name))
      found = true
    end
  end
  if not found then
    failure.raise {
      id = "unknown-topic", message = ("there is no help on \"%s\""):format(topic),
      hint = suggest.hint(topic, topic_names(cli)) or "topics: functions, stages, types, selectors, or a name",
    }
  end
end

return help
