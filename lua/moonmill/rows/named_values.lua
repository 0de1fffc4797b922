-- moonmill.rows.named_values - values that are serialized by name instead of being copied: modules and their functions.
local standard_library = require "moonmill.rows.standard_library"

local function add_members(names, loaded)
  for module, value in pairs(loaded) do
    if module ~= "_G" and type(value) == "table" and not standard_library.paths[value] then
      for key, member in pairs(value) do
        if type(member) == "function" and type(key) == "string" then names[member] = { "member", module, key } end
      end
    end
  end
end

local function add_modules(names, loaded)
  for module, value in pairs(loaded) do
    local usable = type(value) == "table" or type(value) == "function"
    if usable and module ~= "_G" then names[value] = { "module", module } end
  end
end

---Modules and their functions by value: ours, and those that the script required. What they are in a worker, the worker
---finds out by itself.
---@param modules moonmill.Modules|false|nil
---@return table<any, table> names { "module", name } or { "member", name, key }
local function named(modules)
  local required = modules and modules.loaded or {}
  local names = {}
  add_members(names, package.loaded)
  add_members(names, required)
  add_modules(names, package.loaded)
  add_modules(names, required)
  return names
end

return named
