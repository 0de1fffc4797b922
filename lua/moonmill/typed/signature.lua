-- moonmill.typed.signature - "pixels: mut u8[], by: f64 -> u8[]  -- help": what a typed function takes and gives.
--
-- DESIGN. One walk over the text, left to right; every complaint names the byte where it arose.
local failure = require "moonmill.base.failure"
local types = require "moonmill.base.types"

---@class moonmill.Slot an argument or a result
---@field name string of an argument; "" for a result
---@field type moonmill.Type
---@field array boolean
---@field mut boolean an array that the function may write
---@field exact boolean 64-bit integers come as int64_t and uint64_t, not as numbers
---@field nullable boolean

---@class moonmill.Signature
---@field arguments moonmill.Slot[]
---@field results moonmill.Slot[]
---@field help string|false

local FORM = 'the form is "name: type, ... -> type, ...", as in "pixels: mut u8[], by: f64 -> u8[]"'

local Reader = {}
Reader.__index = Reader

function Reader:place()
  local place = failure.locate(self.item.place, self.text, self.at)
  place.stage = self.item.place.stage
  return place
end

function Reader:fail(message, hint) self.call:fail("bad-signature", message, hint or FORM, self:place()) end

-- The text at the cursor, if it matches; the cursor moves past it and the white space that follows.
function Reader:take(pattern)
  local found, behind = self.text:match("^(" .. pattern .. ")%s*()", self.at)
  if found then self.at = behind end
  return found
end

-- The text at the cursor, for messages.
function Reader:rest()
  local rest = self.text:sub(self.at):match "^[^,]*"
  return rest == "" and "the end" or ('"%s"'):format(rest)
end

local VALUES = "bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 utf8 binary"

-- The type word at the cursor. Times are no values of Lua, so functions do not take them.
function Reader:type()
  local at = self.at
  local word = self:take "[%a_][%w_]*"
  if not word then self:fail("expected a type, found " .. self:rest(), "the types are " .. VALUES) end
  self.at, at = at, self.at
  local type = types.parse(word, self:place())
  if not (type.number or type.text or type.id == "bool") then
    self:fail(("a typed function has no values of type %s"):format(type.name), "the types are " .. VALUES)
  end
  self.at = at
  return type
end

function Reader:slot(name, result)
  local start = self.at
  local mut = self:take "mut%f[^%w_]" ~= nil
  local exact = self:take "exact%f[^%w_]" ~= nil
  local type = self:type()
  local array = self:take "%[%s*%]" ~= nil
  local slot = { name = name, type = type, array = array, mut = mut, exact = exact,
    nullable = self:take "%?" ~= nil }
  local stop = self.at
  self.at = start
  if mut and result then self:fail("a result is not mut", "mut stands before arrays that are taken") end
  if mut and not array then self:fail("mut is for arrays", ('as in "%s: mut %s[]"'):format(name, type.name)) end
  if exact and not (type.integer and type.bits == 64) then
    self:fail("exact is for i64 and u64", "values of other types are exact as Lua numbers")
  end
  if exact and result then self:fail("exact is for arguments", "a result may always be an int64_t or uint64_t") end
  if array and type.text then
    self:fail(("there are no arrays of %s"):format(type.name), "arrays hold numbers or bool")
  end
  self.at = stop
  return slot
end

function Reader:argument(seen)
  local start, name = self.at, self:take "[%a_][%w_]*"
  if not name then self:fail("expected the name of an argument, found " .. self:rest()) end
  if seen[name] then
    self.at = start
    self:fail(('the argument "%s" is named twice'):format(name))
  end
  if not self:take ":" then self:fail(('expected ":" behind the argument "%s", found %s'):format(name, self:rest())) end
  seen[name] = true
  return self:slot(name)
end

function Reader:list(read)
  local list = {}
  repeat list[#list + 1] = read() until not self:take ","
  return list
end

---@param call moonmill.Call
---@param item { text: string, place: moonmill.Place }
---@return moonmill.Signature
local function parse(call, item)
  local text, help = item.text:match "^(.-)%s*%-%-%s*(.-)%s*$"
  local self = setmetatable({ call = call, item = item, text = (text or item.text):match "^(.-)%s*$", at = 1 }, Reader)
  self:take ""
  local signature, seen = { arguments = {}, results = {}, help = help or false }, {}
  local function done() return self.at > #self.text end
  if not done() and not self.text:find("^%->", self.at) then
    signature.arguments = self:list(function() return self:argument(seen) end)
  end
  if self:take "%->" then signature.results = self:list(function() return self:slot("", true) end) end
  if not done() then
    self:fail(("unexpected %s"):format(self:rest()),
      #signature.results > 0 and "results are types, parted by commas" or nil)
  end
  return signature
end

local function slot_text(slot)
  return (slot.name ~= "" and slot.name .. ": " or "") .. (slot.mut and "mut " or "") .. (slot.exact and "exact " or "")
    .. slot.type.name .. (slot.array and "[]" or "") .. (slot.nullable and "?" or "")
end

local function list_text(slots)
  local texts = {}
  for i, slot in ipairs(slots) do texts[i] = slot_text(slot) end
  return table.concat(texts, ", ")
end

---The signature in its plain form, without help: "pixels: mut u8[], by: f64 -> u8[]".
---@param signature moonmill.Signature
---@return string
local function describe(signature)
  local results = #signature.results > 0 and "-> " .. list_text(signature.results) or ""
  local arguments = list_text(signature.arguments)
  return arguments .. (arguments ~= "" and results ~= "" and " " or "") .. results
end

return { parse = parse, describe = describe, slot_text = slot_text }
