-- moonmill.modules - the modules that a script requires: found beside it, and kept apart from those of other scripts.
--
-- DESIGN. A process may run many scripts, and two of them may have a module of one name. So each script has globals of
-- its own (moonmill.globals), with a `require` and a `package` that know only what the script required, what LuaJIT
-- offers, and `moonmill`. The texts of modules go to the workers from the set.
local failure = require "moonmill.failure"
local globals = require "moonmill.globals"

local OFFERED = { -- by LuaJIT
  bit = true, ffi = true, jit = true, ["string.buffer"] = true, ["table.new"] = true, ["table.clear"] = true,
}

---@class moonmill.Modules
---@field globals table of the script
---@field loaded table<string, any> what require gave of the script's own modules, and `moonmill`
---@field sources table<string, { path: string, text: string }> their texts, by name
---@field files string[] paths of the files that the script and its modules read by themselves
---@field text string of the script itself
---@field running table<string, function> chunks of modules that were begun
---@field package table what the script knows as `package`
local Modules = {}
Modules.__index = Modules

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

-- The chunk of a module of the script; nil and where it was looked for.
function Modules:search(name)
  local path, text = name, self.given[name]
  if not text and self.folder then
    path = ("%s/%s.lua"):format(self.folder, (name:gsub("%.", "/")))
    text = read(path)
  end
  local tried = self.folder and (" no file '%s'"):format(path) or ""
  if not text and type(self.package.path) == "string" and self.package.path ~= "" then
    local found, all = package.searchpath(name, self.package.path)
    path, text, tried = found, found and read(found), tried .. (all and all:gsub("\n\t", " ") or "")
  end
  if not text then return nil, tried end
  local chunk, message = loadstring((text:gsub("^#[^\n]*", "")), "@" .. path)
  if not chunk then
    local line, what = message:match "^.-:(%d+): (.*)$"
    failure.raise { code = "script", id = "syntax", file = path, line = tonumber(line), message = what or message }
  end
  self.sources[name] = { path = path, text = text }
  return setfenv(chunk, self.globals)
end

-- A module of ours or of LuaJIT, as a copy that the script may change; nil: one of the script's own.
local function offered(name)
  if OFFERED[name] then
    local value, copy = require(name), {}
    if type(value) ~= "table" then return value end
    for key, member in pairs(value) do copy[key] = member end
    return copy
  end
  if name:find "^moonmill%." or name == "argparse" or name:find "^jit%." then
    error(("module '%s' is not available to scripts; they require \"moonmill\""):format(name), 3)
  end
end

local function is_running(chunk)
  for level = 3, math.huge do
    local info = debug.getinfo(level, "f")
    if not info then return false end
    if info.func == chunk then return true end
  end
end

-- The value of one of the script's own modules.
function Modules:run(name)
  local loaded, running = self.package.loaded, self.running
  if running[name] and is_running(running[name]) then error(("module '%s' requires itself"):format(name), 3) end
  local chunk, tried = self.package.preload[name], nil
  if not chunk then chunk, tried = self:search(name) end
  if not chunk then error(("module '%s' not found:%s"):format(name, tried), 3) end
  running[name] = chunk
  local value = chunk(name)
  if value == nil then value = loaded[name] end
  if value == nil then value = true end
  self.loaded[name] = value
  return value
end

-- Find the modules that a text requires by a name that stands in it, and those that these require.
local function note(self, text, seen)
  for name in text:gmatch "require%s*%(?%s*[\"'%[]+([^\"'%]\n]+)[\"'%]]" do
    if not seen[name] and not OFFERED[name] and name ~= "moonmill" then
      seen[name] = true
      local found = self.sources[name] or pcall(self.search, self, name) and self.sources[name]
      if found then note(self, found.text, seen) end
    end
  end
end

---Find the modules that functions of the script may require when it has ended, as row functions do in workers: they
---belong to what the script reads, and workers get them as they are now.
---@param text string of the script
function Modules:note(text) note(self, text, {}) end

---Paths of all files that were read: its modules, and what they and the script read by themselves.
---@return string[]
function Modules:paths()
  local paths = table.move(self.files, 1, #self.files, 1, {})
  for _, source in pairs(self.sources) do paths[#paths + 1] = source.path end
  return paths
end

-- What `require` of the script does.
local function require_in(self, name)
  local loaded = self.package.loaded
  if loaded[name] ~= nil then return loaded[name] end
  if type(name) ~= "string" then error("require takes the name of a module", 2) end
  local value = offered(name)
  if value == nil then value = self:run(name) end
  loaded[name] = value
  return value
end

---@param text string of the script
---@param folder string? of the script
---@param given table<string, string>? texts of modules, instead of files
---@return moonmill.Modules
local function new(text, folder, given)
  local self = setmetatable({ text = text, folder = folder, given = given or {}, loaded = {}, sources = {},
    files = {}, running = {} }, Modules)
  local env = globals.new(self.files)
  self.globals = env
  self.package = { loaded = { _G = env }, preload = {}, loaders = {}, path = "", cpath = "", config = package.config,
    searchpath = package.searchpath }
  for name, value in pairs(env) do
    if type(value) == "table" and name ~= "_G" then self.package.loaded[name] = value end
  end
  self.package.loaded.package, env.package = self.package, self.package
  self.package.loadlib = globals.refusal "package.loadlib"
  local mm = require "moonmill"
  self.loaded.moonmill = setmetatable({}, getmetatable(mm)) -- a script may assign to it
  self.package.loaded.moonmill = self.loaded.moonmill
  function env.require(name) return require_in(self, name) end
  globals.name(env)
  return self
end

return { new = new }
