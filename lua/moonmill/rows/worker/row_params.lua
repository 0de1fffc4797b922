-- moonmill.rows.worker.row_params - `p` of row functions: the values of the parameters, read-only.
local fault = require "moonmill.rows.worker.row_fault"
local suggest = require "moonmill.base.suggest"

---@param values table<string, any> name -> value; it becomes what `p` looks names up in
---@param nulls table<string, true> names of parameters without a value
---@return table p
return function(values, nulls)
  local names = {}
  for name in pairs(values) do names[#names + 1] = name end
  for name in pairs(nulls) do names[#names + 1] = name end
  table.sort(names)
  setmetatable(values, { __index = function(_, name)
    if nulls[name] then return nil end
    fault.raise(2, ("there is no parameter '%s'"):format(tostring(name)), suggest.hint(tostring(name), names))
  end })
  return setmetatable({}, { __index = values, __metatable = "parameters", __newindex = function(_, name)
    fault.raise(2, ("parameters are read-only: p.%s cannot be assigned"):format(tostring(name)))
  end })
end
