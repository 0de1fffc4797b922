-- moonmill.globals - the globals of a script: copies of the standard library, so that what a script does to them stays
-- its own.
--
-- DESIGN. Our own modules run with the globals of the state, which no script can reach: chunks that a script loads,
-- environments that getfenv gives it and modules that it requires are those of the script. The metatables that all
-- values of a type share are locked, and methods of texts are found in a table that no script can reach; what a script
-- adds to its own `string` is found behind it. What only reaches into the host is not there, and says so.
local frames = require "moonmill.frames"
local print_to_stderr = require "moonmill.print"

local globals = {}

local host = _G
local load, loadfile, getfenv, setfenv, getmetatable = load, loadfile, getfenv, setfenv, getmetatable
local collectgarbage, getinfo, setlocale, dump = collectgarbage, debug.getinfo, os.setlocale, string.dump
local error, pcall, rawget, setmetatable, type = error, pcall, rawget, setmetatable, type
local NO_MEMORY = require("moonmill.ffi").NO_MEMORY

local BASE = {
  "_VERSION", "assert", "error", "gcinfo", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "rawset", "select",
  "setmetatable", "tonumber", "tostring", "type", "unpack", "xpcall",
}
local LIBRARIES = { "string", "table", "math", "bit", "os", "io", "coroutine" }
local JIT = { "on", "off", "flush", "status", "opt", "version", "version_num", "os", "arch" }
local COLLECTOR = { collect = true, count = true, step = true }

local function copied(original, names)
  local copy = {}
  if not names then
    for name, value in pairs(original) do copy[name] = value end
  end
  for _, name in ipairs(names or {}) do copy[name] = original[name] end
  return copy
end

---A function that stands where one is not available.
---@param name string
---@param hint? string
---@return function
function globals.refusal(name, hint)
  return function() error(name .. " is not available to scripts" .. (hint and ": " .. hint or ""), 2) end
end

-- ---- What all states share ----

local latest = setmetatable({}, { __mode = "v" }) -- globals of the script that was begun last, as [1]

---Methods of texts.
globals.methods = setmetatable(copied(string), { __index = function(_, name)
  local own = latest[1] and rawget(latest[1], "string")
  if type(own) == "table" then return own[name] end
end })

local function lock(value, name)
  local meta = debug.getmetatable(value)
  if meta and meta.__metatable == nil then meta.__metatable = name end
end

debug.getmetatable("").__index = globals.methods
lock("", "string")
lock(io.stderr, "file")

-- ---- Functions of a script that have to know its globals ----

local function add_environments(env)
  function env.getfenv(of)
    if of == 0 then return env end
    of = of or 1
    local found = getfenv(type(of) == "number" and of + 1 or of)
    return found == host and env or found
  end
  function env.setfenv(of, to)
    local target = type(of) == "number" and of + 1 or of
    if of == 0 or getfenv(target) == host then error("setfenv: the function is not the script's own", 2) end
    setfenv(target, to)
    return of
  end
  function env.load(chunk, name, mode, ...)
    if select("#", ...) > 0 then return load(chunk, name, mode, ...) end
    return load(chunk, name, mode, env)
  end
  function env.loadstring(text, name) return load(text, name, "bt", env) end
  function env.loadfile(path, mode, ...)
    if select("#", ...) > 0 then return loadfile(path, mode, ...) end
    return loadfile(path, mode, env)
  end
  function env.dofile(path)
    local chunk, message = loadfile(path, "bt", env)
    if not chunk then error(message, 0) end
    return chunk()
  end
end

-- ---- Files that a script reads ----

local READERS = { { "loadfile" }, { "dofile" }, { "io", "open" }, { "io", "lines" }, { "io", "input" } }

-- Note the paths in a list, so that no output is written over one.
local function note_reading(env, files)
  local seen = {}
  for _, way in ipairs(READERS) do
    local holder, name = way[2] and env[way[1]] or env, way[#way]
    local read = holder[name]
    holder[name] = function(...)
      local path, mode = ...
      local writes = name == "open" and type(mode) == "string" and mode:find "^[wa]"
      if type(path) == "string" and not writes and not seen[path] then
        seen[path] = true
        files[#files + 1] = path
      end
      return read(...)
    end
  end
end

-- ---- The other changes ----

local function add_debug(env)
  local function info(thread, what, options)
    if type(thread) ~= "thread" then thread, what, options = nil, thread, what end
    local found
    if thread then found = getinfo(thread, what, options or "nSlufL")
    else found = getinfo(type(what) == "number" and what + 1 or what, options or "nSlufL")
    end
    if found and found.func and frames.is_own(getinfo(found.func, "S").source) then found.func = nil end
    return found
  end
  env.debug = setmetatable({ traceback = debug.traceback, getinfo = info }, { __index = function(_, name)
    if debug[name] then error(("debug.%s is not available to scripts"):format(name), 2) end
  end })
end

-- The collector serves the host too: it is neither stopped nor slowed down.
local function collect(what, ...)
  if what == nil or COLLECTOR[what] then return collectgarbage(what, ...) end
  return what == "isrunning" or 0
end

local function shown_metatable(value)
  local meta = getmetatable(value)
  if type(meta) == "table" and rawget(meta, "is_host") then return "moonmill" end
  return meta
end

-- Nothing but a lack of memory keeps a function of Lua from being dumped.
local function dump_own(fn, ...)
  if type(fn) == "function" and getfenv(fn) == host then
    error("string.dump: the function is not the script's own", 2)
  end
  local ok, text = pcall(dump, fn, ...)
  if ok then return text end
  if type(fn) == "function" and getinfo(fn, "S").what ~= "C" then error(NO_MEMORY, 0) end
  error(text, 2)
end

-- A locale holds for the whole process: numbers would be read and written in another way everywhere.
local function show_locale(locale, category)
  if locale ~= nil then error("os.setlocale is not available to scripts: a locale holds for the whole process", 2) end
  return setlocale(nil, category)
end

---New globals.
---@param files string[] gets the paths that are read
---@return table
function globals.new(files)
  local env = copied(host, BASE)
  for _, name in ipairs(LIBRARIES) do env[name] = copied(host[name]) end
  env._G = env
  env.jit = copied(host.jit, JIT)
  add_environments(env)
  add_debug(env)
  env.print, env.collectgarbage, env.getmetatable = print_to_stderr, collect, shown_metatable
  env.newproxy = globals.refusal("newproxy", "a table with a metatable does its work")
  env.module = globals.refusal("module", "let the file return a table")
  env.string.dump, env.os.setlocale, env.io.stdout = dump_own, show_locale, io.stderr
  function env.os.exit() error("os.exit: a script cannot end the program", 2) end
  note_reading(env, files)
  latest[1] = env
  return env
end

---Paths of values that stand in for those of the standard library, by value: "string", "os.exit".
globals.paths = setmetatable({}, { __mode = "k" })

local function add_names(t, prefix)
  for key, value in pairs(t) do
    local kind = type(value)
    if type(key) == "string" and (kind == "function" or kind == "table") and not globals.paths[value] then
      globals.paths[value] = prefix .. key
    end
  end
end

---Note what stands for what in a script's globals, before it can change them.
function globals.name(env)
  add_names(env, "")
  for name, library in pairs(env) do
    if type(library) == "table" and library ~= env then add_names(library, name .. ".") end
  end
end

return globals
