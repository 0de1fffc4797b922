-- columns - what the core's specs are fed with and looked at: columns, batches and tables from Lua lists, and back.
--
--   local columns = require "columns"
--   local null = columns.null                       -- stands for null in lists
--   local c = columns.column("i64", { 1, null, 3 })  -- mm_column, released when collected
--   local t = columns.table({ { "a", "i64", { 1, 2 } }, { "b", "utf8", { "x", null } } }, 64) -- batches of 64 rows
--   columns.values(c) --> { 1, null, 3 }; i64 and u64 above 2^53 as int64_t and uint64_t; dates, timestamps as numbers
--   columns.text(c)   --> { "1", "null", "3" }: comparable even with NaN and -0
--   columns.lists(t)  --> { a = { 1, 2 }, b = { "x", null } }
--   columns.run(t, { stage, ... }, { threads = 2, batch_rows = 64 })
--                     --> lists of the result, its schema as { { "a", "i64", nullable }, ... }; or nil, mm_error.
--                         Takes the stages and adds the table sink.
--
-- A column is nullable when its list holds a null; a further argument true makes it nullable anyway. `list.n` rows are
-- taken when set, else #list. Lists may be functions: columns.column(type, f, nullable, n) calls f(i) for i = 1 .. n.
local ffi = require "ffi"
local moonmill = require "moonmill.base.ffi"
local C = moonmill.C

local M = { null = setmetatable({}, { __tostring = function() return "null" end }) }
local null = M.null

local ctypes = {
  i8 = "int8_t", i16 = "int16_t", i32 = "int32_t", i64 = "int64_t", u8 = "uint8_t", u16 = "uint16_t", u32 = "uint32_t",
  u64 = "uint64_t", f32 = "float", f64 = "double", date = "int32_t", timestamp = "int64_t", duration = "int64_t",
}

local function check(status, err)
  if status < 0 then error(ffi.string(err.message), 3) end
  return status
end

---Bytes that the core holds, without states of Lua and what the collector would free now.
function M.memory_used()
  collectgarbage()
  collectgarbage()
  return tonumber(C.mm_memory_used() - C.mm_memory_reserved())
end

---The mm_type of a name such as "timestamp(ms)".
function M.type(name)
  local kind, err = ffi.new "mm_type", ffi.new "mm_error"
  check(C.mm_type_parse(name, kind, err), err)
  return kind
end

---The name of an mm_type.
function M.type_name(kind)
  return ffi.string(C.mm_type_name(kind, ffi.new("char[?]", 100), 100))
end

local function base_name(kind) return (M.type_name(kind):match "^%w+") end

---The C type that stores values of a type name, or nil for bool, utf8, binary and null.
function M.ctype(name) return ctypes[name:match "^%w+"] end

local function set_bit(bits, i, on)
  local byte = bit.rshift(i, 3)
  local mask = bit.lshift(1, bit.band(i, 7))
  bits[byte] = on and bit.bor(bits[byte], mask) or bit.band(bits[byte], bit.bnot(mask))
end

local function get_bit(bits, i) return bit.band(bit.rshift(bits[bit.rshift(i, 3)], bit.band(i, 7)), 1) == 1 end

