-- moonmill.session.handles - the values of scripts that a session has loaded, by handle.
local failure = require "moonmill.base.failure"
local script = require "moonmill.script.script"

---@class moonmill.Entry
---@field value moonmill.Pipeline|moonmill.Module
---@field kind "pipeline"|"module"
---@field modules moonmill.Modules
---@field name string

local entries = {}
local kept, last = {}, 0

---A handle for the value of a script.
---@param value moonmill.Pipeline|moonmill.Module
---@param modules moonmill.Modules
---@param name string
---@return integer handle
function entries.keep(value, modules, name)
  last = last + 1
  kept[last] = { value = value, kind = script.kind_of(value), modules = modules, name = name }
  return last
end

---The script of a handle.
---@param handle string|integer
---@param kind? "pipeline"|"module" what it must be
---@return moonmill.Entry
function entries.of(handle, kind)
  local entry = kept[tonumber(handle)]
  if not entry then
    failure.raise { code = "state", id = "unknown-handle", message = "no script has the handle " .. tostring(handle) }
  end
  if kind and entry.kind ~= kind then
    failure.raise { id = "no-" .. kind, message = ("%s is a %s, not a %s"):format(entry.name, entry.kind, kind) }
  end
  return entry
end

---@param handle integer
function entries.forget(handle) kept[handle] = nil end

return entries
