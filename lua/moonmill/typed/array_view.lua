-- moonmill.typed.array_view - typed arrays as a script sees them: v[i] from 0, #v, each access checked.
--
-- DESIGN. A view is a struct of C, {data, block, count}; its type has metamethods made for one element type, so that a
-- loop never branches on a type, and LuaJIT hoists the loads of data and count: what is left is a comparison per
-- access. When its call has returned lua/host clears the struct: every later access is out of bounds. Compiled loops
-- count in 32 bits, so a count has 32 bits too; the rare larger arrays have a type of their own.
--
-- LuaJIT notes types in the bits of NaNs and takes a float from C as it is. So the bits are looked at before a float is
-- read. LuaJIT assumes that an integer access never meets a float one: the bits may be those of before a store, and
-- what they call a NaN is therefore read once more, by C.
local bit = require "bit"
local ffi = require "ffi"
local fault = require "moonmill.typed.fault"
local native = require "moonmill.base.ffi"
local types = require "moonmill.base.types"

local C = native.C
local COUNT = native.private "count"
local view = {}

---@class moonmill.ViewKind
---@field type moonmill.Type
---@field mut boolean
---@field exact boolean

local BOOL = "uint8_t" -- as numpy and others have them

-- A script that holds a view must not reach its fields: it could move the bounds.
local layout = native.private_source [[struct {
  union { %s%s *_data; const int32_t *_bits; const struct { int32_t low, high; } *_halves; };
  mm_block *_block;
  %s _count;
}]]

-- Counts below 0 tell why there is nothing to see.
view.OVER, view.GIVEN = -1, -2

local SMALL = 2 ^ 31 - 1 -- values that a 32-bit count can tell

local function gone(v)
  if v[COUNT] == view.GIVEN then
    fault.raise("array-given", "the array was handed over when a function returned it",
      "make a new one in each call: mm.array(...)")
  end
  fault.raise("use-after-call", "the array belonged to a call that has returned",
    "an array argument is only valid while its function runs; copy what is to stay")
end

local function bad_index(v, i)
  if v[COUNT] < 0 then gone(v) end
  local message
  if type(i) ~= "number" then
    message = ("an array has no field %s"):format(fault.text(i))
  elseif i ~= math.floor(i) then
    message = ("index %s is not a whole number"):format(fault.text(i))
  else
    local count = tonumber(v[COUNT])
    message = ("index %s is outside an array of %d value%s"):format(fault.text(i), count, count == 1 and "" or "s")
  end
  fault.raise("bad-index", message, "an array is indexed from 0 to #v - 1", i)
end

local function read_only(v, i)
  if v[COUNT] < 0 then gone(v) end
  fault.raise("read-only", ("the array is read-only: v[%s] cannot be assigned"):format(fault.text(i)),
    'declare the argument as mut: "v: mut f64[]"')
end

local function not_a_list()
  fault.raise("bad-argument", "an array has no pairs: it is indexed from 0", "for i = 0, #v - 1 do ... v[i]")
end

local function article(word) return (word:find "^[fi]" and "an " or "a ") .. word end

-- The value is of no use to this kind of array.
local function bad_value(kind, i, x)
  local type_of = kind.type
  local what, hint
  if type_of.id == "bool" then
    what = "is not true or false"
  elseif type(x) == "cdata" and type_of.integer and type_of.bits < 64 then
    what, hint = "is a value of C, not a number", "tonumber(x)"
  elseif type(x) ~= "number" and not (type_of.integer and type(x) == "cdata") then
    what = "is not a number"
  elseif type(x) == "number" and x ~= math.floor(x) then
    what, hint = "is not a whole number", "round it: math.floor(x + 0.5)"
  elseif type(x) == "number" and type_of.bits == 64 and math.abs(x) > 2 ^ 53 then
    what, hint = "is not exact: Lua numbers above 2^53 have gaps", "give an int64_t, as in 9007199254740993LL"
  else
    local low, high = types.range(type_of)
    what = ("does not fit %s (%s to %s)"):format(type_of.id, fault.text(low), fault.text(high))
    hint = ("mm.sat.%s(x) takes the nearest value that fits, mm.wrap.%s(x) the low bits"):format(type_of.id, type_of.id)
  end
  fault.raise("bad-value", ("%s %s, at index %s of %s array"):format(fault.text(x), what, fault.text(i),
    article(type_of.id)), hint, x)
end

local int64, uint64 = ffi.typeof "int64_t", ffi.typeof "uint64_t"

-- A 64-bit integer of C for an array of 64-bit integers.
local function exact(kind, i, x)
  local signed, unsigned = type(x) == "cdata" and ffi.istype(int64, x), type(x) == "cdata" and ffi.istype(uint64, x)
  if kind.type.signed and (signed or unsigned and x <= 0x7fffffffffffffffULL) then return x end
  if not kind.type.signed and (unsigned or signed and x >= 0) then return x end
  bad_value(kind, i, x)
end

-- 2^53 itself has a neighbour that would read as the same number; it is told apart here, out of the way.
local function beyond(x)
  if x == 2LL ^ 53 or not ffi.istype(uint64, x) and x == -(2LL ^ 53) then return end
  fault.raise("not-exact", ("%s cannot be held exactly by a Lua number"):format(fault.text(x)),
    'declare the array as exact: "v: exact i64[]" gives values of type int64_t', x)
