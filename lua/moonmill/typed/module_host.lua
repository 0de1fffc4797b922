-- moonmill.typed.module_host - what lua/host/session/function_call.c asks of a module's own state: run the script, make
-- views, judge what came back, tell what went wrong.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local fault = require "moonmill.typed.fault"
local frames = require "moonmill.base.frames"
local native = require "moonmill.base.ffi"
local script = require "moonmill.script.script"
local signature = require "moonmill.typed.signature"
local view = require "moonmill.typed.array_view"

local int64, uint64 = ffi.typeof "int64_t", ffi.typeof "uint64_t"
local COUNT = native.private "count"

-- A function that makes an empty view for an argument, for C to fill in: small or big.
local function makers(slot)
  local small, big
  return function()
    small = small or view.ctype(slot.type, slot, 0)
    return small()
  end, function()
    big = big or view.ctype(slot.type, slot, 2 ^ 31)
    return big()
  end
end

local function slots_of(slots)
  local list = {}
  for i, slot in ipairs(slots) do
    list[i] = { name = slot.name, type = slot.type.code, array = slot.array, mut = slot.mut, exact = slot.exact,
      nullable = slot.nullable }
    if slot.array then list[i].small, list[i].big = makers(slot) end
  end
  return list
end

local names = setmetatable({}, { __mode = "k" }) -- of the typed functions, by the Lua function

---Run a script.
---@param name string
---@param text string? nil: the file `name`
---@param ... string names and texts of its modules, in turns
---@return table about and functions, as lua/host/session/function_module.c reads them
local function open(name, text, ...)
  local module, modules
  if text then
    local given = {}
    for i = 1, select("#", ...), 2 do given[select(i, ...)] = select(i + 1, ...) end
    module, modules = script.evaluate(text, name, { wanted = "module", modules = given })
  else
    module, modules = script.load(name, "module")
  end
  function modules.globals.os.exit() error("os.exit: a function cannot end the program", 2) end
  local list = {}
  for i, entry in ipairs(module.functions) do
    local value = entry.value
    names[value.fn] = entry.name
    list[i] = {
      name = entry.name, about = value.signature.help or "", signature = signature.describe(value.signature),
      arguments = slots_of(value.signature.arguments), results = slots_of(value.signature.results),
      line = value.place.line, fn = value.fn, entry = entry,
    }
  end
  return { about = module.about or "", functions = list }
end

