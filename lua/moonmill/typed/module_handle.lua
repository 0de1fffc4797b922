-- moonmill.typed.module_handle - a module of typed functions in a Lua state of its own, as the command sees it: opened,
-- asked, called with Lua values.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local native = require "moonmill.base.ffi"
local suggest = require "moonmill.base.suggest"
local types = require "moonmill.base.types"

local C, err = native.C, native.err

---An array on its way in or out: n values at a pointer. `keep` is whatever keeps them in memory.
---@class moonmill.Values
---@field type moonmill.Type
---@field data ffi.cdata*
---@field n integer
---@field keep any
---@field argument integer? of a result: the number of the argument that it is

---@class moonmill.Handle
local Handle = {}
Handle.__index = Handle

local function slots_of(pointer, count)
  local slots = {}
  for i = 0, count - 1 do
    local slot = pointer[i]
    slots[i + 1] = { name = ffi.string(slot.name), type = types.from_c(slot.type), array = slot.array, mut = slot.mut,
      exact = slot.exact, nullable = slot.nullable }
  end
  return slots
end

---Open a module; raises what is wrong with its script.
---@param name string the file
---@param text string? the script itself; then `name` stands for it in messages
---@return moonmill.Handle
local function open(name, text)
  local out, texts = ffi.new "mm_module *[1]", ffi.new "mm_text[1]"
  if text then texts[0].bytes, texts[0].size = text, #text end
  failure.check(C.mm_module_open(name, texts, text and 1 or 0, nil, out, err), err)
  local self = setmetatable({ pointer = ffi.gc(out[0], C.mm_module_free), functions = {}, name = name }, Handle)
  self.about = ffi.string(C.mm_module_about(self.pointer))
  for i = 0, C.mm_module_count(self.pointer) - 1 do
    local info = C.mm_module_function(self.pointer, i)
    self.functions[i + 1] = {
      number = i, name = ffi.string(info.name), about = ffi.string(info.about), line = tonumber(info.line),
      signature = ffi.string(info.signature), arguments = slots_of(info.arguments, info.argument_count),
      results = slots_of(info.results, info.result_count),
    }
  end
  return self
end

---A function by its name; raises when there is none.
function Handle:find(name)
  local names = {}
  for i, entry in ipairs(self.functions) do
    if entry.name == name then return entry end
    names[i] = entry.name
  end
  failure.raise {
    id = "unknown-function", message = ("%s has no function \"%s\""):format(self.name, name),
    hint = suggest.hint(name, names) or "its functions: " .. table.concat(names, ", "),
  }
end

local function fill_item(item, slot, value)
  if value == nil then
    item.null = true
  elseif slot.array then
    item.data, item.size = value.data, value.n
  elseif slot.type.text then
    item.data, item.size = ffi.cast("const char *", value), #value
  elseif slot.type.float then
    item.f = value
  elseif slot.type.id == "bool" then
    item.i = value and 1 or 0
  else
    item.i = ffi.cast("int64_t", value)
  end
end

local function value_of(item, slot)
  if item.null then return nil end
  if slot.array then
    local owned = item.block ~= nil
    return { type = slot.type, data = item.data, n = tonumber(item.size),
      keep = owned and ffi.gc(item.block, C.mm_block_release) or nil,
      argument = item.argument >= 0 and item.argument + 1 or nil }
  end
  if slot.type.text then return ffi.string(item.data, item.size) end
  if slot.type.float then return item.f end
  if slot.type.id == "bool" then return item.i ~= 0 end
  if slot.type.bits < 64 then return tonumber(item.i) end
  return slot.type.signed and item.i + 0LL or ffi.cast("uint64_t", item.i)
end

---Call a function. Raises its failures. 64-bit integers are int64_t and uint64_t both ways.
---@param entry table of `functions`
---@param values any[] by argument: numbers, booleans, texts, moonmill.Values, nil
---@return any[] results
function Handle:call(entry, values)
  local arguments = ffi.new("mm_item[?]", #entry.arguments + 1)
  local results = ffi.new("mm_item[?]", #entry.results + 1)
  for i, slot in ipairs(entry.arguments) do fill_item(arguments[i - 1], slot, values[i]) end
  failure.check(C.mm_module_enter(self.pointer, true, nil, err), err)
  local status = C.mm_module_call(self.pointer, entry.number, arguments, results, nil, err)
  local list = {}
  for i, slot in ipairs(status >= 0 and entry.results or {}) do list[i] = value_of(results[i - 1], slot) end
  C.mm_module_leave(self.pointer)
  failure.check(status, err)
  return list
end

return { open = open }
