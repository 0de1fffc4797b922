-- moonmill.io.read_options - the options for reading files, by name: the flags of the command and the keywords of hosts
-- are made of the core's one list of them, and mean the same.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local native = require "moonmill.base.ffi"
local suggest = require "moonmill.base.suggest"

local C, err = native.C, native.err

---@class moonmill.ReadingOption
---@field name string
---@field kind "switch"|"character"|"whole"|"choice"|"text"|"texts"
---@field help string of a switch: of setting it to what it is not by default
---@field default? string
---@field choices? string words separated by blanks

local KINDS = {
  [C.MM_OPTION_SWITCH] = "switch", [C.MM_OPTION_CHARACTER] = "character", [C.MM_OPTION_WHOLE] = "whole",
  [C.MM_OPTION_CHOICE] = "choice", [C.MM_OPTION_TEXT] = "text", [C.MM_OPTION_TEXTS] = "texts",
}

local function text_of(pointer) return pointer ~= nil and ffi.string(pointer) or nil end

---@type moonmill.ReadingOption[]
local OPTIONS = {}
local names, by_name = {}, {}
while true do
  local info = C.mm_read_option(#OPTIONS)
  if info == nil then break end
  local option = {
    name = ffi.string(info.key), kind = KINDS[info.type], help = ffi.string(info.help),
    default = text_of(info.fallback) or KINDS[info.type] == "switch" and "false" or nil,
    choices = text_of(info.choices),
  }
  OPTIONS[#OPTIONS + 1], names[#names + 1], by_name[option.name] = option, option.name, option
end

local function fail_usage(message, hint) failure.raise { id = "usage", message = message, hint = hint } end

-- See that an option may have this value; the core knows.
local function check(name, text, form)
  if C.mm_read_option_check(name, form:format(name), text, #text, err) < 0 then
    local problem = failure.from_c(err)
    problem.id = "usage"
    error(problem, 0)
  end
end

---Options as the core takes them, checked; a switch that is as it is by default is left out.
---@param given table<string, any> by name: a text, a list of texts, or true and false (also as text)
---@param form string how an option is called in messages: "--%s"
---@return moonmill.FileOptions
local function settings(given, form)
  local options = {}
  for _, option in ipairs(OPTIONS) do
    local value = given[option.name]
    if value == nil then value = {} elseif type(value) ~= "table" then value = { tostring(value) } end
    for _, text in ipairs(value) do
      check(option.name, text, form)
      if option.kind ~= "switch" or text ~= option.default then options[#options + 1] = { option.name, text } end
    end
  end
  return { options = options }
end

---Options for `settings` from names and texts in turns; a list is its name again and again.
---@param others string[]? names of parameters that could be meant besides, when one is not known
---@return table<string, any>
local function gather(others, ...)
  local given = {}
  for i = 1, select("#", ...), 2 do
    local name, text = select(i, ...)
    local option = by_name[name]
    if not option then
      local known = table.move(names, 1, #names, 1, {})
      for _, other in ipairs(others or {}) do known[#known + 1] = other end
      fail_usage((others and "there is neither a parameter nor an option of reading files called \"%s\""
        or "there is no option \"%s\" of reading files"):format(name),
        suggest.hint(name, known) or "the options: " .. table.concat(names, ", "))
    elseif option.kind ~= "texts" then
      if given[name] ~= nil then fail_usage(("%s takes one value, got several"):format(name)) end
      given[name] = text
    else
      given[name] = given[name] or {}
      table.insert(given[name], text)
    end
  end
  return given
end

return { options = OPTIONS, by_name = by_name, settings = settings, gather = gather }