end

-- A float whose bits were those of a NaN when they were looked at.
local function plain(pointer, single) return C.mm_plain_nan(pointer, single) end

local READ = {
  integer = "return v._data[i]",
  bool = "return v._data[i] ~= 0",
  exact = "return v._data[i]",
  f64 = [[if band(v._halves[i].high, 0x7fffffff) > 0x7ff00000 then return plain(v._data + i, false) end
    return v._data[i] ]],
  f32 = [[if band(v._bits[i], 0x7fffffff) > 0x7f800000 then return plain(v._data + i, true) end
    return v._data[i] ]],
  wide = [[local x = v._data[i]
    local number = tonumber(x)
    if number >= 9007199254740992 or number <= -9007199254740992 then beyond(x) end
    return number]],
}

local WRITE = {
  bool = [[if x == true then v._data[i] = 1 elseif x == false then v._data[i] = 0 else bad_value(kind, i, x) end]],
  float = [[if type(x) ~= "number" then bad_value(kind, i, x) end
    v._data[i] = x]],
  integer = [[if type(x) ~= "number" or not (x >= LOW and x <= HIGH) or x ~= floor(x) then bad_value(kind, i, x) end
    v._data[i] = x]],
  wide = [[if type(x) == "number" then
      if not (x >= LOW and x <= 9007199254740992) or x ~= floor(x) then bad_value(kind, i, x) end
      v._data[i] = x
    else
      v._data[i] = exact(kind, i, x)
    end]],
}

local SOURCE = [[
local kind, scope = ...
local band, bad_index, bad_value = scope.band, scope.bad_index, scope.bad_value
local beyond, exact, floor, gone = scope.beyond, scope.exact, scope.floor, scope.gone
local plain, tonumber, type = scope.plain, scope.tonumber, scope.type
return {
  __index = function(v, i)
    if type(i) ~= "number" or not (i >= 0 and i < v._count) or i ~= floor(i) then bad_index(v, i) end
    @READ
  end,
  __newindex = function(v, i, x)
    if type(i) ~= "number" or not (i >= 0 and i < v._count) or i ~= floor(i) then bad_index(v, i) end
    @WRITE
  end,
  __len = function(v)
    if v._count < 0 then gone(v) end
    return (tonumber(v._count))
  end,
}]]

-- Our own file, as errors know it: a line of what is generated is no line of the script.
local CHUNK = debug.getinfo(1, "S").source

local scope = {
  band = bit.band, bad_index = bad_index, bad_value = bad_value, beyond = beyond, exact = exact, floor = math.floor,
  gone = gone, plain = plain, tonumber = tonumber, type = type,
}

local function accessors(kind)
  local id, wide = kind.type.id, kind.type.bits == 64 and kind.type.integer
  local read = READ[id] or wide and (kind.exact and READ.exact or READ.wide) or READ.integer
  local write = WRITE[id] or kind.type.float and WRITE.float or wide and WRITE.wide or WRITE.integer
  local low, high = "-9007199254740992", nil
  if kind.type.integer and not wide then
    local least, most = types.range(kind.type)
    low, high = fault.text(tonumber(least)), fault.text(tonumber(most))
  elseif not kind.type.signed then
    low = "0"
  end
  local source = SOURCE:gsub("@READ", read):gsub("@WRITE", write):gsub("LOW", low):gsub("HIGH", high or "")
  local meta = native.load_chunk(native.private_source(source), CHUNK)(kind, scope)
  if not kind.mut then meta.__newindex = read_only end
  meta.__pairs, meta.__ipairs = not_a_list, not_a_list
  function meta.__tostring(v)
    return ("%s[%s]"):format(id, v[COUNT] < 0 and "" or ("%d"):format(tonumber(v[COUNT])))
  end
  return meta
end

local made = {} -- key -> ctype
local kinds = {} -- number of a ctype -> moonmill.ViewKind

---The C type of views of so many values.
---@param type moonmill.Type
---@param options { mut: boolean?, exact: boolean? }
---@param count integer
---@return ffi.ctype*
function view.ctype(type, options, count)
  local big = count > SMALL
  local key = (options.mut and "mut " or "") .. (options.exact and "exact " or "") .. type.id .. (big and " big" or "")
  local ctype = made[key]
  if not ctype then
    local kind = { type = type, mut = options.mut or false, exact = options.exact or false }
    ctype = ffi.typeof(layout:format(kind.mut and "" or "const ", type.ctype or BOOL, big and "double" or "int32_t"))
    ffi.metatype(ctype, accessors(kind))
    made[key], kinds[tonumber(ctype)] = ctype, kind
  end
  return ctype
end

---What kind of array a value is; nil when it is none.
---@param value any
---@return moonmill.ViewKind?
function view.kind(value)
  return type(value) == "cdata" and kinds[tonumber(ffi.typeof(value))] or nil
end

---The C type of an element.
---@param type moonmill.Type
function view.element(type) return type.ctype or BOOL end

---Bytes of an element.
---@param type moonmill.Type
function view.width(type) return ffi.sizeof(type.ctype or BOOL) end

return view
