-- moonmill.session.requests - what a host asks of the language: scripts are loaded, described, checked and planned.
-- Called by lua/host/session/session.c alone; lua/host/session/session.h says what the requests are.
--
-- DESIGN. A script's value has a handle, a number; a plan has another one, under which its places in the script are
-- kept for the failures of its jobs. Whatever goes wrong becomes a JSON list of failures and a status.
local describe = require "moonmill.pipeline.describe"
local handles = require "moonmill.session.handles"
local failure = require "moonmill.base.failure"
local two_phase = require "moonmill.pipeline.two_phase"
local input = require "moonmill.pipeline.input"
local json = require "moonmill.base.json"
local params = require "moonmill.pipeline.params"
local plan = require "moonmill.plan.plan"
local plans = require "moonmill.session.plans"
local read_options = require "moonmill.io.read_options"
local script = require "moonmill.script.script"
local types = require "moonmill.base.types"

local GIVEN = "%s=..." -- how a parameter is given

-- ---- What requests carry ----

local UNESCAPED = { ["\\t"] = "\t", ["\\n"] = "\n", ["\\\\"] = "\\" }

-- Lines "name\ttype\tnullable": nullable is 0 or 1; in a name \ t and n stand behind a backslash. nil when there are
-- none.
local function columns_of(text)
  if not text or text == "" then return nil end
  local columns = {}
  for name, kind, nullable in text:gmatch "([^\t\n]*)\t([^\t\n]*)\t([01])\n" do
    columns[#columns + 1] = { name = name:gsub("\\.", UNESCAPED), type = types.met(kind), nullable = nullable == "1" }
  end
  return columns
end

-- "name", value in turns.
local function pairs_of(...)
  local given = {}
  for i = 1, select("#", ...), 2 do given[select(i, ...)] = (select(i + 1, ...)) end
  return given
end

-- A plan over the columns that are given, or else promised; nil when only data can tell.
local function plan_of(entry, text, given)
  local pipeline = entry.value
  local columns, values = columns_of(text), params.suppose(pipeline.params, given, GIVEN)
  if columns then
    local arriving, adapt, dropped = input.bind_data(pipeline, columns)
    return plan.bind(pipeline, arriving, values, adapt), #columns, dropped
  end
  columns = input.promised(pipeline.input)
  if columns then return plan.bind(pipeline, columns, values), #columns, {} end
end

-- ---- Requests ----

local requests = {}

local function described(handle)
  local entry = handles.of(handle)
  local answer = entry.kind == "pipeline" and describe.pipeline(entry.value) or entry.value:describe()
  answer.handle, answer.kind, answer.name = tonumber(handle), entry.kind, entry.name
  answer.text, answer.modules = entry.modules.text, {}
  for name, source in pairs(entry.modules.sources) do answer.modules[name] = source.text end
  answer.files = json.list(entry.modules.files)
  return answer
end

---Run a script, kind "file" (`name` is its path) or "text" (`name` is for messages), with the texts of its modules
---("name", text in turns), when they are not in files.
function requests.load(kind, name, text, ...)
  local value, set
  if kind == "file" then
    value, set = script.load(name, "any")
  else
    value, set = script.evaluate(text, name, { wanted = "any", modules = pairs_of(...) })
  end
  -- The script has run: a view of the store that it took is from now on a name, for row functions, and holds no memory.
  local views = package.loaded["moonmill.store.views"]
  if views then views.let_go() end
  return described(handles.keep(value, set, name))
end

---The half of a pipeline for parts of the rows, and the half for what that gives of all parts, joined.
for _, half in ipairs { "partial", "merge" } do
  requests[half] = function(handle)
    local entry = handles.of(handle, "pipeline")
    return described(handles.keep(two_phase[half](entry.value), entry.modules, entry.name))
  end
end

requests.describe = described

-- The same, and it must be known.
local function known_plan(handle, columns, ...)
  local entry = handles.of(handle, "pipeline")
  local bound, total = plan_of(entry, columns, pairs_of(...))
  if bound then return bound, total end
  failure.raise { id = "no-input", hint = "give it data, or declare its input", file = entry.name,
    message = ("%s does not say which columns it reads, so a plan needs some"):format(entry.name) }
end

---What a pipeline reads, gives and leaves out; null when only data can tell.
function requests.check(handle, columns, ...)
  local bound, _, dropped = plan_of(handles.of(handle, "pipeline"), columns, pairs_of(...))
  if not bound then return json.null end
  return { reads = describe.columns(bound.reads), gives = describe.columns(bound.columns),
    dropped = json.list(dropped) }
end

function requests.output(handle, columns, ...)
  return { columns = describe.columns(known_plan(handle, columns, ...).columns) }
end

function requests.explain(handle, columns, ...)
  local bound, total = known_plan(handle, columns, ...)
  require("moonmill.plan.probe_rows").try(bound)
  return require "moonmill.plan.explanation"(bound, total)
end

---The options for reading files.
function requests.reading_options() return read_options.options end

---Options for reading files ("name", value in turns; a list is its name again and again), checked, as the core takes
---them. With a pipeline, of which they might be parameters.
function requests.reading(handle, ...)
  local others = handle ~= "" and {} or nil
  for i, param in ipairs(others and handles.of(handle, "pipeline").value.params or {}) do others[i] = param.name end
  return json.list(read_options.settings(read_options.gather(others, ...), "%s").options)
end

---Check values of parameters alone.
function requests.params(handle, ...)
  params.suppose(handles.of(handle, "pipeline").value.params, pairs_of(...), GIVEN)
  return json.null
end

function requests.info(handle)
  local entry = handles.of(handle)
  return entry.kind == "pipeline" and describe.text(entry.value, entry.name) or entry.value:text(entry.name)
end

-- ---- The way in ----

local function as_failure(problem)
  if failure.is(problem) then return problem end
  return failure.memory(problem) or failure.new { code = "bug", id = "bug",
    message = debug.traceback(tostring(problem), 2),
    hint = "this is a mistake in moonmill, not in your script: please report it" }
end

-- Call a function; its result, or the text of failures and their status.
local function guarded(fn, ...)
  local ok, result = xpcall(fn, as_failure, ...)
  if ok then return 0, result end
  result = failure.memory(result) or result
  return failure.status(result), "[" .. failure.json(result) .. "]"
end

-- "name", "value" of parameters in turns.
local function make_plan(handle, schema, to, ...) return plans.make(handle, schema, to, pairs_of(...), GIVEN) end

local function answer(name, ...)
  local request = requests[name]
  if not request then
    failure.raise { id = "unknown-request", message = ("there is no request \"%s\""):format(name) }
  end
  return json.encode(request(...))
end

return {
  call = function(...) return guarded(answer, ...) end,
  plan = function(...) return guarded(make_plan, ...) end,
  failure = function(...) return guarded(plans.failure, ...) end,
  forget = function(number, is_script) (is_script and handles or plans).forget(number) end,
}
