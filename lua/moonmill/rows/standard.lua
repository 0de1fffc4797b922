-- moonmill.rows.standard - the names of the standard library's values: what every Lua state has, and so is shipped by
-- name.
local standard = {}

local LIBRARIES = { "string", "table", "math", "bit", "os", "io", "coroutine", "debug", "jit", "package" }
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
standard.paths[getmetatable "" or {}] = nil

---The value at a path in this state.
---@param path string
function standard.at(path)
  local library, key = path:match "^(%w+)%.(.+)$"
  if library then return _G[library][key] end
  return _G[path]
end

return standard
