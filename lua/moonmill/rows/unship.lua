-- moonmill.rows.unship - bring what moonmill.rows.ship packed back to life in a worker's state, with the globals that
-- row functions have.
local buffer = require "string.buffer"
local standard = require "moonmill.rows.standard"

local PUBLIC = { moonmill = true, ["string.buffer"] = true }

-- A module: the script's, run with the globals of row functions, or one of ours.
local function module_of(set, name)
  if set.package.preload[name] or PUBLIC[name] then return set.globals.require(name) end
  return require(name)
end

-- Objects that others refer to, still empty.
local function make_shell(object, set)
  local kind = object[1]
  if kind == "table" then return {} end
  if kind == "function" then return setfenv(assert(loadstring(object[2])), set.globals) end
  if kind == "standard" then return standard.at(object[2], set.globals) end
  if kind == "stored" then
    return require("moonmill.store.views").of(object[2])
      or error(('the row function captures "%s" of the store, which has no such name any more'):format(object[2]), 0)
  end
  if kind == "module" then return module_of(set, object[2]) end
  return module_of(set, object[2])[object[3]]
end

local function fill_table(shell, object, value_of)
  for i = 3, #object, 2 do shell[value_of(object[i])] = value_of(object[i + 1]) end
end

local function fill_function(shell, object, value_of)
  for i = 3, #object do debug.setupvalue(shell, i - 2, value_of(object[i])) end
end

-- Let require find the modules that the script had, as they were.
local function preload(sources, set)
  for name, source in pairs(sources) do
    set.package.preload[name] = function(...)
      local chunk = assert(loadstring((source.text:gsub("^#[^\n]*", "")), "@" .. source.path))
      return setfenv(chunk, set.globals)(...)
    end
  end
end

---@param bytes string
---@param stored ffi.cdata* const mm_store *: what the function sees of the store
---@param set moonmill.Modules of the worker, see moonmill.rows.environment
---@return table shipment its fields as given to ship; `fn` the function, `tables` the captured tables, `params` values
local function unship(bytes, stored, set)
  local shipment = buffer.decode(bytes)
  if shipment.store then require("moonmill.store.views").see(stored) end
  local env = set.globals
  preload(shipment.sources, set)
  local shells = {}
  local function value_of(form)
    if type(form) ~= "table" then return form end
    return shells[form[1]] -- {} is nil: shells[nil] is
  end
  for name, form in pairs(shipment.globals) do
    if type(form) ~= "table" then rawset(env, name, form) end
  end
  for i, object in ipairs(shipment.objects) do shells[i] = make_shell(object, set) end
  for name, form in pairs(shipment.globals) do rawset(env, name, value_of(form)) end
  local tables = {}
  for i, object in ipairs(shipment.objects) do
    if object[1] == "table" then
      fill_table(shells[i], object, value_of)
      tables[#tables + 1] = shells[i]
    elseif object[1] == "function" then
      fill_function(shells[i], object, value_of)
    end
  end
  for i, object in ipairs(shipment.objects) do
    if object[1] == "table" then setmetatable(shells[i], value_of(object[2])) end
  end
  for name, form in pairs(shipment.params) do shipment.params[name] = value_of(form) end
  shipment.fn, shipment.tables = value_of(shipment.root), tables
  return shipment
end

return unship
