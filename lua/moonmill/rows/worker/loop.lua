-- moonmill.rows.worker.loop - the loop over a batch, generated for one row function and for one set of columns that
-- have nulls.
--
-- DESIGN. `r` is a fresh table { [KEY] = row } per row whose metatable reads columns. LuaJIT never builds it: it sinks
-- the allocation, and what is left is the loop that one would write by hand. After the call the key is taken away, so
-- that a kept `r` reads nothing rather than another batch's row; that store is sunk too. A chunk of its own for each
-- variant keeps the compiled code of one from meeting the other's types.
local columns = require "moonmill.rows.worker.column_readers"
local native = require "moonmill.base.ffi"

local loop = {}

---The key of the row number within `r`: with another number a row function would read memory that is not the column's,
---so no script can know it.
loop.KEY = "\0row" .. native.secret

local HEAD = [[
local fn, p, scope = ...
local setmetatable, columns, other, read_only = scope.setmetatable, scope.columns, scope.other, scope.read_only
local current = scope.current
local band, rshift, tonumber, ffi_string = scope.band, scope.rshift, scope.tonumber, scope.ffi_string
local beyond, foreign = scope.beyond, scope.foreign
local type, floor, copy = scope.type, scope.floor, scope.copy
local bad, exact, grow, too_many = scope.bad, scope.exact, scope.grow, scope.too_many
local readers = {}
]]

local READER = [[
do
  local column = columns[%d]
  readers[%q] = %s
end
]]

local ROW = [[
local row = {
  __index = function(r, key)
    local read = readers[key]
    if not read then
      local value = other(r, key)
      return value
    end
    return (read(r["@KEY"]))
  end,
  __newindex = read_only,
  __metatable = "row",
}
]]

local MAP = [[
return function(n, outputs)
LOCALS
  for i = 0, n - 1 do
CURRENT
    local r = setmetatable({ ["@KEY"] = i }, row)
    local RESULTS, extra = fn(r, p)
    r["@KEY"] = nil
    if extra ~= nil then too_many() end
STORES
  end
end
]]

local WHERE = [[
return function(n, keep)
  for i = 0, n - 1 do
CURRENT
    local r = setmetatable({ ["@KEY"] = i }, row)
    local kept = fn(r, p)
    r["@KEY"] = nil
    if kept then keep[i] = 1 end
  end
end
]]

---The name of the loop's variable that holds the row, for the error handler.
loop.ROW_VARIABLE = "i"

local function fill_template(template, parts)
  return (template:gsub("%u%u%u+", parts))
end

-- Results v1, v2 ..., their locals and their stores.
local function map_parts(results)
  local names, locals, stores = {}, {}, {}
  for k, result in ipairs(results) do
    names[k], locals[k], stores[k] = "v" .. k, "  " .. result:local_source(k), "    " .. result:store_source(k)
  end
  return {
    RESULTS = table.concat(names, ", "), LOCALS = table.concat(locals, "\n"), STORES = table.concat(stores, "\n"),
  }
end

---@class moonmill.LoopSpec
---@field kind "map"|"where"
---@field label string
---@field fn function
---@field params table `p`
---@field columns table[] moonmill.rows.worker.column_readers, those that may be read
---@field results table[] moonmill.rows.worker.result_writers of a map
---@field scope table what generated code refers to
---@field track boolean note the row in scope.current[0] before each call

---The loop for batches in which column k has nulls where nulls[k]: function(n, outputs) or function(n, keep).
---@param spec moonmill.LoopSpec
---@param nulls boolean[]
---@return function
function loop.generate(spec, nulls)
  local source = { HEAD }
  for k, column in ipairs(spec.columns) do
    source[#source + 1] = READER:format(k, column.name, columns.reader_source(column.type, nulls[k]))
  end
  source[#source + 1] = ROW
  local parts = spec.kind == "map" and map_parts(spec.results) or {}
  parts.CURRENT = spec.track and "    current[0] = i" or ""
  source[#source + 1] = fill_template(spec.kind == "map" and MAP or WHERE, parts)
  local text = table.concat(source):gsub("@KEY", "\\0row" .. native.secret)
  local chunk = native.load_chunk(text, "=" .. spec.label)
  return chunk(spec.fn, spec.params, spec.scope)
end

return loop
