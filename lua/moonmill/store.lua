-- moonmill.store - mm.store: the named columns of this process, for scripts.
local C = require("moonmill.ffi").C
local err = require("moonmill.ffi").err
local failure = require "moonmill.failure"
local fault = require "moonmill.typed.fault"
local suggest = require "moonmill.suggest"
local types = require "moonmill.types"
local views = require "moonmill.store.views"
local ffi = require "ffi"

local store = {}

local SHOWN = 20 -- names in a hint

local function raise_missing(name)
  local known = {}
  views.each(function(entry) known[#known + 1] = ffi.string(entry.name) end)
  local hint = suggest.hint(name, known)
  if #known == 0 then
    hint = 'the store is empty; it is filled from Python: mm.store["name"] = array'
  elseif not hint then
    local shown = table.concat(known, ", ", 1, math.min(#known, SHOWN))
    hint = "the names are " .. shown .. (#known > SHOWN and ", ..." or "")
  end
  fault.raise("not-stored", ('nothing is named "%s" in the store'):format(name), hint)
end

local function check_name(name)
  if type(name) == "string" then return end
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

---Forget a name. Views of it stay as they are.
---@param name string
---@return boolean was_there
function store.drop(name)
  check_change()
  check_name(name)
  local status = C.mm_store_drop(name, err)
  if status < 0 then error(failure.from_c(err), 0) end
  return status == 1
end

---Forget all names.
function store.clear()
  check_change()
  C.mm_store_clear()
end

return setmetatable(store, {
  __index = function(_, key)
    fault.raise("unknown-name", ("mm.store has no %s"):format(fault.text(key)),
      suggest.hint(tostring(key), { "get", "has", "list", "drop", "clear" }) or 'a column is mm.store.get "name"')
  end,
})
