-- moonmill.base.failure - errors as values: one shape for mistakes in a script, bad data and failed files, as text and
-- as JSON.
--
-- DESIGN. A failure is raised with `error`. `file`, `line`, `column` say where the reader should look: the script for a
-- mistake in it, the input for bad data; then `script` is the place of the operation that met the data. A position
-- within an expression is counted from `origin`, the place {file, line, column} of the first byte of its text.
local ffi = require "ffi"
local native = require "moonmill.base.ffi"
local frames = require "moonmill.base.frames"
local printable = require "moonmill.base.printable"
local rendering = require "moonmill.base.failure_text"

---@class moonmill.Failure
---@field code string kind: "usage", "data", "io", "limit", "script", "memory", "state", "cancel", "bug"
---@field id string kebab-case: "unknown-column"
---@field message string what went wrong; no place, no hint
---@field hint string?
---@field file string?
---@field line integer?
---@field column integer?
---@field stage string|integer|nil
---@field row integer? row of the input, from 1
---@field field string? name of the column
---@field value string? the offending value
---@field script { file: string?, line: integer?, column: integer?, text: string? }?
---@field frames moonmill.Frame[]? the script's functions that were running
local Failure = { is_host = true }
Failure.__index = Failure

local C = native.C
local failure = {}

local IN_HANDLER = "error in error handling" -- what LuaJIT says where a handler of xpcall failed too

local status, exit_codes = {}, {} -- by kind
for i = 0, math.huge do
  local known = C.mm_status_at(i)
  if known == nil then break end
  local kind = ffi.string(known.kind)
  status[kind], exit_codes[kind] = known.code, known.exit_code
end

local bugs = setmetatable({}, { __mode = "k" }) -- failures that were made as bugs

---A failure; `fields.code` defaults to "usage". A message or hint that is too long is cut.
---@param fields table
---@return moonmill.Failure
function failure.new(fields)
  fields.code = fields.code or "usage"
  fields.message = fields.message and printable.cut(fields.message, rendering.most_of(fields))
  fields.hint = fields.hint and printable.cut(fields.hint, printable.MOST)
  if fields.code == "bug" then bugs[fields] = true end
  return setmetatable(fields, Failure)
end

---Raise a failure.
---@param fields table
function failure.raise(fields) error(failure.new(fields), 0) end

---@return boolean
function failure.is(value) return getmetatable(value) == Failure end

local TYPES = { id = "string", message = "string", hint = "string", file = "string", field = "string", value = "string",
  line = "number", column = "number", row = "number" }
local SCRIPT_TYPES = { file = "string", line = "number", column = "number", text = "string" }
local FRAME_TYPES = { file = "string", line = "number", ["function"] = "string" }

-- Is it a line, a column or a row?
local function is_position(number) return number >= 0 and number < 2 ^ 53 and number % 1 == 0 end

-- Take away the fields that are not what they should be.
local function keep_types(fields, types)
  for name, expected in next, types do
    local value = rawget(fields, name)
    if type(value) ~= expected or expected == "number" and not is_position(value) then rawset(fields, name, nil) end
  end
end

-- A table of a script as a plain one of such fields.
local function plain(value, types)
  local fields = {}
  for name in next, types do fields[name] = rawget(value, name) end
  keep_types(fields, types)
  return fields
end

local function plain_frames(value)
  local list = {}
  for i = 1, frames.MOST do
    local frame = rawget(value, i)
    if type(frame) ~= "table" then break end
    list[i] = plain(frame, FRAME_TYPES)
    for name, expected in next, FRAME_TYPES do
      list[i][name] = list[i][name] or (expected == "number" and 0 or "?")
    end
  end
  return list
end

---A failure that code of a user caught and raised again: what it changed is either sound or taken away, and no such
---change makes it a bug.
---@param raised moonmill.Failure
---@return moonmill.Failure raised
function failure.sound(raised)
  keep_types(raised, TYPES)
  local code, stage = rawget(raised, "code"), type(rawget(raised, "stage"))
  if not status[code] or code == "bug" and not bugs[raised] then raised.code = "script" end
  raised.message = raised.message or "the error has no message"
  if raised.id and not raised.id:find "^[%w-]+$" then raised.id = nil end
  if stage ~= "string" and stage ~= "number" then raised.stage = nil end
  raised.script = type(rawget(raised, "script")) == "table" and plain(raised.script, SCRIPT_TYPES) or nil
  raised.frames = type(rawget(raised, "frames")) == "table" and plain_frames(raised.frames) or nil
  return raised
end

---A lack of memory, as any pcall gives it, as a failure; nil for anything else. LuaJIT's own text is all there is: no
---handler of xpcall is called for it.
---@param problem any
---@return moonmill.Failure?
function failure.memory(problem)
  if problem ~= native.NO_MEMORY and (problem ~= IN_HANDLER or not C.mm_host_lacked_memory()) then return nil end
  local err = native.err
  if err.code ~= C.MM_ENOMEM then C.mm_host_fail_memory(err) end
  err.code = 0
  collectgarbage() -- reporting needs memory too
  return failure.new { code = "memory", id = ffi.string(err.id), message = ffi.string(err.message),
    hint = ffi.string(err.hint) }
