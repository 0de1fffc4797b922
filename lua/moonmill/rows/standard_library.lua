-- moonmill.rows.standard_library - the names of the standard library's values: what every Lua state has, and so is
-- shipped by name; and what a script changed in its copies.
local globals = require "moonmill.script.script_globals"

local standard = {}

local LIBRARIES = { "string", "table", "math", "bit", "os", "io", "coroutine", "debug", "jit", "package" }
local COMPARED = { string = true, table = true, math = true, bit = true }
local BASE = {
  "_G", "_VERSION", "assert", "collectgarbage", "dofile", "error", "gcinfo", "getfenv", "getmetatable", "ipairs",
  "load", "loadfile", "loadstring", "module", "newproxy", "next", "pairs", "pcall", "print", "rawequal", "rawget",
  "rawset", "require",
  "select", "setfenv", "setmetatable", "tonumber", "tostring", "type", "unpack", "xpcall",
}

---Path by value: standard.paths[math.floor] == "math.floor". Taken when this module is loaded, before a script can
---change it.
standard.paths = {}

for _, name in ipairs(BASE) do
  local value = rawget(_G, name)
  if type(value) == "function" or type(value) == "table" then standard.paths[value] = name end
end
for _, name in ipairs(LIBRARIES) do
  local library = rawget(_G, name)
  standard.paths[library] = name
  for key, value in pairs(library) do
    if type(value) == "function" and not standard.paths[value] then standard.paths[value] = name .. "." .. key end
  end
end
setmetatable(standard.paths, { __index = globals.paths }) -- and what scripts have in their place

---The value at a path in the globals of a worker.
---@param path string
---@param env table
function standard.at(path, env)
  local library, key = path:match "^(%w+)%.(.+)$"
  if library then return env[library][key] end
  return env[path]
end

---What a script changed in its copy of a library, by name. Row functions do not see it.
---@param library table
---@return table<string, true>
function standard.changes(library)
  local path, changed = standard.paths[library], {}
  local original = COMPARED[path] and rawget(_G, path)
  if not original then return changed end
  for key, value in next, library do
    if original[key] ~= value and globals.paths[value] ~= path .. "." .. tostring(key) then changed[key] = true end
  end
  for key in next, original do
    if rawget(library, key) == nil then changed[key] = true end
  end
  return changed
end

return standard
