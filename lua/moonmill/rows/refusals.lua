-- moonmill.rows.refusals - what row functions do not have, or only where it is safe: whatever could carry a value from
-- one row to the next, differs from run to run, or reaches around the bounds of a column.
local buffer = require "string.buffer"
local failure = require "moonmill.failure"
local fault = require "moonmill.rows.fault"
local globals = require "moonmill.globals"

local refusals = {}

-- What row functions do not have, and why.
local HIDES = "a result may only depend on its own row, and this could carry a value to the next one"
local DIFFERS = "a result may only depend on its own row, and this differs from run to run"
local REFUSED = {
  load = HIDES, loadstring = HIDES, loadfile = HIDES, dofile = HIDES, getfenv = HIDES, setfenv = HIDES,
  collectgarbage = DIFFERS, gcinfo = DIFFERS, newproxy = DIFFERS, module = HIDES,
  ["os.clock"] = DIFFERS, ["os.tmpname"] = DIFFERS,
  ["os.execute"] = HIDES, ["os.remove"] = HIDES, ["os.rename"] = HIDES, ["io.open"] = HIDES,
  ["io.popen"] = HIDES, ["io.lines"] = HIDES,
  ["io.tmpfile"] = HIDES, ["io.input"] = HIDES, ["io.read"] = HIDES, ["io.close"] = HIDES,
}
local OFFERED = { ["table.new"] = true, ["table.clear"] = true } -- by LuaJIT
local REFUSED_LIBRARIES = { debug = HIDES, jit = DIFFERS, package = HIDES, ffi = HIDES }

-- While rows run a failure finds the row function's line, also where the call was its last act.
local function refuse(job, path, why)
  local message = path .. " is not available in row functions"
  if job.begun then failure.raise { code = "script", id = "not-available", message = message, hint = why } end
  fault.raise(3, message, why)
end

local function refuse_all(env, job)
  for path, why in pairs(REFUSED) do
    local library, name = path:match "^(%w+)%.(%w+)$"
    local holder = library and env[library] or env
    holder[name or path] = function() refuse(job, path, why) end
  end
  function env.io.output(file)
    if file ~= nil then refuse(job, "io.output", HIDES) end
    return io.stderr
  end
  for library, why in pairs(REFUSED_LIBRARIES) do
    local function refuse_member(_, key) refuse(job, library .. "." .. tostring(key), why) end
    env[library] = setmetatable({}, { __metatable = library, __index = refuse_member })
  end
  for _, name in ipairs { "on", "off", "flush" } do rawset(env.jit, name, jit[name]) end -- they change no result
end

-- Rows and parameters are read by name alone; what all rows share is not changed.
local function plain_table(t, name)
  local meta = getmetatable(t)
  if meta == "row" or meta == "parameters" then
    fault.raise(3, ("%s: a %s can only be read by name"):format(name, meta == "row" and "row" or "list of parameters"),
      meta == "row" and "as in r.column" or "as in p.name")
  end
  return t
end

local function guard_raw(env)
  function env.rawset(t, key, value)
    if t == env or globals.paths[t] then
      fault.raise(2, "rawset: the globals and the libraries are read-only", HIDES)
    end
    return rawset(plain_table(t, "rawset"), key, value)
  end
  function env.rawget(t, key) return rawget(plain_table(t, "rawget"), key) end
end

-- An encoded row would tell the key under which the row keeps its place.
local function check_encodable(value, seen, level)
  if type(value) ~= "table" or seen[value] then return value end
  if getmetatable(value) == "row" then
    fault.raise(level, "encode: a row can only be read by name", "as in r.column")
  end
  seen[value] = true
  for key, item in next, value do
    check_encodable(key, seen, level + 1)
    check_encodable(item, seen, level + 1)
  end
  return value
end

-- What keeps values within itself may not outlive a row, as it would when it were made while a module is loaded.
local function only_in_rows(job, name, level)
  if not job.begun then fault.raise(level, name .. " is only available while a row is worked on", HIDES) end
end

-- For row functions `string.buffer` is a copy; methods of buffers are shared, and our own modules call none of these.
local function guarded_buffer(job)
  local copy, methods = {}, debug.getmetatable(buffer.new()).__index
  for name, value in next, buffer do copy[name] = value end
  function copy.encode(value) return (buffer.encode(check_encodable(value, {}, 3))) end
  function copy.new(...)
    only_in_rows(job, "string.buffer.new", 3)
    return buffer.new(...)
  end
  local encode = methods.encode
  function methods.encode(self, value) return encode(self, check_encodable(value, {}, 3)) end
  return copy
end

-- A coroutine that a module makes when it is loaded would be kept from row to row.
local function guard_coroutines(env, job)
  for _, name in ipairs { "create", "wrap" } do
    local make = coroutine[name]
    env.coroutine[name] = function(fn)
      only_in_rows(job, "coroutine." .. name, 3)
      return make(fn)
    end
  end
end

-- `moonmill` as row functions have it: it fills itself, so a change would not be seen.
local function sealed(module)
  return setmetatable({}, { __index = module, __metatable = "moonmill", __newindex = function()
    fault.raise(2, "moonmill: a module is read-only in row functions", HIDES)
  end })
end

-- A module that is loaded by a row is watched from then on, together with what it requires.
local function load_within_rows(job, require_any, name)
  job.guard:changed(math.huge)
  job.loading = true
  local ok, value = pcall(require_any, name)
  job.loading = false
  job.guard:watch_shared()
  if not ok then error(value, 0) end
  return value
end

-- Workers read no files: a row function has the modules that its script has.
local function refuse_unknown(set, name)
  if set.package.preload[name] or OFFERED[name] then return end
  fault.raise(3, ("module '%s' is not known: the script has not loaded it"):format(tostring(name)),
    "require it at the beginning of the script, by its name as a text")
end

-- What `require` gives beside the script's own modules.
local function guard_require(set, job)
  local env, loaded = set.globals, set.package.loaded
  local require_any, encoder = env.require, nil
  loaded.moonmill = sealed(loaded.moonmill)
  for name in pairs(REFUSED_LIBRARIES) do loaded[name] = nil end
  function env.require(name)
    if name == "string.buffer" then
      encoder = encoder or guarded_buffer(job)
      job.guard:watch(encoder, "library 'string.buffer'")
      return encoder
    end
    if REFUSED_LIBRARIES[name] then refuse(job, name, REFUSED_LIBRARIES[name]) end
    if loaded[name] ~= nil then return loaded[name] end
    refuse_unknown(set, name)
    if job.begun and not job.loading then return load_within_rows(job, require_any, name) end
    return require_any(name)
  end
end

---Take away from the globals of row functions what they may not have.
---@param set moonmill.Modules with these globals
---@param job { begun: boolean?, guard: moonmill.rows.Guard? } see moonmill.rows.environment
function refusals.install(set, job)
  refuse_all(set.globals, job)
  guard_raw(set.globals)
  guard_coroutines(set.globals, job)
  guard_require(set, job)
end

return refusals
