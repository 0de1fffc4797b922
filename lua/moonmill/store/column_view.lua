-- moonmill.store.column_view - a column of the store as a script sees it: v[i] from 0, #v, read-only; nil is null.
--
-- DESIGN. A view is a struct of C with a reference to the column's blocks, which it holds until it is collected. Its
-- type has metamethods made for one type of column, with nulls or without, so that a loop never branches on a type, and
-- LuaJIT hoists the loads of pointers and count. An index is a Lua number of any size: the count is a double, and bits
-- are found by division, which is exact, because an index of C drops its fraction.
--
-- LuaJIT notes types in the bits of NaNs and takes a float from C as it is. So the bits are looked at before a float is
-- read. Dates are days since 1970-01-01, timestamps and durations counts of their unit, as in row functions.
local bit = require "bit"
local ffi = require "ffi"
local fault = require "moonmill.typed.fault"
local native = require "moonmill.base.ffi"
local types = require "moonmill.base.types"

local C = native.C
local COLUMN, COUNT, DATA = native.private "column", native.private "count", native.private "data"
local OFFSETS, VALIDITY = native.private "offsets", native.private "valid"

-- A script that holds a view must not reach its fields: it could move the bounds.
local layout = native.private_source [[struct {
  mm_column _column;
  const uint8_t *_valid;
  union { const %s *_data; const int32_t *_bits; const struct { int32_t low, high; } *_halves; };
  const int32_t *_offsets;
  double _count;
}]]

local NARROW = "return v._data[i]"
local WIDE = [[local x = tonumber(v._data[i])
    if x >= 9007199254740992 or x <= -9007199254740992 then beyond(v, i) end
    return x]]
local TEXT = "return text(v._data + v._offsets[i], v._offsets[i + 1] - v._offsets[i])"

-- The value at i, which is not null, as Lua source.
local READ = {
  i64 = WIDE, u64 = WIDE, timestamp = WIDE, duration = WIDE, utf8 = TEXT, binary = TEXT, null = "return nil",
  f64 = "if band(v._halves[i].high, 0x7fffffff) > 0x7ff00000 then return NAN end\n    return v._data[i]",
  f32 = "if band(v._bits[i], 0x7fffffff) > 0x7f800000 then return NAN end\n    return v._data[i]",
  bool = "return band(v._data[i / 8], BITS[band(i, 7)]) ~= 0",
}

local SOURCE = [[
local scope = ...
local BITS, NAN, band, bad_index, beyond = scope.BITS, scope.NAN, scope.band, scope.bad_index, scope.beyond
local exact, floor, text, tonumber, type = scope.exact, scope.floor, scope.text, scope.tonumber, scope.type
return {
  __index = function(v, i)
    if type(i) ~= "number" or not (i >= 0 and i < v._count) or i ~= floor(i) then
      if i == "i64" then return exact end
      bad_index(v, i)
    end
    @VALID
    @READ
  end,
  __len = function(v) return v._count end,
}]]
local VALID = "if band(v._valid[i / 8], BITS[band(i, 7)]) == 0 then return nil end"

local function bad_index(v, i)
  if type(i) ~= "number" then
    fault.raise("bad-index", ("a column has no field %s"):format(fault.text(i)), "v[i] is a value, #v their number")
  elseif i ~= math.floor(i) then
    fault.raise("bad-index", ("index %s is not a whole number"):format(fault.text(i)), "math.floor(i)")
  end
  fault.raise("bad-index", ("index %s is outside a column of %d value%s"):format(fault.text(i), v[COUNT],
    v[COUNT] == 1 and "" or "s"), "a column is indexed from 0 to #v - 1")
end

local uint64 = ffi.typeof "uint64_t"

-- A value that may not be exact as a Lua number: 2^53 itself is, its neighbour reads as the same number.
local function beyond(v, i)
  local x = v[DATA][i]
  if x == 2LL ^ 53 or not ffi.istype(uint64, x) and x == -(2LL ^ 53) then return end
  local shown = tostring(x):gsub("U?LL$", "")
  fault.raise("not-exact", ("%s cannot be held exactly by a Lua number"):format(shown), "read it as v:i64(i)")
end

-- v:i64(i): a 64-bit integer of C.
local function exact(v, i)
  if type(i) ~= "number" or not (i >= 0 and i < v[COUNT]) or i ~= math.floor(i) then bad_index(v, i) end
  local type = types.from_c(v[COLUMN].type)
  if not type.ctype or type.float then
    fault.raise("bad-index", ("values of type %s are no integers"):format(type.id))
  end
  if v[VALIDITY] ~= nil and bit.band(v[VALIDITY][i / 8], bit.lshift(1, bit.band(i, 7))) == 0 then return nil end
  return v[DATA][i] + 0LL
end

local scope = {
  BITS = ffi.new("const uint8_t[8]", 1, 2, 4, 8, 16, 32, 64, 128), NAN = 0 / 0, band = bit.band, bad_index = bad_index,
  beyond = beyond, exact = exact, floor = math.floor, text = ffi.string, tonumber = tonumber, type = type,
}

local CHUNK = debug.getinfo(1, "S").source -- ours, to those who look for the script's line

local function read_only(_, i)
  fault.raise("read-only", ("the values of the store are read-only: v[%s] cannot be assigned"):format(fault.text(i)),
    "put others under the name")
end

local function not_a_list()
  fault.raise("bad-argument", "a column has no pairs: it is indexed from 0", "for i = 0, #v - 1 do ... v[i]")
end

---Give up the memory; the view is empty from now on.
---@param v ffi.cdata*
local function release(v)
  C.mm_column_release(v[COLUMN])
  v[VALIDITY], v[DATA], v[OFFSETS], v[COUNT] = nil, nil, nil, 0
end

local made = {} -- id of a type, with "?" where there are nulls -> ctype

local function ctype_of(type, nulls)
  local key = type.id .. (nulls and "?" or "")
  if made[key] then return made[key] end
  local source = SOURCE:gsub("@VALID", nulls and VALID or ""):gsub("@READ", READ[type.id] or NARROW)
  local meta = native.load_chunk(native.private_source(source), CHUNK)(scope)
  meta.__newindex, meta.__pairs, meta.__ipairs = read_only, not_a_list, not_a_list
  function meta.__tostring(v) return ("%s[%d]"):format(types.from_c(v[COLUMN].type).name, v[COUNT]) end
  meta.__gc = release
  made[key] = ffi.metatype(ffi.typeof(layout:format(type.ctype or "uint8_t")), meta)
  return made[key]
end

---A view of a column.
---@param column ffi.cdata* mm_column, or a pointer to one
---@return ffi.cdata*
local function new(column)
  local v = ctype_of(types.from_c(column.type), column.valid ~= nil)()
  ffi.copy(v[COLUMN], column, ffi.sizeof "mm_column")
  C.mm_column_retain(v[COLUMN])
  v[VALIDITY], v[DATA] = ffi.cast("const uint8_t *", column.valid), ffi.cast("const void *", column.data)
  v[OFFSETS], v[COUNT] = column.offsets, tonumber(column.length)
  return v
end

---Bytes of the values that a view holds, without text.
---@param v ffi.cdata*
local function bytes(v) return v[COUNT] * math.max(1, tonumber(C.mm_type_width(v[COLUMN].type))) end

return { new = new, release = release, bytes = bytes }
