-- moonmill.session - what a host asks of the language: scripts are loaded, described, checked and planned. Called by
-- lua/host/session.c alone; lua/host/session.h says what the requests are.
--
-- DESIGN. A script's value has a handle, a number; a plan has another one, under which its places in the script are
-- kept for the failures of its jobs. Whatever goes wrong becomes a JSON list of failures and a status.
local ffi = require "ffi"
local describe = require "moonmill.describe"
local failure = require "moonmill.failure"
local halves = require "moonmill.halves"
local input = require "moonmill.input"
local json = require "moonmill.json"
local native = require "moonmill.ffi"
local params = require "moonmill.params"
local plan = require "moonmill.plan"
local reading = require "moonmill.reading"
local schemas = require "moonmill.schemas"
local script = require "moonmill.script"
local types = require "moonmill.types"

local C, err = native.C, native.err
local GIVEN = "%s=..." -- how a parameter is given

---@class moonmill.Entry
---@field value moonmill.Pipeline|moonmill.Module
---@field kind "pipeline"|"module"
---@field modules moonmill.Modules
---@field name string

local entries, last_handle = {}, 0
local plans, last_plan = {}, 0

---A handle for the value of a script.
---@return integer handle
local function keep(value, modules, name)
  last_handle = last_handle + 1
  entries[last_handle] = { value = value, kind = script.kind_of(value), modules = modules, name = name }
  return last_handle
end

---The script that a handle stands for.
---@param handle string|integer
---@param kind? "pipeline"|"module" what it must be
---@return moonmill.Entry
local function entry_of(handle, kind)
  local entry = entries[tonumber(handle)]
  if not entry then
    failure.raise { code = "state", id = "unknown-handle", message = "no script has the handle " .. tostring(handle) }
  end
  if kind and entry.kind ~= kind then
    failure.raise { id = "no-" .. kind, message = ("%s is a %s, not a %s"):format(entry.name, entry.kind, kind) }
  end
  return entry
end

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
  local entry = entry_of(handle)
  local answer = entry.kind == "pipeline" and describe.pipeline(entry.value) or entry.value:describe()
  answer.handle, answer.kind, answer.name = tonumber(handle), entry.kind, entry.name
  answer.text, answer.modules = entry.modules.text, {}
  for name, source in pairs(entry.modules.sources) do answer.modules[name] = source.text end
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
  return described(keep(value, set, name))
end

---The half of a pipeline for parts of the rows, and the half for what that gives of all parts, joined.
for _, half in ipairs { "partial", "merge" } do
  requests[half] = function(handle)
    local entry = entry_of(handle, "pipeline")
    return described(keep(halves[half](entry.value), entry.modules, entry.name))
  end
end

function requests.drop(handle)
  entries[tonumber(handle)] = nil
  return json.null
end

requests.describe = described

-- The same, and it must be known.
local function known_plan(handle, columns, ...)
  local entry = entry_of(handle, "pipeline")
  local bound, total = plan_of(entry, columns, pairs_of(...))
  if bound then return bound, total end
  failure.raise { id = "no-input", hint = "give it data, or declare its input", file = entry.name,
    message = ("%s does not say which columns it reads, so a plan needs some"):format(entry.name) }
end

---What a pipeline reads, gives and leaves out; null when only data can tell.
function requests.check(handle, columns, ...)
  local bound, _, dropped = plan_of(entry_of(handle, "pipeline"), columns, pairs_of(...))
  if not bound then return json.null end
  return { reads = describe.columns(bound.reads), gives = describe.columns(bound.columns),
    dropped = json.list(dropped) }
end

function requests.output(handle, columns, ...)
  return { columns = describe.columns(known_plan(handle, columns, ...).columns) }
end

function requests.explain(handle, columns, ...)
  local bound, total = known_plan(handle, columns, ...)
  require("moonmill.plan.sample").try(bound)
  return require "moonmill.plan.text"(bound, total)
end

