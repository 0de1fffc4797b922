-- chains - chains of stages over tables in memory, for specs: chains.run(':where "a > 1"', table, { threads = 2 }).
local ffi = require "ffi"
local columns = require "columns"
local params = require "moonmill.params"
local plan = require "moonmill.plan"
local script = require "moonmill.script"
local types = require "moonmill.types"

local M = {}

-- The columns of a table as the language describes them, and the table's view with only those that a plan reads.
local function columns_of(source)
  local list = {}
  for i = 0, source.schema.count - 1 do
    local field = source.schema.fields[i]
    list[i + 1] = { name = ffi.string(field.name), type = types.from_c(field.type), nullable = field.nullable }
  end
  return list
end

local function view(source, reads)
  local C, err = require("moonmill.ffi").C, ffi.new "mm_error"
  local position = {}
  for i = 0, source.schema.count - 1 do position[ffi.string(source.schema.fields[i].name)] = i end
  local result = ffi.gc(ffi.new "mm_table", C.mm_table_free)
  for _, column in ipairs(reads) do
    local field = source.schema.fields[position[column.name]]
    assert(C.mm_schema_add(result.schema, field.name, field.type, field.nullable, err) >= 0)
  end
  for b = 0, tonumber(source.count) - 1 do
    local batch = ffi.new "mm_batch"
    assert(C.mm_batch_resize(batch, #reads, err) >= 0)
    for i, column in ipairs(reads) do
      local from = source.batches[b].columns[position[column.name]]
      C.mm_column_retain(from)
      batch.columns[i - 1] = from
    end
    batch.length = source.batches[b].length
    assert(C.mm_table_append(result, batch, err) >= 0)
  end
  return result
end

---Run a chain over an mm_table. Returns what columns.run does: lists by name and the schema, or nil and the mm_error.
---@param chain string
---@param source ffi.cdata* mm_table
---@param options? { threads: integer?, batch_rows: integer?, as: function? }
function M.run(chain, source, options)
  local pipeline = script.evaluate(chain)
  local bound = plan.bind(pipeline, columns_of(source), params.resolve(pipeline.params, {}))
  local stages = {}
  for i, made in ipairs(bound:make()) do stages[i] = made.stage end
  return columns.run(view(source, bound.reads), stages, options)
end

return M
