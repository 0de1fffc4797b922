-- moonmill.base.types - the types of columns: names, parsing, properties, and the C core's mm_type.
--
-- DESIGN. A type is one table per spelling, so types compare with `==`. `types.i64` is a type; types with a unit or a
-- zone come from `types.parse "timestamp(ms)"` or `types.make("timestamp", "ms")`.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local native = require "moonmill.base.ffi"
local suggest = require "moonmill.base.suggest"

local C, err = native.C, native.err

---@class moonmill.Type
---@field name string "i64", "timestamp(ms)"
---@field id string the name without unit and zone
---@field code integer MM_I64 ...
---@field unit string? "s", "ms", "us", "ns"
---@field zone string? "" for UTC unsaid
---@field integer boolean
---@field signed boolean
---@field float boolean
---@field number boolean
---@field bits integer? of numbers
---@field ctype string? the C type of values of a fixed width; nil for bool, whose values are bits
---@field time boolean has a unit
---@field opaque boolean a foreign type, which is only passed through
---@field number_met integer? of a foreign type: the core's number of it
local Type = {}
Type.__index = Type
Type.__tostring = function(self) return self.name end

local types = { names = {}, numbers = {} }

local units = { s = 0, ms = 1, us = 2, ns = 3 }
local unit_names = { [0] = "s", "ms", "us", "ns" }
local interned = {}

local function define(id, code, fields)
  fields = fields or {}
  local integer = fields.integer or false
  local float = fields.float or false
  return setmetatable({
    id = id, code = tonumber(code), integer = integer, float = float, number = integer or float,
    signed = fields.signed or false, bits = fields.bits, ctype = fields.ctype, time = fields.time or false,
    text = fields.text or false, opaque = fields.opaque or false,
  }, Type)
end

