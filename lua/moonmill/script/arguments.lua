-- moonmill.script.arguments - what a script passed to a stage: lists of strings, options, functions, each with its
-- place.
local failure = require "moonmill.base.failure"
local script = require "moonmill.script.script"
local selector = require "moonmill.expr.selector"
local suggest = require "moonmill.base.suggest"

---@class moonmill.Call
---@field stage string name of the stage
---@field place moonmill.Place
---@field count integer number of arguments
local Call = {}
Call.__index = Call

---@param entry { name: string, usage: string }
function Call.new(entry, place, places, ...)
  place.stage = entry.name
  return setmetatable({ stage = entry.name, usage = entry.usage, place = place, places = places,
    count = select("#", ...), ... }, Call)
end

local function kind_of(value) return value == nil and "nothing" or type(value) end

---Raise a usage error at the stage, or at `place`.
function Call:fail(id, message, hint, place)
  place = place or self.place
  failure.raise {
    id = id, message = message, hint = hint or ("usage: " .. self.usage),
    file = place.file, line = place.line, column = place.column, stage = self.stage,
  }
end

---The place of a string that the script passed.
---@return moonmill.Place
function Call:place_of(text)
  local place = self.places and self.places:literal(text, self.place.offset or 0)
  place = place or { file = self.place.file, line = self.place.line, column = self.place.column }
  place.stage = self.stage
  return place
end

---A string argument with its place.
function Call:text(value, what)
  if type(value) ~= "string" then
    self:fail("bad-argument", ("%s takes %s, got %s"):format(self.stage, what, kind_of(value)))
  end
  return { text = value, place = self:place_of(value) }
end

-- A key in a list: order would be lost, so show the form that keeps it.
local function key_message(self, key, value, what, joint)
  local form = type(value) == "string" and ('{ "%s%s%s" }'):format(tostring(key), joint or " = ", value)
    or "{ \"...\" }"
  local place = self.places and type(key) == "string" and self.places:word(key, self.place.offset or 0) or self.place
  self:fail("key-in-list", ("%s takes %s in a list, and \"%s\" is a key; keys of a Lua table have no order")
    :format(self.stage, what, tostring(key)), ("write %s"):format(form), place)
end

---A list of strings, or one bare string.
---@param what string for messages: "names"
---@param joint? string what stands between name and value in this list's strings
---@return { text: string, place: moonmill.Place }[]
function Call:texts(value, what, joint)
  if type(value) == "string" then return { self:text(value) } end
  if type(value) ~= "table" then
    self:fail("bad-argument", ("%s takes %s, got %s"):format(self.stage, what, kind_of(value)))
  end
  local list, size = {}, 0
  for key in pairs(value) do
    if type(key) ~= "number" then key_message(self, key, value[key], what, joint) end
    size = math.max(size, key)
  end
  for i = 1, size do
    if type(value[i]) ~= "string" then
      self:fail("bad-argument", ("item %d of %s's list is %s, not a string"):format(i, self.stage, type(value[i])))
    end
    list[i] = self:text(value[i])
  end
  return list
end

---What a list of names names: columns, or selectors of columns.
---@param item { text: string, place: moonmill.Place }
---@return { name: string?, selector: moonmill.Selector?, place: moonmill.Place }
function Call:column(item)
  local text, place = item.text:match "^%s*(.-)%s*$", item.place
  if selector.begins(text) then return { selector = selector.parse(item.text, place), place = place } end
  return { name = text:match "^`([^`]+)`$" or text, place = place }
end

---A list of names and selectors.
function Call:names(value, what)
  local list = {}
  for i, item in ipairs(self:texts(value, what or "names of columns")) do list[i] = self:column(item) end
  return list
end

---A Lua function argument with its place.
function Call:func(value)
  if type(value) ~= "function" then
    self:fail("bad-argument", ("%s takes a function here, got %s"):format(self.stage, kind_of(value)))
  end
  local place = script.of_function(value)
  place.stage = self.stage
  return { fn = value, place = place }
end

---An options table; `known` maps a name to a function(call, value) that checks it.
function Call:options(value, known)
  local options, names = {}, {}
  for name in pairs(known) do names[#names + 1] = name end
  table.sort(names)
  if value == nil then return options end
  if type(value) ~= "table" then
    self:fail("bad-argument", ("%s takes a table of options here, got %s"):format(self.stage, type(value)))
  end
  for name, given in pairs(value) do
    if not known[name] then
      local place = self.places and type(name) == "string" and self.places:word(name, self.place.offset or 0)
      self:fail("unknown-option", ("%s has no option \"%s\""):format(self.stage, tostring(name)),
        suggest.hint(tostring(name), names) or "options: " .. table.concat(names, ", "), place or nil)
    end
    options[name] = known[name](self, given)
  end
  return options
end

---Refuse more than `most` arguments.
function Call:at_most(most)
  if self.count > most then
    self:fail("bad-argument", ("%s takes %d argument%s, got %d"):format(self.stage, most, most == 1 and "" or "s",
      self.count))
  end
end

return Call
