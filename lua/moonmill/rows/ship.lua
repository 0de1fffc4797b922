-- moonmill.rows.ship - a row function as bytes that another Lua state can bring back to life (moonmill.rows.unship).
--
-- DESIGN. The script runs once, in the main state; workers get the function's bytecode and copies of all it captured.
-- Tables and functions become numbered objects, so that shared and circular references stay what they are. What every
-- state has goes by name: the standard library, and loaded modules with their members. Globals that the script made and
-- the function reads go along. A value elsewhere in a shipment is itself, { n } for object n, or {} for nil.
local buffer = require "string.buffer"
local ffi = require "ffi"
local bytecode = require "moonmill.rows.bytecode"
local failure = require "moonmill.failure"
local inspect = require "moonmill.rows.inspect"
local named = require "moonmill.rows.named"
local standard = require "moonmill.rows.standard"
local suggest = require "moonmill.suggest"

local int64, uint64 = ffi.typeof "int64_t", ffi.typeof "uint64_t"

local UNAVAILABLE = { ffi = true, jit = true } -- modules that show what differs from run to run

local Shipper = {}
Shipper.__index = Shipper

-- "settings.out.file": the way to a value from what captured it. Written only when it is told, as chains can be long.
local function path_of(place)
  local parts = {}
  while place do
    table.insert(parts, 1, place.key)
    place = place.parent
  end
  return table.concat(parts, ".")
end

-- Raise at the line of the row function.
function Shipper:fail(id, message, hint)
  local info = debug.getinfo(self.fn, "S")
  failure.raise { id = id, message = message, hint = hint, file = info.short_src, line = info.linedefined }
end

function Shipper:refuse(place, what)
  self:fail("captured",
    ("the row function captures '%s', %s, which cannot go to another thread"):format(path_of(place), what),
    "capture numbers, text, booleans, tables of them, or Lua functions")
end

local function value_kind(value)
  local kind = type(value)
  if kind == "function" then return "a C function" end
  return kind == "cdata" and "a C value (" .. tostring(ffi.typeof(value)) .. ")" or "a " .. kind
end

-- The name of a view of the store, which goes by name: a job has its own.
local function stored_name(value)
  local views = package.loaded["moonmill.store.views"]
  return views and views.name(value)
end

-- A value's form in the shipment; tables and functions join the queue. `parent` is the queue's item that holds it,
-- `key` its name there.
function Shipper:form(value, key, parent)
  local kind = type(value)
  if kind == "number" or kind == "string" or kind == "boolean" then return value end
  if kind == "nil" then return {} end
  if kind == "cdata" and (ffi.istype(int64, value) or ffi.istype(uint64, value)) then return value end
  local place = { value = value, key = key, parent = parent }
  if kind ~= "table" and kind ~= "function" and not stored_name(value) then self:refuse(place, value_kind(value)) end
  local number = self.numbers[value]
  if not number then
    number = #self.queue + 1
    self.queue[number] = place
    self.numbers[value] = number
  end
  return { number }
end