local bases = {}
local function base(id, code, fields)
  bases[id] = define(id, code, fields)
  types.names[#types.names + 1] = id
  if bases[id].number then types.numbers[#types.numbers + 1] = id end
end

base("bool", C.MM_BOOL)
for _, bits in ipairs { 8, 16, 32, 64 } do
  base("i" .. bits, C["MM_I" .. bits], { integer = true, signed = true, bits = bits, ctype = ("int%d_t"):format(bits) })
end
for _, bits in ipairs { 8, 16, 32, 64 } do
  base("u" .. bits, C["MM_U" .. bits], { integer = true, bits = bits, ctype = ("uint%d_t"):format(bits) })
end
base("f32", C.MM_F32, { float = true, bits = 32, signed = true, ctype = "float" })
base("f64", C.MM_F64, { float = true, bits = 64, signed = true, ctype = "double" })
base("utf8", C.MM_UTF8, { text = true })
base("binary", C.MM_BINARY, { text = true })
base("date", C.MM_DATE, { ctype = "int32_t" })
base("timestamp", C.MM_TIMESTAMP, { time = true, ctype = "int64_t" })
base("duration", C.MM_DURATION, { time = true, ctype = "int64_t" })
base("null", C.MM_NULL)

---The type of an id, with a unit (default "us") and a zone (default UTC) where the id takes them.
---@param id string
---@param unit string?
---@param zone string?
---@return moonmill.Type
function types.make(id, unit, zone)
  local of = bases[id] or error("types.make: no type " .. tostring(id), 2)
  local name = id
  if of.time then
    unit, zone = unit or "us", id == "timestamp" and zone or ""
    if zone ~= "" then
      name = ("%s(%s, %s)"):format(id, unit, zone)
    elseif unit ~= "us" then
      name = ("%s(%s)"):format(id, unit)
    end
  end
  local found = interned[name]
  if not found then
    found = setmetatable({}, Type)
    for key, value in pairs(of) do found[key] = value end
    found.name = name
    if of.time then found.unit, found.zone = unit, zone end
    interned[name] = found
  end
  return found
end

for _, id in ipairs(types.names) do types[id] = types.make(id) end

-- Names of other tools, for the hint.
local others = {
  int = "i64", integer = "i64", int64 = "i64", int32 = "i32", int16 = "i16", int8 = "i8", bigint = "i64", long = "i64",
  uint8 = "u8",
  uint16 = "u16", uint32 = "u32", uint64 = "u64", byte = "u8", float = "f64", double = "f64", number = "f64",
  float64 = "f64",
  float32 = "f32", string = "utf8", str = "utf8", text = "utf8", varchar = "utf8", boolean = "bool",
  datetime = "timestamp",
  time = "timestamp", bytes = "binary", blob = "binary", interval = "duration",
}

-- "did you mean", by this tool's names and by those of others.
local function type_hint(word)
  local other = others[word:lower()]
  if not other and not suggest.nearest(word, types.names) then
    local words = {}
    for name in pairs(others) do words[#words + 1] = name end
    table.sort(words)
    other = others[suggest.nearest(word, words)]
  end
  return other and ('did you mean "%s"?'):format(other) or suggest.hint(word, types.names)
    or "the types are " .. table.concat(types.names, " ")
end

---Parse "f64", "utf8?", "timestamp(ms)", "timestamp(us, Europe/Paris)".
---@param text string
---@param place table? {file, line, column} for the error
---@return moonmill.Type type
---@return boolean nullable the text ended with "?"
function types.parse(text, place)
  place = place or {}
  local function fail(message, hint)
    failure.raise { id = "type", message = message, hint = hint, file = place.file, line = place.line,
      column = place.column }
  end
  local trimmed = text:match "^%s*(.-)%s*$"
  local word, question = trimmed:match "^(.-)%s*(%??)$"
  local id, arguments = word:match "^([%w_]+)%s*%((.*)%)$"
  id = id or word
  local of = bases[id]
  if not of then
    fail(('there is no type "%s"'):format(id), type_hint(id))
  end
  if not arguments then return types.make(id), question ~= "" end
  if not of.time then fail(('type "%s" takes no unit'):format(id)) end
  local unit, zone = arguments:match "^%s*(%w+)%s*,%s*(%S+)%s*$"
  unit = unit or arguments:match "^%s*(%w+)%s*$"
  if not units[unit] then
    fail(('"%s" is not a unit of %s'):format(arguments, id), 'the units are s ms us ns, as in "' .. id .. '(ms)"')
  end
  if zone and id ~= "timestamp" then fail("a " .. id .. " has no zone") end
  return types.make(id, unit, zone), question ~= ""
end

---The core's form of a type.
---@param type moonmill.Type
---@return ffi.cdata* mm_type
function types.to_c(type)
  local result = ffi.new("mm_type", type.code)
  if type.opaque then result.zone = type.number_met or 0 end
  if type.time then
    result.unit = units[type.unit]
    if type.zone ~= "" then
      result.zone = failure.check(C.mm_zone_intern(type.zone, err), err)
    end
  end
  return result
end

local by_code = {}
for id, of in pairs(bases) do by_code[of.code] = id end

-- A foreign type by the name that the core gives it.
local function foreign(type)
  local name = ffi.string(C.mm_type_name(type, ffi.new "char[64]", 64))
  local found = interned[name]
  if not found then
    found = setmetatable({}, Type)
    for key, value in pairs(bases.opaque) do found[key] = value end
    found.name, found.number_met = name, type.zone
    interned[name] = found
  end
  return found
end

---The type of the core's mm_type. A foreign type that is only passed through has the id "opaque" and a name of its own.
---@param type ffi.cdata* mm_type
---@return moonmill.Type
function types.from_c(type)
  local id = by_code[tonumber(type.id)]
  if not id then return foreign(type) end
  if not bases[id].time then return types.make(id) end
  return types.make(id, unit_names[type.unit], type.zone ~= 0 and ffi.string(C.mm_zone_name(type.zone)) or "")
end

bases.opaque = define("opaque", C.MM_OPAQUE, { opaque = true })
types.opaque = types.make "opaque"

---The type of a name that data has: one of ours, or a foreign type that was met.
---@param name string
---@return moonmill.Type type
---@return boolean nullable the name ended with "?"
function types.met(name)
  local type = ffi.new "mm_type[1]"
  local foreign_name = C.mm_type_parse(name, type, nil) >= 0 and type[0].id == C.MM_OPAQUE
  if foreign_name then return types.from_c(type[0]), false end
  return types.parse(name)
end

---Units in a second, as an int64.
types.per_second = { s = 1LL, ms = 1000LL, us = 1000000LL, ns = 1000000000LL }

---The finer of two units.
---@return string
function types.finer_unit(a, b) return units[a] > units[b] and a or b end

---Least and greatest value of an integer type, as int64 or uint64.
---@param type moonmill.Type
function types.range(type)
  if not type.signed then
    return 0ULL, type.bits == 64 and 0xFFFFFFFFFFFFFFFFULL or 2ULL ^ type.bits - 1
  end
  local top = type.bits == 64 and 0x7FFFFFFFFFFFFFFFLL or 2LL ^ (type.bits - 1) - 1
  return -top - 1, top
end

---Does an integer constant (int64 or uint64) lie within an integer type?
---@param value ffi.cdata*
---@param type moonmill.Type
---@return boolean
function types.holds(value, type)
  local low, high = types.range(type)
  if ffi.istype("uint64_t", value) then return value <= ffi.cast("uint64_t", high) end
  if value < 0 then return type.signed and value >= low end
  return ffi.cast("uint64_t", value) <= ffi.cast("uint64_t", high)
end

return types
