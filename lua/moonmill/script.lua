-- moonmill.script - run the text of a pipeline script and give back the pipeline that it returns.
local C = require("moonmill.ffi").C
local failure = require "moonmill.failure"
local Places = require "moonmill.places"

-- luacheck: globals _G.print
local seconds -- that a script may run; nil: no limit
local running -- places of the script that is being run
local sources = {} -- chunk name -> Places, for the scripts that were run here

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

-- What Lua says about a text that it cannot run: "file:line: message"; else the traceback tells the line.
local function raise_lua(message, trace, file, id)
  local from, line, what = tostring(message):match "^(.-):(%d+): (.*)$"
  if from ~= file then
    what, line = tostring(message), nil
    for seen, number in (trace or ""):gmatch "\n%s+([^\n]-):(%d+):" do
      if seen == file then
        line = number
        break
      end
    end
  end
  failure.raise { code = "script", id = id, file = file, line = tonumber(line), message = what }
end

-- A text that is a chain, an expression or whole statements, as Lua statements on the same lines.
local function statements(text)
  local head = 'local mm = require "moonmill" '
  if text:find "^%s*:" then return head .. "return mm.pipeline {} " .. text end
  if loadstring(head .. "return " .. text) then return head .. "return " .. text end
  return head .. text
end

---Let no script run longer than so many seconds while it builds its pipeline; nil: as long as it likes.
---@param limit number?
local function set_limit(limit) seconds = limit end

-- Run a chunk within the limit: a hook looks at the clock every now and then.
local function call(chunk, places, handler)
  if not seconds then return xpcall(chunk, handler) end
  local stop = C.mm_host_clock() + seconds
  debug.sethook(function()
    if C.mm_host_clock() < stop then return end
    debug.sethook()
    failure.raise {
      code = "limit", id = "timeout", file = places.file,
      message = ("stopped after %g seconds, as --timeout asked"):format(seconds),
      hint = "the script itself did not come to an end, no data was read",
    }
  end, "", 100000)
  local ok, result = xpcall(chunk, handler)
  debug.sethook()
  return ok, result
end

-- Data goes to stdout: what a script prints while it builds its pipeline does not.
local function print_to_stderr(...)
  local texts = {}
  for i = 1, select("#", ...) do texts[i] = tostring((select(i, ...))) end
  io.stderr:write(table.concat(texts, "\t"), "\n")
end

local function run(places, chunk_name, code)
  local file = places.file
  if code:sub(1, 1) == "\27" then
    failure.raise { id = "bytecode", file = file, message = "compiled Lua cannot be run as a pipeline" }
  end
  sources[chunk_name] = places
  local chunk, message = loadstring(code, chunk_name)
  if not chunk then raise_lua(message, nil, file, "syntax") end
  local outer, print, output = running, _G.print, io.output()
  running = places
  _G.print = print_to_stderr
  io.output(io.stderr)
  local ok, result = call(chunk, places, function(err)
    if failure.is(err) then return err end
    return { message = err, trace = debug.traceback("", 2) }
  end)
  running = outer
  _G.print = print
  io.output(output)
  if not ok and failure.is(result) then error(result, 0) end
  if not ok then raise_lua(result.message, result.trace, file, "script") end
  if type(result) ~= "table" or not result.is_pipeline then
    failure.raise {
      id = "no-pipeline", file = file,
      message = ("the script returned %s, not a pipeline"):format(result == nil and "nothing" or type(result)),
      hint = "end it with: return mm.pipeline { ... } :where ... :group ...",
    }
  end
  return result
end

---Run a pipeline file. The modules that it requires are also looked for in its own folder.
---@param path string
---@return moonmill.Pipeline
local function load(path)
  local file, reason = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then file:close() end
  if not text then
    failure.raise { code = "io", id = "cannot-open", file = path,
      message = (reason or "cannot read it"):gsub("^.*: ", "") }
  end
  local saved, folder = package.path, path:match "^(.*)/[^/]*$" or "."
  package.path = folder .. "/?.lua;" .. saved
  local ok, result = pcall(run, Places.new(path, text), "@" .. path, (text:gsub("^#[^\n]*", "")))
  package.path = saved
  if not ok then error(result, 0) end
  return result
end

---Run a text: a chain of stages (":where ..."), or a whole script; `mm` is there.
---@param text string
---@param name? string for messages
---@return moonmill.Pipeline
local function evaluate(text, name)
  name = name or "-e"
  return run(Places.new(name, text), "=" .. name, statements(text))
end

return { limit = set_limit, load = load, evaluate = evaluate, caller = caller, of_function = of_function }
