-- moonmill.rows.worker.column_readers - input columns as a row function sees them: one reader per column, r.name ->
-- number, boolean, text or nil.
--
-- DESIGN. A reader is generated per column and per "has nulls in this batch", so no loop tests a type and a null-free
-- batch tests no bit. It reads through a table {data, valid, offsets} that each batch fills anew; compiled loops hoist
-- those loads. Dates are days since 1970-01-01, timestamps and durations their number of units. A float column with
-- NaNs that LuaJIT cannot hold (mm_rows_odd_nan) is read from a copy with plain ones: a look at the whole batch in C
-- costs less than a test in the loop, and interpreted code could not make that test.
local bit = require "bit"
local ffi = require "ffi"
local native = require "moonmill.base.ffi"

local C = native.C
local columns = {}

local NUMBERS = {
  i8 = "int8_t", i16 = "int16_t", i32 = "int32_t", u8 = "uint8_t", u16 = "uint16_t", u32 = "uint32_t", f32 = "float",
  f64 = "double",
  date = "int32_t",
}
-- These do not always fit a Lua number.
local WIDE = { i64 = "int64_t", u64 = "uint64_t", timestamp = "int64_t", duration = "int64_t" }
local TEXT = { utf8 = true, binary = true }

---The type's id without unit and zone: "timestamp(ms)" -> "timestamp".
---@param name string
function columns.base(name) return name:match "^%w+" end

---The C type of a fixed-width type's values, or nil.
---@param name string
function columns.ctype(name)
  local base = columns.base(name)
  return NUMBERS[base] or WIDE[base]
end

function columns.is_wide(name) return WIDE[columns.base(name)] ~= nil end
function columns.is_text(name) return TEXT[columns.base(name)] or false end

local LIMIT = 2 ^ 53

-- The value at row i of a column that is not null there, as Lua source.
local function value_source(base)
  if NUMBERS[base] then return "return column.data[i]" end
  if WIDE[base] then
    return ([[
    local v = tonumber(column.data[i])
    if v >= %d or v <= -%d then beyond(column, i) end
    return v]]):format(LIMIT, LIMIT)
  end
  if TEXT[base] then
    return [[
    local from = column.offsets[i]
    return ffi_string(column.data + from, column.offsets[i + 1] - from)]]
  end
  if base == "bool" then return "return band(rshift(column.data[rshift(i, 5)], i), 1) ~= 0" end
  if base == "null" then return "return nil" end
  return "foreign(column)"
end

---Lua source of a reader, function(i); expects the names of columns.scope and `column` around it.
---@param type_name string
---@param nulls boolean
---@return string
function columns.reader_source(type_name, nulls)
  local test = "if band(rshift(column.valid[rshift(i, 5)], i), 1) == 0 then return nil end\n    "
  return ("function(i)\n    %s%s\n  end"):format(nulls and test or "", value_source(columns.base(type_name)))
end

-- A 64-bit value that may not be exact as a Lua number. Level 5: reader, __index, the user's function.
local function beyond(column, i)
  local exact = column.data[i]
  if exact == 2LL ^ 53 or not ffi.istype("uint64_t", exact) and exact == -(2LL ^ 53) then return end
  local text = tostring(exact):gsub("U?LL$", "")
  column.fail(4, ('r.%s is %s, which a Lua number cannot hold exactly'):format(column.name, text),
    ('read it as r:i64 "%s"'):format(column.name))
end

local function foreign(column) column.fail(4, ("column '%s' has a type that Lua cannot read"):format(column.name)) end

---What readers refer to.
columns.scope = {
  band = bit.band, rshift = bit.rshift, tonumber = tonumber, ffi_string = ffi.string, beyond = beyond,
  foreign = foreign,
}

---The table behind a reader. `fail(level, message, hint)` raises at the user's line.
---@param field { name: string, type: string }
---@param index integer of the column in the batch
---@param fail function
function columns.new(field, index, fail)
  local base = columns.base(field.type)
  local ctype = columns.ctype(field.type) or base == "bool" and "int32_t" or "char"
  return {
    name = field.name, type = field.type, index = index, fail = fail, pointer = ffi.typeof("const " .. ctype .. " *"),
    integer = (NUMBERS[base] or WIDE[base]) and not base:find "^f" or false, float = base:find "^f%d" ~= nil,
    data = false, valid = false, offsets = false, copy = false, copy_size = 0,
  }
end

local bits = ffi.typeof "const int32_t *"

-- The column's n values with plain NaNs.
local function copy_plain(self, data, n)
  if self.copy_size < n then
    self.copy, self.copy_size = ffi.new(self.type == "f32" and "float[?]" or "double[?]", n), n
  end
  ffi.copy(self.copy, data, n * ffi.sizeof(self.type == "f32" and "float" or "double"))
  C.mm_rows_plain_nan(self.copy, n, self.type == "f32")
  return self.copy
end

---Show a column of a batch to its reader.
---@param self table
---@param column ffi.cdata* mm_column
---@param n integer rows
---@param nulls boolean
function columns.point(self, column, n, nulls)
  local data = column.data
  if self.float and C.mm_rows_odd_nan(data, n, self.type == "f32") then data = copy_plain(self, data, n) end
  self.data = ffi.cast(self.pointer, data)
  self.valid = nulls and ffi.cast(bits, column.valid) or false
  self.offsets = column.offsets
end

---The exact value of a 64-bit column, for r:i64 "name".
---@return ffi.cdata*? int64_t or uint64_t
function columns.exact(self, i)
  if not self.integer then self.fail(3, ("column '%s' is %s, not an integer"):format(self.name, self.type)) end
  if self.valid and bit.band(bit.rshift(self.valid[bit.rshift(i, 5)], i), 1) == 0 then return nil end
  return self.data[i] + 0LL
end

return columns