-- The frames of a call. The outermost is the typed function, which Lua knows no name of.
local function stack_of()
  local stack = frames.stack(3)
  if #stack == 0 or #stack == frames.MOST then return stack end
  for level = 3, math.huge do
    local info = debug.getinfo(level, "f")
    if not info then return stack end
    local name = names[info.func]
    if name then stack[#stack]["function"] = name end
  end
end

---The message handler of calls: any error as a failure with frames.
---@param problem any
---@return moonmill.Failure
local function handler(problem)
  local stack = stack_of()
  if not failure.is(problem) then
    local memory = failure.memory(problem)
    if memory then return memory end
    local message = failure.describe(problem)
    if failure.is(message) then return handler(message) end
    problem = failure.new { code = "script", id = "script", message = message }
    if stack[1] then problem.message = message:gsub("^[^\n]-:%d+: ", "", 1) end
  end
  failure.sound(problem)
  if stack[1] and not problem.file then problem.file, problem.line = stack[1].file, stack[1].line end
  problem.frames = problem.frames or #stack > 0 and stack or nil
  return problem
end

local function ordinal(value, number)
  return #value.signature.results == 1 and "the result" or ("result %d"):format(number)
end

-- Why a value is not what a slot wants.
local function mismatch(value, slot)
  local wanted = signature.slot_text(slot)
  if value == nil then
    return ("is nil, expected %s"):format(wanted), ('declare it as "%s?" if it may be nil'):format(wanted)
  end
  local kind = view.kind(value)
  if slot.array then
    local shown = kind and ("an array of %s"):format(kind.type.id) or fault.text(value)
    return ("is %s, expected %s"):format(shown, wanted), ('make it with mm.array("%s", n)'):format(slot.type.id)
  end
  local shown = kind and "an array" or fault.text(value)
  if slot.type.text and type(value) == "string" then return "is not valid UTF-8", "declare it as binary" end
  if slot.type.integer and type(value) == "number" then
    if value ~= math.floor(value) then
      return ("is %s, which is not a whole number"):format(shown), "round it: math.floor(x + 0.5)"
    elseif slot.type.bits == 64 and math.abs(value) > 2 ^ 53 and math.abs(value) < 2 ^ 63 then
      return ("is %s; Lua numbers above 2^53 are not exact"):format(shown), "return an int64_t"
    end
    return ("is %s, which does not fit %s"):format(shown, wanted),
      ("mm.sat.%s(x) takes the nearest value that fits, mm.wrap.%s(x) the low bits"):format(slot.type.id, slot.type.id)
  end
  return ("is %s, expected %s"):format(shown, wanted)
end

local function raise_result(entry, number, message, hint)
  local place = entry.value.place
  failure.raise {
    code = "script", id = "bad-result",
    message = ("%s: %s %s"):format(entry.name, ordinal(entry.value, number), message),
    hint = hint, file = place.file, line = place.line,
  }
end

---Raise what is wrong with a result that C does not take.
---@param entry { name: string, value: moonmill.Function }
---@param number integer from 1
---@param value any
local function refuse(entry, number, value)
  raise_result(entry, number, mismatch(value, entry.value.signature.results[number]))
end

---A result that is to be an array: 1, or 2 when it is one of more than 2^31 - 1 values. Raises what is wrong with it.
---@return integer
local function check_array(entry, number, value)
  local slot, kind = entry.value.signature.results[number], view.kind(value)
  if not kind or kind.type ~= slot.type then refuse(entry, number, value) end
  if value[COUNT] == view.OVER then
    raise_result(entry, number, "is an array that belonged to a call that has returned",
      "an array argument is only valid while its function runs")
  elseif value[COUNT] == view.GIVEN then
    raise_result(entry, number, "is an array that was handed over by an earlier call",
      'make a new one in each call: mm.array("' .. slot.type.id .. '", n)')
  end
  return #value > 2 ^ 31 - 1 and 2 or 1
end

---What a 64-bit integer result of C is: 1 int64_t, 2 uint64_t. Raises what is wrong with any other value.
---@return integer
local function check_wide(entry, number, value)
  if ffi.istype(int64, value) then return 1 elseif ffi.istype(uint64, value) then return 2 end
  refuse(entry, number, value)
end

---More results than are declared.
local function too_many(entry, count)
  local place, declared = entry.value.place, #entry.value.signature.results
  failure.raise {
    code = "script", id = "bad-result", message = ("%s: returned %d values, %d %s declared"):format(entry.name, count,
      declared, declared == 1 and "is" or "are"),
    file = place.file, line = place.line,
  }
end

---An argument that no Lua number holds.
local function not_exact(entry, number, text)
  local slot = entry.value.signature.arguments[number]
  failure.raise {
    code = "usage", id = "not-exact", field = slot.name, value = text,
    message = ("%s: %s is %s, which a Lua number cannot hold exactly"):format(entry.name, slot.name, text),
    hint = ('declare it as "%s: exact %s" to get an %s'):format(slot.name, slot.type.id,
      slot.type.signed and "int64_t" or "uint64_t"),
  }
end

-- What Lua says where a recursion without end left no room for the handler either.
local NO_ROOM = { ["stack overflow"] = true, ["error in error handling"] = true }

---Fill in an mm_error.
---@param problem any
---@param pointer lightuserdata mm_error *
local function tell(problem, pointer)
  problem = failure.memory(problem) or problem
  if NO_ROOM[problem] then problem = failure.new { code = "script", id = "script", message = problem } end
  if not failure.is(problem) then problem = failure.new { code = "bug", id = "bug", message = tostring(problem) } end
  local err = ffi.cast("mm_error *", pointer)
  failure.to_c(err, failure.status(problem), problem)
  err.line, err.column = problem.line or 0, problem.column or 0
  ffi.copy(err.file, (problem.file or ""):sub(-ffi.sizeof(err.file) + 1))
end

return {
  open = open, handler = handler, tell = tell, refuse = refuse, check_array = check_array, check_wide = check_wide,
  too_many = too_many, not_exact = not_exact, int64 = int64, uint64 = uint64,
}
