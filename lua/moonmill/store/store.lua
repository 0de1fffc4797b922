-- moonmill.store.store - mm.store: the named columns of this process, for scripts.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local fault = require "moonmill.typed.fault"
local native = require "moonmill.base.ffi"
local suggest = require "moonmill.base.suggest"
local types = require "moonmill.base.types"
local view = require "moonmill.typed.array_view"
local views = require "moonmill.store.views"

local C, err = native.C, native.err
local BLOCK, COLUMN = native.private "block", native.private "column"
local COUNT, DATA = native.private "count", native.private "data"
local store = {}

local FUNCTIONS = { "get", "put", "has", "list", "drop", "clear" }
local SHOWN = 20 -- names in a hint

local function raise_missing(name)
  local known = {}
  views.each(function(entry) known[#known + 1] = ffi.string(entry.name) end)
  local hint = suggest.hint(name, known)
  if #known == 0 then
    hint = 'the store is empty; it is filled from Python, mm.store["name"] = array, or by mm.store.put'
  elseif not hint then
    local shown = table.concat(known, ", ", 1, math.min(#known, SHOWN))
    hint = "the names are " .. shown .. (#known > SHOWN and ", ..." or "")
  end
  fault.raise("not-stored", ('nothing is named "%s" in the store'):format(name), hint)
end

local function check_name(name)
  if type(name) == "string" and not name:find("\0", 1, true) then return end
  if type(name) == "string" then fault.raise("store-name", "a name in the store has no NUL character") end
  fault.raise("bad-argument", ("a name in the store is a text, not %s"):format(fault.text(name)),
    'as in mm.store.get "weights"')
end

---The column of a name: v[i] from 0, #v, read-only; nil is null.
---@param name string
---@return ffi.cdata*
function store.get(name)
  check_name(name)
  return views.of(name) or raise_missing(name)
end

---Is there a column of that name?
---@param name string
---@return boolean
function store.has(name)
  check_name(name)
  return views.of(name) ~= nil
end

---What is there, in order of names.
---@return { name: string, type: string, rows: integer, bytes: integer, users: integer }[]
function store.list()
  local list = {}
  views.each(function(entry)
    local nullable = entry.column.valid ~= nil and "?" or ""
    list[#list + 1] = {
      name = ffi.string(entry.name), type = types.from_c(entry.column.type).name .. nullable,
      rows = tonumber(entry.column.length), bytes = tonumber(entry.bytes), users = tonumber(entry.users),
    }
  end)
  return list
end

local function check_change()
  if not views.fixed() then return end
  fault.raise("store-change", "a row function may not change the store",
    "a job sees the store as it was when the job was submitted; change it outside")
end

local BELONGS = "an array that is an argument belongs to the caller: make one with mm.array, and fill it"

-- A column over the memory of an array that mm.array made. Bools, a byte each there, are packed.
local function column_of(array, kind)
  local column = ffi.gc(ffi.new "mm_column[1]", C.mm_column_release)
  if kind.type.id == "bool" then
    failure.check(C.mm_column_make(column, types.to_c(kind.type), array[COUNT], 0, false, err), err)
    C.mm_rows_pack(ffi.cast("uint64_t *", C.mm_block_data(column[0].data_block)), array[DATA], array[COUNT])
  else
    C.mm_block_retain(array[BLOCK])
    column[0].type, column[0].length = types.to_c(kind.type), array[COUNT]
    column[0].data, column[0].data_block = array[DATA], array[BLOCK]
  end
  return column
end

---Keep a column under a name, in place of what had it: an array of mm.array, which is handed over, or a view of the
---store.
---@param name string
---@param value ffi.cdata*
function store.put(name, value)
  check_change()
  check_name(name)
  local kind = view.kind(value)
  if views.name(value) then
    failure.check(C.mm_store_put(name, value[COLUMN], err), err)
  elseif not kind or value[COUNT] >= 0 and value[BLOCK] == nil then
    fault.raise("bad-argument", ("the store keeps arrays, not %s"):format(kind and "this one" or fault.text(value)),
      kind and BELONGS or 'as in mm.store.put("weights", mm.array("f64", { 0.5, 0.25 }))')
  else
    assert(#value >= 0) -- raises where the array is there no more
    local column = column_of(value, kind)
    failure.check(C.mm_store_put(name, column, err), err)
    C.mm_column_release(ffi.gc(column, nil))
    C.mm_block_release(value[BLOCK])
    value[BLOCK], value[DATA], value[COUNT] = nil, nil, view.GIVEN
  end
end

---Forget a name. Views of it stay as they are.
---@param name string
---@return boolean was_there
function store.drop(name)
  check_change()
  check_name(name)
  return failure.check(C.mm_store_drop(name, err), err) == 1
end

---Forget all names.
function store.clear()
  check_change()
  C.mm_store_clear()
end

return setmetatable(store, {
  __index = function(_, key)
    fault.raise("unknown-name", ("mm.store has no %s"):format(fault.text(key)),
      suggest.hint(tostring(key), FUNCTIONS) or 'a column is mm.store.get "name"')
  end,
})
