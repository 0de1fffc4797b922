-- moonmill.typed.fault - an error at the line of a script that uses what this folder offers.
local failure = require "moonmill.base.failure"
local frames = require "moonmill.base.frames"

local fault = {}

---Raise an error at the innermost line that is not ours.
---@param id string
---@param message string
---@param hint string?
---@param value any what was wrong
function fault.raise(id, message, hint, value)
  local at = frames.stack(2)[1] or {}
  failure.raise {
    code = "script", id = id, message = message, hint = hint, value = value ~= nil and fault.text(value) or nil,
    file = at.file, line = at.line,
  }
end

---A value as messages show it.
---@param value any
---@return string
function fault.text(value)
  if type(value) == "number" then return (("%.17g"):format(value):gsub("^%-?nan$", "NaN")) end
  if type(value) == "string" then return #value > 40 and "text" or ("%q"):format(value) end
  if type(value) == "cdata" then return (tostring(value):gsub("^(%-?%d+)U?LL$", "%1")) end
  return (value == nil or type(value) == "boolean") and tostring(value) or "a " .. type(value)
end

return fault