---Fill an mm_column made by the core from a list (or function) of n values.
local function fill(column, name, get, n)
  local valid = column.valid ~= nil and ffi.cast("uint8_t *", C.mm_block_data(column.valid_block))
  local data = column.data_block ~= nil and C.mm_block_data(column.data_block)
  local cast = M.ctype(name)
  if cast then data = ffi.cast(cast .. " *", data) end
  local offsets = column.offsets ~= nil and ffi.cast("int32_t *", C.mm_block_data(column.offsets_block))
  local at = 0
  for i = 0, n - 1 do
    local value = get(i + 1)
    local is_null = value == null or value == nil
    if valid then set_bit(valid, i, not is_null) end
    if offsets then
      if not is_null then
        ffi.copy(data + at, value, #value)
        at = at + #value
      end
      offsets[i + 1] = at
    elseif cast then
      data[i] = is_null and 0 or value
    elseif data then
      set_bit(data, i, value == true)
    end
  end
end

---Fill `to` (an mm_column *, empty) with values of a type.
local function make(to, name, list, nullable, n)
  local get = type(list) == "function" and list or function(i) return list[i] end
  n = n or list.n or #list
  local bytes = 0
  local text = name == "utf8" or name == "binary"
  for i = 1, n do
    local value = get(i)
    if value == null or value == nil then nullable = true
    elseif text then bytes = bytes + #value end
  end
  local err = ffi.new "mm_error"
  check(C.mm_column_make(to, M.type(name), n, bytes, nullable or false, err), err)
  fill(to, name, get, n)
  return nullable or false
end

---An mm_column with the values of a list or function.
---@param name string type
---@param list table|function
---@param nullable? boolean
---@param n? integer rows, when list is a function
function M.column(name, list, nullable, n)
  local box = ffi.gc(ffi.new "mm_column[1]", C.mm_column_release)
  make(box[0], name, list, nullable, n)
  return box
end

---An mm_table of columns { name, type, list, nullable }, cut into batches of `rows` rows
---(a multiple of 64; default: one batch).
function M.table(fields, rows)
  local result, err = ffi.gc(ffi.new "mm_table", C.mm_table_free), ffi.new "mm_error"
  local batch = ffi.gc(ffi.new "mm_batch", C.mm_batch_free)
  check(C.mm_batch_resize(batch, #fields, err), err)
  for i, field in ipairs(fields) do
    local nullable = make(batch.columns + (i - 1), field[2], field[3], field[4], field.n)
    check(C.mm_schema_add(result.schema, field[1], M.type(field[2]), nullable, err), err)
    batch.length = batch.columns[i - 1].length
  end
  local total = tonumber(batch.length)
  for start = 0, total - 1, rows or math.max(total, 1) do
    local part = ffi.new "mm_batch"
    check(C.mm_batch_slice(part, batch, start, math.min(rows or total, total - start), err), err)
    check(C.mm_table_append(result, part, err), err)
  end
  C.mm_batch_free(batch)
  return result
end

local exact = 2 ^ 53
local function plain(value)
  if type(value) == "cdata" then
    local number = tonumber(value)
    if number > -exact and number < exact then return number end -- 2^53 + 1 would become 2^53
  end
  return value
end

---A function that gives the value of a row (from 0) of a column.
local function getter(column)
  local name = base_name(column.type)
  local valid = column.valid ~= nil and ffi.cast("const uint8_t *", column.valid)
  local get
  if name == "null" then
    get = function() return null end
  elseif name == "bool" then
    local bits = ffi.cast("const uint8_t *", column.data)
    get = function(row) return get_bit(bits, row) end
  elseif name == "utf8" or name == "binary" then
    local bytes, offsets = ffi.cast("const char *", column.data), column.offsets
    get = function(row) return ffi.string(bytes + offsets[row], offsets[row + 1] - offsets[row]) end
  else
    local data = ffi.cast("const " .. ctypes[name] .. " *", column.data)
    local float, single = name == "f64" or name == "f32", name == "f32"
    get = function(row)
      if float and C.mm_rows_odd_nan(data + row, 1, single) then return 0 / 0 end -- such bits are no Lua number
      return plain(data[row])
    end
  end
  if not valid then return get end
  return function(row)
    if not get_bit(valid, row) then return null end
    return get(row)
  end
end

---One value of a column: a number, int64_t above 2^53, boolean, string or columns.null. Row from 0.
function M.value(column, row) return getter(column)(row) end

---All values of a column as a list.
function M.values(column)
  if ffi.istype("mm_column[1]", column) then column = column[0] end
  local list, get = {}, getter(column)
  for i = 0, tonumber(column.length) - 1 do list[i + 1] = get(i) end
  return list
end

local function show(value)
  if type(value) == "cdata" then return (tostring(value):gsub("U?LL$", "")) end
  if type(value) ~= "number" then return tostring(value) end
  if value ~= value then return "nan" end
  return ("%.17g"):format(value)
end

---All values of a column as text: NaN is "nan", -0 is "-0".
function M.text(column)
  local list = M.values(column)
  for i, value in ipairs(list) do list[i] = show(value) end
  return list
end

---The columns of a table by name, joined over its batches; `as` M.values (default) or M.text.
function M.lists(result, as)
  local lists = {}
  for c = 0, result.schema.count - 1 do
    local list = {}
    for b = 0, tonumber(result.count) - 1 do
      for _, value in ipairs((as or M.values)(result.batches[b].columns[c])) do list[#list + 1] = value end
    end
    lists[ffi.string(result.schema.fields[c].name)] = list
  end
  return lists
end

---The schema as { { name, type, nullable }, ... }.
function M.schema(schema)
  local list = {}
  for i = 0, schema.count - 1 do
    local field = schema.fields[i]
    list[i + 1] = { ffi.string(field.name), M.type_name(field.type), field.nullable }
  end
  return list
end

---Run stages over a table. Returns the result's mm_table, or nil and the mm_error.
function M.result(source, stages, options)
  options = options or {}
  local err = ffi.new "mm_error"
  local settings = ffi.new("mm_job_options", { options.threads or 2, options.batch_rows or 0, options.seed or 0 })
  local job = C.mm_job_new(C.mm_source_table(source, err), settings, err)
  if job == nil then return nil, err end
  ffi.gc(job, C.mm_job_free)
  for _, stage in ipairs(stages) do
    if C.mm_job_add(job, stage, err) < 0 then return nil, err end
  end
  local result = ffi.gc(ffi.new "mm_table", C.mm_table_free)
  local status = C.mm_job_add(job, C.mm_sink_table(-1, err), err)
  if status >= 0 then status = C.mm_job_start(job, err) end
  if status >= 0 then status = C.mm_job_wait(job, -1, err) end
  if status >= 0 then status = C.mm_job_take_result(job, result, nil, err) end
  C.mm_job_free(ffi.gc(job, nil))
  if status < 0 then return nil, err end
  return result
end

---The same, as lists by name and the schema. options.as as for M.lists.
function M.run(source, stages, options)
  local result, err = M.result(source, stages, options)
  if not result then return nil, err end
  return M.lists(result, options and options.as), M.schema(result.schema)
end

return M
