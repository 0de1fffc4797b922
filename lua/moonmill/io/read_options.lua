-- moonmill.io.read_options - the options of reading text files, by name: the flags of the command and the keywords of
-- hosts are made of this one table, and mean the same.
local failure = require "moonmill.base.failure"
local suggest = require "moonmill.base.suggest"

---@class moonmill.ReadingOption
---@field name string
---@field kind "character"|"texts"|"switch"
---@field help string of a switch: of setting it to what it is not by default
---@field default? boolean of a switch: true

---@type moonmill.ReadingOption[]
local OPTIONS = {
  { name = "delimiter", kind = "character",
    help = "Field separator: a character, or tab. Default: detected." },
  { name = "quote", kind = "character", help = "Quote character, or none." },
  { name = "null", kind = "texts", help = "Another text that means null; may be repeated." },
  { name = "header", kind = "switch", default = true,
    help = "The first line is data, not a header; columns are named c1, c2, ..." },
  { name = "ragged", kind = "switch", help = "Fill short rows with nulls and truncate long ones." },
}
local NAMED = { tab = "\t", ["\\t"] = "\t", comma = ",", semicolon = ";", pipe = "|", space = " " }

local names, by_name = {}, {}
for i, option in ipairs(OPTIONS) do names[i], by_name[option.name] = option.name, option end

local function fail_usage(message, hint) failure.raise { id = "usage", message = message, hint = hint } end

local readers = {}

function readers.character(value, shown)
  value = NAMED[value] or value
  if #value ~= 1 or value:find "[%z\r\n]" then
    fail_usage(("%s takes one character, got \"%s\""):format(shown, value), "for example ; or |, or the word tab")
  end
  return value
end

function readers.texts(values, shown)
  for _, text in ipairs(values) do
    if text:find "[%z\n]" then fail_usage(shown .. " takes a text of one line") end
  end
  return values
end

function readers.switch(value, shown)
  if value == true or value == "true" then return true end
  if value == false or value == "false" then return false end
  fail_usage(("%s is true or false, got \"%s\""):format(shown, value))
end

---What values of options mean.
---@param given table<string, any> by name: a text, a list of texts, or true and false (also as text)
---@param form string how an option is called in messages: "--%s"
---@return moonmill.FileOptions
local function settings(given, form)
  local read = {}
  for name, value in pairs(given) do
    local option = by_name[name]
    local none = name == "quote" and (value == "" or value == "none")
    read[name] = none and "" or readers[option.kind](value, form:format(name))
  end
  return {
    delimiter = read.delimiter, quote = read.quote, nulls = read.null, no_header = read.header == false,
    ragged = read.ragged or false,
  }
end

---Settings as the core's fields have them.
---@param given moonmill.FileOptions
---@return { delimiter: integer, quote: integer, nulls: string?, no_header: boolean, ragged: boolean }
local function numbers(given)
  return {
    delimiter = given.delimiter and given.delimiter:byte() or 0,
    quote = given.quote and (given.quote:byte() or -1) or 0,
    nulls = given.nulls and #given.nulls > 0 and table.concat(given.nulls, "\n") or nil,
    no_header = given.no_header or false, ragged = given.ragged or false,
  }
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

return { options = OPTIONS, by_name = by_name, settings = settings, numbers = numbers, gather = gather }