end

---What the command says when its time is over.
---@param seconds number that --timeout gave it
---@return moonmill.Failure
function failure.timeout(seconds)
  return failure.new { code = "limit", id = "timeout",
    message = ("stopped after %g seconds, as --timeout asked"):format(seconds) }
end

---What code of a user raised, as a text; the failure that its `__tostring` raised, where it did.
---@param value any
---@return string|moonmill.Failure
function failure.describe(value)
  if type(value) == "string" or type(value) == "number" then return tostring(value) end
  if value == nil then return "the error is nil, not a text" end
  local meta = debug.getmetatable(value)
  if type(meta) == "table" and rawget(meta, "__tostring") then
    local ok, text = pcall(tostring, value)
    if not ok and failure.is(text) then return failure.sound(text) end
    if ok and (type(text) == "string" or type(text) == "number") then return tostring(text) end
    return ("the error is a %s whose __tostring gives no text"):format(type(value))
  end
  return ("the error is a %s, not a text"):format(type(value))
end

---The place of byte `at` (from 1) of a text whose first byte stands at `origin`.
---@param origin table? {file, line, column}
---@param text string
---@param at integer
---@return table place {file, line, column}
function failure.locate(origin, text, at)
  local line, start = 0, 1
  for newline in text:sub(1, at - 1):gmatch "()\n" do
    line, start = line + 1, newline + 1
  end
  origin = origin or {}
  local column = at - start + 1
  if line == 0 then column = column + (origin.column or 1) - 1 end
  return { file = origin.file, line = (origin.line or 1) + line, column = column }
end

---Raise a failure at byte `at` of a text that stands at `origin`.
---@param fields table
---@param origin table?
---@param text string
---@param at integer
function failure.raise_at(fields, origin, text, at)
  local place = failure.locate(origin, text, at)
  fields.file, fields.line, fields.column = place.file, place.line, place.column
  fields.expression = text
  failure.raise(fields)
end

failure.text, failure.json = rendering.text, rendering.json
Failure.__tostring = failure.text

---Exit code of the command: 1 data, 2 usage, ... 70 bug.
---@param self moonmill.Failure
---@return integer
function failure.exit_code(self) return exit_codes[self.code] or exit_codes.bug end

---What a call of C returns for it: MM_E*.
---@param self moonmill.Failure
---@return integer
function failure.status(self) return status[self.code] or status.bug end

local function filled(text)
  local value = ffi.string(text)
  return value ~= "" and value or nil
end

---A failure out of what a call of the core left in an mm_error.
---@param err ffi.cdata* mm_error
---@param places table? number of a place -> {origin = {file, line, column}, text =, stage =}, as the builder's finish
---gives
---@return moonmill.Failure
function failure.from_c(err, places)
  local place = places and err.place >= 0 and places[err.place] or nil
  local line, column, row = tonumber(err.line), tonumber(err.column), tonumber(err.row)
  local result = failure.new {
    code = ffi.string(C.mm_status_kind(err.code)), id = filled(err.id) or "error", message = ffi.string(err.message),
    hint = filled(err.hint),
    file = filled(err.file), line = line > 0 and line or nil, column = column > 0 and column or nil,
    row = row >= 0 and row + 1 or nil, field = filled(err.field), value = filled(err.value),
    stage = place and place.stage or err.stage >= 0 and err.stage or nil,
    frames = filled(err.frames) and frames.decode(ffi.string(err.frames)),
  }
  if place then
    local script = { file = place.origin.file, line = place.origin.line, column = place.origin.column,
      text = place.text }
    if result.file then
      result.script = script
    else -- data without a file: the script's place is the best there is
      result.file, result.line, result.column, result.expression = script.file, script.line, script.column, script.text
      result.row_shown = true
    end
  end
  return result
end

local function copy_text(field, size, text) ffi.copy(field, printable.cut(text, size - 1)) end

---Fill in an mm_error: the inverse of from_c.
---@param err ffi.cdata* mm_error *
---@param code integer
---@param about moonmill.Failure|moonmill.Fault id, message, hint, field, value, frames; all but `message` may be nil
---@return integer code
function failure.to_c(err, code, about)
  ffi.fill(err, ffi.sizeof "mm_error")
  err.code, err.stage, err.place, err.row = code, -1, -1, -1
  copy_text(err.id, 24, about.id or "script")
  copy_text(err.message, printable.MOST + 1, about.message)
  copy_text(err.hint, 256, about.hint or "")
  copy_text(err.field, 128, about.field or "")
  copy_text(err.value, 128, about.value or "")
  ffi.copy(err.frames, frames.encode(about.frames or {}, ffi.sizeof(err.frames) - 1))
  return code
end

---Raise what a failed call left in `err`; return any other status.
---@param result integer
---@param err ffi.cdata* mm_error
---@param places table?
---@return integer status
function failure.check(result, err, places)
  if result < 0 then error(failure.from_c(err, places), 0) end
  return result
end

return failure
