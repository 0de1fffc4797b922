-- arrow - Arrow C structs for specs: built by hand, released by a callback that counts.
local ffi = require "ffi"
local moonmill = require "moonmill.base.ffi"

if not pcall(ffi.new, "struct ArrowArray") then -- once per process, however often busted forgets this module
  local file = assert(io.open "core/arrow_abi.h")
  ffi.cdef((("\n" .. file:read "*a"):gsub("\n[ \t]*#[^\n]*", "\n")))
  file:close()
end

local M = { C = moonmill.C }
local keep = {} -- luacheck: ignore 241 (what live structs point at, by address or number)

local function address(struct) return tonumber(ffi.cast("uintptr_t", ffi.cast("void *", struct))) end

---How often each array built here was released, by private_data.
M.released = {}

local function on_release_array(array)
  local id = address(array[0].private_data)
  M.released[id] = (M.released[id] or 0) + 1
  array[0].release = nil
end
local function on_release_schema(schema) schema[0].release = nil end
jit.off(on_release_array)
jit.off(on_release_schema)
local release_array = ffi.cast("void (*)(struct ArrowArray *)", on_release_array)
local release_schema = ffi.cast("void (*)(struct ArrowSchema *)", on_release_schema)

---A bitmap of a list of 0 and 1 (or booleans), from bit `offset` on; bits before it are set.
function M.bits(list, offset)
  offset = offset or 0
  local bytes = ffi.new("uint8_t[?]", math.ceil((#list + offset) / 8))
  for i = 0, offset - 1 do bytes[bit.rshift(i, 3)] = bit.bor(bytes[bit.rshift(i, 3)], bit.lshift(1, i % 8)) end
  for i, value in ipairs(list) do
    local at = i - 1 + offset
    if value == 1 or value == true then
      bytes[math.floor(at / 8)] = bit.bor(bytes[math.floor(at / 8)], bit.lshift(1, at % 8))
    end
  end
  return bytes
end

---A C array of numbers.
function M.array_of(ctype, list) return ffi.new(ctype .. "[?]", #list, list) end

local function pointers(ctype, list)
  local array = ffi.new(ctype .. "[?]", math.max(#list, 1))
  for i, value in ipairs(list) do array[i - 1] = value end
  return array
end

---An ArrowSchema. options: name, flags (default nullable), children, dictionary, metadata.
function M.schema(format, options)
  options = options or {}
  local schema = ffi.new "struct ArrowSchema[1]"
  local name = options.name or ""
  local children = pointers("struct ArrowSchema *", options.children or {})
  keep[address(schema)] = { schema, format, name, children, options }
  local s = schema[0]
  s.format, s.name, s.flags = format, name, options.flags or 2
  s.metadata = options.metadata
  s.n_children, s.children = #(options.children or {}), children
  s.dictionary = options.dictionary
  s.release = release_schema
  return schema
end

local next_id = 1000
---An ArrowArray of `length` rows over buffers (cdata or false for NULL). options: offset, null_count (default -1),
---children, dictionary. Its number for `released` is the second result.
function M.array(length, buffers, options)
  options = options or {}
  next_id = next_id + 1
  local array = ffi.new "struct ArrowArray[1]"
  local list = ffi.new("const void *[?]", math.max(#buffers, 1))
  for i, buffer in ipairs(buffers) do list[i - 1] = buffer or nil end
  local children = pointers("struct ArrowArray *", options.children or {})
  keep[next_id] = { array, buffers, list, children, options }
  local a = array[0]
  a.length, a.offset, a.null_count = length, options.offset or 0, options.null_count or -1
  a.n_buffers, a.buffers = #buffers, list
  a.n_children, a.children = #(options.children or {}), children
  a.dictionary = options.dictionary
  a.release = release_array
  a.private_data = ffi.cast("void *", next_id)
  return array, next_id
end

---Import a struct array of columns { { name, schema, array }, ... }. Returns mm_table (one batch), number of the
---root; or nil, mm_error, number. options: length, offset, null_count, buffers of the root.
function M.import(columns, options)
  options = options or {}
  local schemas, arrays = {}, {}
  for i, column in ipairs(columns) do schemas[i], arrays[i] = column[1], column[2] end
  local schema = M.schema("+s", { children = schemas, flags = 0 })
  local length = options.length or (arrays[1] and tonumber(arrays[1][0].length) or 0)
  local root, id = M.array(length, options.buffers or { false },
    { children = arrays, offset = options.offset, null_count = options.null_count or 0 })
  local result, err = ffi.gc(ffi.new "mm_table", M.C.mm_table_free), ffi.new "mm_error"
  local batch = ffi.gc(ffi.new "mm_batch", M.C.mm_batch_free)
  if M.C.mm_arrow_import_schema(schema, result.schema, err) < 0
     or M.C.mm_arrow_import_batch(schema, root, batch, err) < 0
     or M.C.mm_table_append(result, batch, err) < 0 then
    return nil, err, id
  end
  return result, id
end

return M
