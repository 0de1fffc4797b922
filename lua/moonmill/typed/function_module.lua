-- moonmill.typed.function_module - typed functions and modules of them: the other kind of value that a script may
-- return.
local Call = require "moonmill.script.arguments"
local json = require "moonmill.base.json"
local script = require "moonmill.script.script"
local signature = require "moonmill.typed.signature"

---@class moonmill.Function
---@field is_function true
---@field signature moonmill.Signature
---@field fn function
---@field place moonmill.Place
---@field order integer functions that were made before

---@class moonmill.Module
---@field is_module true
---@field about string|false
---@field functions { name: string, value: moonmill.Function }[] in the order in which they stand in the script
---@field place moonmill.Place

local FN = { name = "fn", usage = 'mm.fn("a: f64, b: f64 -> f64  -- help", function(a, b) return a + b end)' }
local MODULE = { name = "module", usage = 'mm.module { about = "...", add = mm.fn("a: f64, b: f64 -> f64", ...) }' }

local Function = { __tostring = function(self) return "typed function " .. signature.describe(self.signature) end }
Function.__index = Function

local last -- function that was made: the next one of its line stands behind it

---A Lua function with the types of what it takes and gives.
---@param text string
---@param fn function
---@return moonmill.Function
local function new_function(text, fn, ...)
  local place, places = script.caller("fn", 2, last and last.place)
  local call = Call.new(FN, place, places, text, fn, ...)
  call:at_most(2)
  local parsed = signature.parse(call, call:text(text, "a signature"))
  call:func(fn)
  local info = debug.getinfo(fn, "u")
  if info.nparams > #parsed.arguments then
    call:fail("bad-signature", ("the function takes %d argument%s, its signature names %d"):format(info.nparams,
      info.nparams == 1 and "" or "s", #parsed.arguments), nil, call:place_of(text))
  end
  last = setmetatable({ is_function = true, signature = parsed, fn = fn, place = place,
    order = last and last.order + 1 or 1 }, Function)
  return last
end

---As a value: what it takes and gives.
function Function:describe(name)
  local function slots(list)
    local result = json.list {}
    for i, slot in ipairs(list) do
      result[i] = { name = slot.name ~= "" and slot.name or nil, type = slot.type.name, array = slot.array,
        mut = slot.mut, exact = slot.exact, nullable = slot.nullable }
    end
    return result
  end
  return {
    name = name, about = self.signature.help or json.null, signature = signature.describe(self.signature),
    arguments = slots(self.signature.arguments), results = slots(self.signature.results), line = self.place.line,
  }
end

function Function:__call()
  error("a typed function is called from outside; in the script call the Lua function itself", 2)
end

local function about_of(call, about)
  if about ~= nil and type(about) ~= "string" then
    call:fail("bad-argument", ("about is %s, not a string"):format(type(about)))
  end
  return about or false
end

local function check_entry(call, name, value)
  if type(name) ~= "string" or not name:find "^[%a_][%w_]*$" then
    call:fail("bad-module", ("%s is no name of a function"):format(type(name) == "string" and '"' .. name .. '"'
      or "a function without one"), "write name = mm.fn(...)")
  end
  if getmetatable(value) == Function then return end
  local place = call.places and call.places:word(name, call.place.offset or 0) or nil
  call:fail("bad-module", ('"%s" is a %s, not a typed function'):format(name, type(value)),
    type(value) == "function" and ('tell its types: %s = mm.fn("x: f64 -> f64", function(x) ... end)'):format(name)
    or "a module holds functions: name = mm.fn(...), and about = \"...\"", place)
end

local Module = {}
Module.__index = Module

---As a value, for a session.
---@return table { about, functions: [{ name, about, signature, arguments, results, line }] }
function Module:describe()
  local list = json.list {}
  for i, entry in ipairs(self.functions) do list[i] = entry.value:describe(entry.name) end
  return { about = self.about or json.null, functions = list }
end

---In words: what it is for, its functions, what they take and give.
---@param name string what to call it
---@return string
function Module:text(name)
  local lines = { self.about and ("%s: %s"):format(name, self.about) or name }
  for _, entry in ipairs(self.functions) do
    local text = signature.describe(entry.value.signature)
    local arguments, results = text:match "^(.-)%s*(%->.*)$"
    lines[#lines + 1] = ("  %s(%s)%s"):format(entry.name, arguments or text, results and " " .. results or "")
    if entry.value.signature.help then lines[#lines + 1] = "      " .. entry.value.signature.help end
  end
  return table.concat(lines, "\n")
end

---@param entries table name -> mm.fn(...), and about
---@return moonmill.Module
local function new(entries, ...)
  local place, places = script.caller("module", 2)
  local call = Call.new(MODULE, place, places, entries, ...)
  call:at_most(1)
  if type(entries) ~= "table" then
    call:fail("bad-argument", ("module takes a table of functions, got %s"):format(type(entries)))
  end
  local self = setmetatable({ is_module = true, functions = {}, place = place, about = false }, Module)
  for name, value in pairs(entries) do
    if name == "about" and getmetatable(value) ~= Function then
      self.about = about_of(call, value)
    else
      check_entry(call, name, value)
      table.insert(self.functions, { name = name, value = value })
    end
  end
  if #self.functions == 0 then call:fail("bad-module", "the module has no functions") end
  table.sort(self.functions, function(a, b)
    if a.value.order ~= b.value.order then return a.value.order < b.value.order end
    return a.name < b.name
  end)
  return self
end

return { fn = new_function, new = new }
