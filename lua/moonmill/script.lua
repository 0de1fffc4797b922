-- moonmill.script - run the text of a script and give back what it returns: a pipeline, or a module of functions.
local failure = require "moonmill.failure"
local frames = require "moonmill.frames"
local modules = require "moonmill.modules"
local Places = require "moonmill.places"

local running -- places of the script that is being run
local required -- moonmill.Modules of the script that is being run
local sources = {} -- chunk name -> Places, of the script that is being run and what it requires

---The places of a chunk; files that a script required are read when first asked for.
local function places_of(source)
  if sources[source] == nil then
    local path = source:match "^@(.+)"
    local file = path and io.open(path, "rb")
    sources[source] = file and Places.new(path, file:read "*a") or false
    if file then file:close() end
  end
  return sources[source] or nil
end

---The place of the call `name` that the function `level` frames up is making.
-- The last call of `return mm.pipeline {} :where ... :sort ...` is a tail call: it has no frame, so it is looked for in
-- the text.
---@param name string the method or function called
---@param level integer as for debug.getinfo, seen from the caller
---@param after? moonmill.Place the call is looked for behind it
---@return moonmill.Place place
---@return moonmill.Places? places
local function caller(name, level, after)
  local info = debug.getinfo(level + 1, "Sl")
  local places = info and places_of(info.source)
  local behind = after and after.offset or 0
  if not places and running then
    return running:word(name, behind) or { file = running.file, line = 1, column = 1 }, running
  elseif not places then
    return { file = info and info.short_src or "?", line = info and info.currentline or 0, column = 1 }
  end
  return places:call(name, info.currentline, after and after.file == places.file and behind or 0), places
end

---Where a Lua function begins.
---@return moonmill.Place
local function of_function(fn)
  local info = debug.getinfo(fn, "S")
  local places = places_of(info.source)
  if not places then return { file = info.short_src, line = info.linedefined, column = 1 } end
  return places:call("function", info.linedefined, 0)
end

-- What Lua says about a text that it cannot run: "file:line: message"; else the frames tell the line.
local function raise_lua(message, stack, file, id)
  local from, line, what = tostring(message):match "^(.-):(%d+): (.*)$"
  if from ~= file then
    what, line = tostring(message), nil
    for _, frame in ipairs(stack or {}) do
      if frame.file == file then
        line = frame.line
        break
      end
    end
  end
  failure.raise { code = "script", id = id, file = file, line = tonumber(line), message = what, frames = stack }
end

-- A text that is a chain, an expression or whole statements, as Lua statements on the same lines.
local function statements(text)
  local head = 'local mm = require "moonmill" '
  if text:find "^%s*:" then return head .. "return mm.pipeline {} " .. text end
  if loadstring(head .. "return " .. text) then return head .. "return " .. text end
  return head .. text
end

-- What a script may return, and what it is called.
local KINDS = { pipeline = "is_pipeline", module = "is_module" }

---Is a value a pipeline, or a module of functions?
---@return "pipeline"|"module"|nil
local function kind_of(value)
  for kind, mark in pairs(KINDS) do
    if type(value) == "table" and rawget(value, mark) then return kind end
  end
  return nil
end

local HINTS = {
  pipeline = "end it with: return mm.pipeline { ... } :where ... :group ...",
  module = 'end it with: return mm.module { add = mm.fn("a: f64, b: f64 -> f64", function(a, b) ... end) }',
}
-- For who wanted the other kind.
local USES = { pipeline = "moonmill run %s INPUT...", module = "moonmill call %s FUNCTION ARGUMENTS..." }
local MAKERS = { pipeline = "moonmill.pipeline(text) takes it", module = "moonmill.module(text) takes it" }
local function use_of(kind, file) return file:find "^<" and MAKERS[kind] or USES[kind]:format(file) end

-- What the script returned, if it is what was wanted: "pipeline", "module", or nil for any of them.
local function checked(result, wanted, file)
  local kind = kind_of(result)
  if kind and (not wanted or kind == wanted) then return result end
  local found = kind and "a " .. kind or result == nil and "nothing" or type(result)
  wanted = wanted or "pipeline"
  failure.raise { id = "no-" .. wanted, file = file, hint = kind and use_of(kind, file) or HINTS[wanted],
    message = ("the script returned %s, not a %s"):format(found, wanted) }
end

local function run(places, chunk_name, code, set)
  local file = places.file
  if code:sub(1, 1) == "\27" then
    failure.raise { id = "bytecode", file = file, message = "compiled Lua cannot be run as a pipeline" }
  end
  sources[chunk_name] = places
  local chunk, message = loadstring(code, chunk_name)
  if not chunk then raise_lua(message, nil, file, "syntax") end
  setfenv(chunk, set.globals)
  local outer, outer_set, output = running, required, io.output()
  running, required = places, set
  io.output(io.stderr)
  local ok, result = xpcall(chunk, function(err)
    if failure.is(err) then return failure.sound(err) end
    local raised = failure.describe(err)
    return failure.is(raised) and raised or { message = raised, frames = frames.stack(2) }
  end)
  running, required = outer, outer_set
  if not outer then sources = {} end -- files may change until the next run
  io.output(output)
  if not ok then
    if failure.is(result) then error(result, 0) end
    if type(result) ~= "table" then result = { message = result } end
    local memory = failure.memory(result.message)
    if memory then error(memory, 0) end
    raise_lua(result.message, result.frames, file, "script")
  end
  set:note(code)
  return result
end

---The modules of the script that is being run.
---@return moonmill.Modules?
local function modules_of_running() return required end

---Run a file. The modules that it requires are also looked for in its own folder.
---@param path string
---@param wanted "pipeline"|"module"|"any"|nil what it must return; "pipeline" when nothing is said
---@return moonmill.Pipeline|moonmill.Module
---@return moonmill.Modules
local function load(path, wanted)
  local file, reason = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then file:close() end
  if not text then
    failure.raise { code = "io", id = "cannot-open", file = path,
      message = (reason or "cannot read it"):gsub("^.*: ", "") }
  end
  local set = modules.new(text, path:match "^(.*)/[^/]*$" or ".")
  local result = run(Places.new(path, text), "@" .. path, (text:gsub("^#[^\n]*", "")), set)
  return checked(result, wanted ~= "any" and (wanted or "pipeline") or nil, path), set
end

---Run a text: a chain of stages (":where ..."), or a whole script; `mm` is there.
---@param text string
---@param name? string for messages
---@param options? { wanted: string?, modules: table<string, string>? } what it must return, as for load; texts of its
---modules by name
---@return moonmill.Pipeline|moonmill.Module
---@return moonmill.Modules
local function evaluate(text, name, options)
  text = text:gsub("^\239\187\191", "") -- the mark that some editors put first
  name, options = name or "-e", options or {}
  local set, wanted = modules.new(text, nil, options.modules), options.wanted or "pipeline"
  local result = run(Places.new(name, text), "=" .. name, statements((text:gsub("^#[^\n]*", ""))), set)
  return checked(result, wanted ~= "any" and wanted or nil, name), set
end

return { load = load, evaluate = evaluate, caller = caller,
  of_function = of_function, kind_of = kind_of, modules = modules_of_running }
