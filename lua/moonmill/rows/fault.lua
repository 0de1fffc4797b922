-- moonmill.rows.fault - an error inside a row function: which row it was, what to tell about it.
local ffi = require "ffi"
local failure = require "moonmill.failure"
local frames = require "moonmill.frames"
local loop = require "moonmill.rows.loop"
local printable = require "moonmill.printable"

local fault = {}

---@class moonmill.Fault
---@field row integer? row of the batch, from 0; nil when the stack did not tell
---@field message string with the script's file and line
---@field hint string?
---@field id string?
---@field field string? name of the output
---@field value string? what was returned
---@field frames moonmill.Frame[]? the script's functions that were running

local noted -- what the error that is being raised has to say beside its message

---Raise an error at the line of a function: level 1 is the caller of this, 2 the caller's caller.
---@param level integer
---@param message string
---@param hint string?
function fault.raise(level, message, hint)
  noted = { message = message, hint = hint }
  error(message, level + 1)
end

---Raise an error about a result; its place is where the row function begins.
---@param script string "delays.lua:12"
---@param about { message: string, hint: string?, field: string?, value: string? }
function fault.raise_result(script, about)
  noted = about
  noted.id = "result"
  error(script .. ": " .. about.message, 0)
end

local function level_of(fn, from, to)
  for level = from, to do
    local info = debug.getinfo(level, "f")
    if not info then return nil end
    if info.func == fn then return level end
  end
end

-- The number of the outermost level. Getting a deep level costs as many steps, so it is searched by halves.
local function deepest()
  local low, high = 1, 2
  while debug.getinfo(high, "f") do low, high = high, high * 2 end
  while high - low > 1 do
    local middle = math.floor((low + high) / 2)
    if debug.getinfo(middle, "f") then low = middle else high = middle end
  end
  return low
end

local NEAR = 30

-- The loop's row: its variable is found among the frame's locals, so that the loop need not note it.
local function running_row(running)
  local level = level_of(running, 3, NEAR)
  if not level then
    local last = deepest()
    level = level_of(running, math.max(3, last - NEAR), last)
  end
  if not level then return nil end
  for k = 1, 250 do
    local name, value = debug.getlocal(level - 1, k) -- seen from here, not from level_of
    if name == loop.ROW_VARIABLE or not name then return value end
  end
end

-- What our own modules raise, such as views of the store.
local function noted_of(raised)
  return { message = raised.message, hint = raised.hint, id = raised.id, value = raised.value }
end

-- A failure of our own modules stands at the innermost frame of the script. There is none where the row function ended
-- in a call of theirs, `return mm.store.get "x"`: then the stage is the place.
local function text_of(value, innermost)
  if failure.is(value) then
    return innermost and ("%s:%d: %s"):format(innermost.file, innermost.line, value.message) or value.message
  end
  local text = failure.describe(value)
  return failure.is(text) and text.message or text
end

---A message handler for xpcall of a loop.
---@param running fun(): function the loop that runs
---@param kind string what to call the row function: "map"
---@return fun(value: any): moonmill.Fault
function fault.handler(running, kind)
  return function(value)
    if failure.is(value) then failure.sound(value) end
    local row, stack = running_row(running()), frames.stack(2, { running = running(), name = kind })
    local message = text_of(value, stack[1])
    if failure.is(value) then noted = noted_of(value) end
    local result = { row = row, message = message, frames = stack }
    if noted and message:sub(-#noted.message) == noted.message then
      result.hint, result.id, result.field, result.value = noted.hint, noted.id, noted.field, noted.value
    end
    noted = nil
    return result
  end
end

local function copy_text(field, size, text)
  ffi.copy(field, printable.cut(text, size - 1))
end

---Fill in an mm_error.
---@param err ffi.cdata* mm_error *
---@param code integer
---@param about moonmill.Fault
function fault.fill(err, code, about)
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

return fault
