-- moonmill.rows.worker.result_writers - what a row function returns, written to output columns: one writer per output,
-- as Lua source inside the loop.
--
-- DESIGN. Fixed-width values go straight into the new column. Booleans and nulls are noted as bytes and packed into
-- bits by C at the end of the batch; text is gathered in a buffer that is kept from batch to batch, then copied to its
-- exact size.
local ffi = require "ffi"
local columns = require "moonmill.rows.worker.column_readers"
local native = require "moonmill.base.ffi"

local C, err, check = native.C, native.err, native.check
local int64, uint64 = ffi.typeof "int64_t", ffi.typeof "uint64_t"

local Result = {}
Result.__index = Result

local MAX_TEXT = 2 ^ 31 - 1

---@param field { name: string, type: string, nullable: boolean }
---@param kind ffi.cdata* mm_type of the output
---@param raise fun(output: table, value: any, what: string, hint: string?)
local function new(field, kind, raise)
  local base = columns.base(field.type)
  local self = setmetatable({
    name = field.name, type = field.type, base = base, nullable = field.nullable, kind = kind, raise = raise,
    text = columns.is_text(field.type), data = false, valid = false, offsets = false, room = 0,
  }, Result)
  local ctype = columns.ctype(field.type) or "uint8_t"
  self.pointer = ffi.typeof(ctype .. " *")
  if self.text then self.gathered = ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free) end
  return self
end

-- The checks and the store for value `v` at row i; `data`, `at`, `room` are locals of the loop.
local STORE = {
  f64 = [[if type(v) ~= "number" then bad(out, v) end data[i] = v]],
  bool = [[if v == true then data[i] = 1 elseif v == false then data[i] = 0 else bad(out, v) end]],
  integer = [[if type(v) ~= "number" then bad(out, v) end data[i] = v if data[i] ~= v then bad(out, v) end]],
  wide = [[
    if type(v) == "number" then
      if v >= LOW and v <= 9007199254740992 and v == floor(v) then data[i] = v else bad(out, v) end
    else data[i] = exact(out, v) end]],
  text = [[
    if type(v) ~= "string" then bad(out, v) end
    local size = #v
    if at + size > room then data, room = grow(out, at, size) end
    copy(data + at, v, size)
    at = at + size
    offsets[i + 1] = at]],
}
STORE.f32, STORE.utf8, STORE.binary = STORE.f64, STORE.text, STORE.text
for _, base in ipairs { "i8", "i16", "i32", "u8", "u16", "u32", "date" } do STORE[base] = STORE.integer end
for _, base in ipairs { "i64", "timestamp", "duration" } do
  STORE[base] = STORE.wide:gsub("LOW", "-9007199254740992")
end
STORE.u64 = STORE.wide:gsub("LOW", "0")

local LOCALS = { data = true, at = true, room = true, offsets = true, valid = true, out = true, v = true }

local function number_locals(source, k)
  return (source:gsub("%f[%w_]%a+%f[^%w_]", function(name) return LOCALS[name] and name .. k or nil end))
end

---Lua source that stores result number k of a row; its locals carry the number.
---@param k integer
---@return string
function Result:store_source(k)
  local store = STORE[self.base]
  local source
  if self.nullable then
    local null = self.text and "valid[i] = 0 offsets[i + 1] = at" or "valid[i] = 0 data[i] = 0"
    source = ("if v == nil then %s else %s end"):format(null, store)
  else
    source = store
  end
  return number_locals(source, k)
end

---Lua source of the locals that store_source uses, before the loop.
---@param k integer
---@return string
function Result:local_source(k)
  local source = "local out = outputs[K] "
    .. "local data, valid, offsets, at, room = out.data, out.valid, out.offsets, 0, out.room"
  return (number_locals(source:gsub("K", tostring(k)), k):gsub("%.(%a+)" .. k, ".%1"))
end

local function describe(v)
  if type(v) == "cdata" then return "a C value" end
  if type(v) == "string" then return #v > 40 and "text" or ("%q"):format(v) end
  if type(v) == "number" then return ("%.17g"):format(v) end
  return v == nil and "nil" or type(v) == "boolean" and tostring(v) or "a " .. type(v)
end