---What options of reading files mean ("name", value in turns; a list is its name again and again), as fields of
---mm_csv_options. With a pipeline, of which they might be parameters.
function requests.reading(handle, ...)
  local others = handle ~= "" and {} or nil
  for i, param in ipairs(others and entry_of(handle, "pipeline").value.params or {}) do others[i] = param.name end
  local read = reading.numbers(reading.settings(reading.gather(others, ...), "%s"))
  read.nulls = read.nulls or json.null
  return read
end

---Check values of parameters alone.
function requests.params(handle, ...)
  params.suppose(entry_of(handle, "pipeline").value.params, pairs_of(...), GIVEN)
  return json.null
end

function requests.info(handle)
  local entry = entry_of(handle)
  return entry.kind == "pipeline" and describe.text(entry.value, entry.name) or entry.value:text(entry.name)
end

-- ---- Plans ----

-- A column of a type that we do not compute with can only pass where no row is dropped or moved.
local function check_opaque(bound, handle)
  if bit.band(C.mm_plan_flags(handle), C.MM_STAGE_KEEPS_ROWS) ~= 0 then return end
  for _, column in ipairs(bound.reads) do
    if column.type.opaque then
      failure.raise {
        id = "nested-type", field = column.name,
        hint = ('drop it first (:drop "%s"), or convert it where it comes from'):format(column.name),
        message = ("column \"%s\" is of type %s, which can only pass through where all rows stay"):format(
          column.name, column.type.name),
      }
    end
  end
end

---Bind a pipeline to columns and parameters; the core's plan goes to `to`.
---@param handle integer
---@param schema lightuserdata const mm_schema *
---@param to lightuserdata mm_plan **
---@param ... string parameters, "name", "value" in turns
---@return integer number of the plan, for failures
local function make_plan(handle, schema, to, ...)
  local pipeline = entry_of(handle, "pipeline").value
  local values = params.resolve(pipeline.params, pairs_of(...), GIVEN)
  local arriving, adapt = input.bind_data(pipeline, schemas.from_c(ffi.cast("const mm_schema *", schema)))
  local bound = plan.bind(pipeline, arriving, values, adapt)
  local made, steps = bound:make(), {}
  local result = C.mm_plan_new(schemas.to_c(bound.reads), err)
  for i, item in ipairs(made) do
    steps[i] = item.step
    if result == nil then
      C.mm_stage_free(item.stage)
    elseif C.mm_plan_add(result, item.stage, err) < 0 then
      C.mm_plan_release(result)
      result = nil
    end
  end
  if result == nil then error(failure.from_c(err), 0) end
  ffi.gc(result, C.mm_plan_release)
  check_opaque(bound, result)
  ffi.cast("mm_plan **", to)[0] = ffi.gc(result, nil)
  last_plan = last_plan + 1
  plans[last_plan] = { plan = bound, steps = steps }
  return last_plan
end

---What an error of a job means in the script: JSON.
---@param number integer of the plan
---@param problem lightuserdata const mm_error *
local function explain_failure(number, problem)
  local known, pointer = plans[number], ffi.cast("const mm_error *", problem)
  local found = known and known.plan:failure(pointer, known.steps) or failure.from_c(pointer)
  return "[" .. failure.json(found) .. "]"
end

-- ---- The way in ----

local function as_failure(problem)
  if failure.is(problem) then return problem end
  return failure.new { code = "bug", id = "bug", message = debug.traceback(tostring(problem), 2),
    hint = "this is a mistake in moonmill, not in your script: please report it" }
end

-- Call a function; its result, or the text of failures and their status.
local function guarded(fn, ...)
  local ok, result = xpcall(fn, as_failure, ...)
  if ok then return 0, result end
  return -failure.exit_code(result), "[" .. failure.json(result) .. "]"
end

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
  failure = function(...) return guarded(explain_failure, ...) end,
  forget = function(number, is_script) (is_script and entries or plans)[number] = nil end,
  number_from = function(first) last_handle = first end,
  guard = script.guard, entry = entry_of, requests = requests,
}
