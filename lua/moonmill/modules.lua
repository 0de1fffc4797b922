-- moonmill.modules - the modules that a script requires: found beside it, and kept apart from those of other scripts.
--
-- DESIGN. A process may run many scripts, and two of them may have a module of one name. So each script has a set of
-- its own: what it requires stands in package.loaded only while it runs, and goes to the workers from the set, as text.
-- Scripts do not see each other's globals either.
local failure = require "moonmill.failure"

---@class moonmill.Modules
---@field loaded table<string, any> what require gave
---@field sources table<string, { path: string, text: string }> their texts, by name
---@field text string of the script itself
local Modules = {}
Modules.__index = Modules

---@param text string of the script
---@param folder string? of the script
---@param given table<string, string>? texts of modules, instead of files
---@return moonmill.Modules
local function new(text, folder, given)
  local self = setmetatable({ text = text, folder = folder, given = given or {}, loaded = {}, sources = {} }, Modules)
  self.globals = setmetatable({}, { __index = _G })
  self.globals._G = self.globals
  return self
end

local ABSENT = { [2] = true, [20] = true } -- ENOENT, ENOTDIR

-- The text of a file; nil when there is none.
local function read(path)
  local file, reason, number = io.open(path, "rb")
  if not file and ABSENT[number] then return nil end
  local text
  if file then
    text, reason = file:read "*a"
    file:close()
  end
  if not text then
    failure.raise { code = "io", id = "cannot-open", file = path,
      message = (reason or "cannot read it"):gsub("^.*: ", "") }
  end
  return text
end

-- A searcher for package.loaders.
function Modules:search(name)
  local path, text = name, self.given[name]
  if not text and self.folder then
    path = ("%s/%s.lua"):format(self.folder, (name:gsub("%.", "/")))
    text = read(path)
  end
  if not text then return self.folder and ("\n\tno file '%s'"):format(path) or nil end
  local chunk, message = loadstring((text:gsub("^#[^\n]*", "")), "@" .. path)
  if not chunk then
    local line, what = message:match "^.-:(%d+): (.*)$"
    failure.raise { code = "script", id = "syntax", file = path, line = tonumber(line), message = what or message }
  end
  self.sources[name] = { path = path, text = text }
  return setfenv(chunk, self.globals)
end

---Call a function while the modules of this set can be required; raises what it raises.
---@param fn function
---@return any its first result
function Modules:run(fn, ...)
  local before, hidden, loaded = {}, {}, package.loaded
  for name in pairs(loaded) do before[name] = true end
  for name, value in pairs(self.loaded) do hidden[name], loaded[name] = loaded[name], value end
  local function searcher(name) return self:search(name) end
  table.insert(package.loaders, 2, searcher)
  local ok, result = pcall(fn, ...)
  for i, entry in ipairs(package.loaders) do
    if entry == searcher then
      table.remove(package.loaders, i)
      break
    end
  end
  for name in pairs(self.sources) do
    if not before[name] or self.loaded[name] ~= nil then
      self.loaded[name], loaded[name] = loaded[name], hidden[name]
    end
  end
  if not ok then error(result, 0) end
  return result
end

return { new = new }