function Shipper:table_object(place)
  local object = { "table", self:form(getmetatable(place.value), "(metatable)", place) }
  for key, item in next, place.value do
    object[#object + 1] = self:form(key, "(key)", place)
    object[#object + 1] = self:form(item, type(key) == "string" and key or ("[%s]"):format(tostring(key)), place)
  end
  return object
end

-- The texts in a function and those inside it: what it may look up.
local function mentioned(proto, texts)
  for pc, item in ipairs(proto.code) do
    if item.text then texts[item.text] = true end
    if proto.children[pc] then mentioned(proto.children[pc], texts) end
  end
  return texts
end

-- Workers have the library as it was. `names`: only those changes matter; nil: all of them.
function Shipper:check_library(library, names)
  for name in pairs(standard.changes(library)) do
    if not names or names[name] then
      local path = standard.paths[library] .. "." .. tostring(name)
      self:fail("changed-library", ("the row function uses '%s', which the script has changed"):format(path),
        "row functions see the standard library as it is; give the function a name of its own, with local")
    end
  end
end

-- The globals of the script that a function reads, by name; an undefined one is an error.
-- `names`: all that it and the functions inside it mention.
function Shipper:add_globals(fn, proto, names)
  local environment = getfenv(fn)
  for _, item in ipairs(inspect.globals(proto)) do
    local value = environment[item.name]
    self.store = self.store or item.name == "require"
    if value == nil then
      local known = {}
      for _, path in pairs(standard.paths) do known[#known + 1] = path end
      table.sort(known)
      failure.raise {
        id = "unknown-name",
        message = ("the row function reads the global '%s', which is not defined"):format(item.name),
        hint = suggest.hint(item.name, known), file = debug.getinfo(fn, "S").short_src, line = item.line,
      }
    end
    if not standard.paths[value] then self.globals[item.name] = self:form(value, item.name)
    elseif type(value) == "table" then self:check_library(value, names)
    end
  end
end

function Shipper:function_object(place)
  local fn = place.value
  if debug.getinfo(fn, "S").what == "C" then self:refuse(place, "a C function") end
  local proto = bytecode.read(fn)
  inspect.refuse_state(fn, proto)
  local names = mentioned(proto, {})
  self:add_globals(fn, proto, names)
  self.random = self.random or names.random or false
  local object = { "function", bytecode.dump(fn) }
  for i = 1, math.huge do
    local name, value = debug.getupvalue(fn, i)
    if not name then break end
    object[#object + 1] = self:form(value, name)
  end
  return object
end

function Shipper:object(place)
  local name = standard.paths[place.value]
  if name then
    if type(place.value) == "table" then self:check_library(place.value) end
    self.random = self.random or name == "math.random"
    return { "standard", name }
  end
  local stored = stored_name(place.value)
  if stored then
    self.store = true
    return { "stored", stored }
  end
  local module = self.modules[place.value]
  if module and UNAVAILABLE[module[2]] then
    self:fail("hidden-state",
      ("the row function uses '%s': %s is not available in row functions"):format(path_of(place), module[2]),
      "a result may only depend on its own row")
  end
  if module then
    self.random, self.store = true, true -- modules are not inspected
    return module
  end
  return type(place.value) == "table" and self:table_object(place) or self:function_object(place)
end

---@class moonmill.RowsSpec
---@field kind "map"|"where"
---@field inputs { name: string, type: string, nullable: boolean }[] columns of the stage's input, in order
---@field outputs { name: string, type: string, nullable: boolean }[]? columns that the function gives
---@field params table<string, any>? values by name
---@field nulls table<string, true>? names of parameters that are null
---@field place integer number for errors
---@field label string names the generated loop in tracebacks: "delays.lua:map"
---@field modules moonmill.Modules|false|nil what the script required; workers get the texts

---Check a row function and turn it into bytes for mm_stage_rows. Raises a failure where it could not run in a worker.
---@param fn function
---@param spec moonmill.RowsSpec
---@return string bytes
---@return boolean uses_store it may look into the store: the stage is to be MM_STAGE_STORE
local function ship(fn, spec)
  local self = setmetatable({
    fn = fn, queue = {}, numbers = {}, globals = {}, modules = named(spec.modules),
    random = false, store = false,
  }, Shipper)
  local info = debug.getinfo(fn, "S")
  local params = {}
  for name, value in pairs(spec.params or {}) do params[name] = self:form(value, "p." .. name) end
  local shipment = {
    kind = spec.kind, label = spec.label, place = spec.place or -1, inputs = spec.inputs,
    outputs = spec.outputs or {}, params = params, nulls = spec.nulls or {},
    sources = spec.modules and spec.modules.sources or {},
    script = ("%s:%d"):format(info.short_src, info.linedefined),
    root = self:form(fn, "function"),
  }
  local objects, i = {}, 1
  while self.queue[i] do
    objects[i] = self:object(self.queue[i])
    i = i + 1
  end
  shipment.objects, shipment.globals, shipment.random = objects, self.globals, self.random
  shipment.store = self.store
  return buffer.encode(shipment), self.store
end

return ship