-- The value is of no use; says why.
local function bad(self, v)
  if v == nil then
    self:raise(v, ("result '%s' is nil, and it is not declared as nullable"):format(self.name),
      ('declare it as "%s: %s?"'):format(self.name, self.type))
  end
  local number = type(v) == "number" and STORE[self.base] ~= STORE.text and self.base ~= "bool"
  local what = ("result '%s' is %s, which is not %s"):format(self.name, describe(v), self.text and "text" or self.type)
  local hint
  if number and v ~= math.floor(v) then hint = "round it: math.floor(x + 0.5)"
  elseif number and math.abs(v) > 2 ^ 53 then hint = "a Lua number this large is not exact; give an int64_t"
  elseif number then what = ("result '%s' is %s, which does not fit %s"):format(self.name, describe(v), self.type)
  end
  self:raise(v, what, hint)
end

-- A 64-bit integer of C for a 64-bit column.
local function exact(self, v)
  local signed, unsigned = type(v) == "cdata" and ffi.istype(int64, v), type(v) == "cdata" and ffi.istype(uint64, v)
  if self.base == "u64" and (unsigned or signed and v >= 0) then return v end
  if self.base ~= "u64" and (signed or unsigned and v <= 0x7fffffffffffffffULL) then return v end
  bad(self, v)
end

local function grow(self, used, extra)
  local buffer = self.gathered
  if used + extra > MAX_TEXT then
    self:raise(nil, ("result '%s' has more than 2 GiB of text in one batch"):format(self.name))
  end
  buffer.size = used
  check(C.mm_buffer_reserve(buffer, extra, err))
  self.room = tonumber(buffer.capacity)
  self.data = ffi.cast("uint8_t *", buffer.data)
  return self.data, self.room
end

---What writers refer to.
local scope = { type = type, floor = math.floor, copy = ffi.copy, bad = bad, exact = exact, grow = grow }

---Make room for n rows.
---@param n integer
---@param column ffi.cdata* mm_column, empty
function Result:begin(n, column)
  self.column = column
  if not self.notes or self.notes_size < n then
    self.notes, self.notes_size = ffi.new("uint8_t[?]", 2 * n), n
  end
  if self.nullable then
    self.valid = self.notes
    ffi.fill(self.valid, n, 1)
  end
  if self.text then
    if not self.starts or self.starts_size < n then
      self.starts, self.starts_size = ffi.new("int32_t[?]", n + 1), n
    end
    self.offsets = self.starts
    self.offsets[0] = 0
    grow(self, 0, math.max(self.room, 16 * n))
  elseif self.base == "bool" then
    self.data = self.notes + n
  else
    check(C.mm_column_make(column, self.kind, n, 0, false, err))
    self.data = ffi.cast(self.pointer, C.mm_block_data(column.data_block))
  end
end

-- Validity bits of the first n rows, unless all are set.
function Result:attach_valid(n)
  local column = self.column
  local block = C.mm_block_new(math.max(8, math.ceil(n / 64) * 8), err)
  if block == nil then check(err.code) end
  local words = ffi.cast("uint64_t *", C.mm_block_data(block))
  if C.mm_rows_pack(words, self.valid, n) == n then
    C.mm_block_release(block)
  else
    column.valid_block, column.valid = block, words
  end
end

---Complete the column with its first n rows. Returns the first row whose text is not UTF-8, if any.
---@param n integer
---@return integer? row
function Result:complete(n)
  local column, invalid = self.column, nil
  if self.base == "utf8" then
    local row = tonumber(C.mm_rows_invalid_text(self.offsets, self.data, n))
    if row >= 0 then invalid, n = row, row end
  end
  if self.text then
    local bytes = self.offsets[n]
    check(C.mm_column_make(column, self.kind, n, bytes, false, err))
    ffi.copy(ffi.cast("void *", column.offsets), self.offsets, 4 * (n + 1))
    ffi.copy(ffi.cast("void *", column.data), self.data, bytes)
  elseif self.base == "bool" then
    check(C.mm_column_make(column, self.kind, n, 0, false, err))
    C.mm_rows_pack(ffi.cast("uint64_t *", column.data), self.data, n)
  elseif self.base == "f64" or self.base == "f32" then
    C.mm_rows_plain_nan(self.data, n, self.base == "f32")
  end
  column.length = n
  if self.nullable then self:attach_valid(n) end
  return invalid
end

return { new = new, scope = scope }
