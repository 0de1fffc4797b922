-- pipelines - what the language's specs run chains of stages with: tables from Lua lists in, lists out, without files.
--
--   local pipelines = require "pipelines"
--   pipelines.run(':where "a > 1"', { { "a", "i64", { 1, 2, null } } })   --> { a = { 2 }, n = 1 }, { { "a", "i64" } }
--   pipelines.problem(':wher "a"', lists)                                 --> the failure that running it raises
--   pipelines.plan(chain, lists, params)                                  --> moonmill.Plan over the lists' columns
--   pipelines.over(chain, table, { threads = 2 })                         --> the same over an mm_table: as columns.run
local ffi = require "ffi"
local columns = require "columns"
local failure = require "moonmill.base.failure"
local job = require "moonmill.io.job"
local native = require "moonmill.base.ffi"
local params = require "moonmill.pipeline.params"
local plan = require "moonmill.plan.plan"
local run = require "moonmill.io.job_loop"
local schemas = require "moonmill.base.schemas"
local script = require "moonmill.script.script"

local C, err = native.C, native.err
local M = { null = columns.null }

local function as_pipeline(chain) return type(chain) == "string" and script.evaluate(chain) or chain end

local function bind(chain, source, given)
  local pipeline = as_pipeline(chain)
  return plan.bind(pipeline, schemas.from_c(source.schema), params.resolve(pipeline.params, given or {}))
end

---The plan of a chain over lists.
function M.plan(chain, lists, given) return bind(chain, columns.table(lists, 64), given) end

---Run a chain over lists; options: params, threads, batch_rows, piece (rows of the table's batches).
function M.run(chain, lists, options)
  options = options or {}
  local made = M.plan(chain, lists, options.params)
  local by_name, read = {}, {}
  for _, list in ipairs(lists) do by_name[list[1]] = list end
  for i, column in ipairs(made.reads) do read[i] = by_name[column.name] end
  if #read == 0 then read[1] = lists[1] end -- a table without columns has no rows
  local source = C.mm_source_table(columns.table(read, options.piece or 64), err)
  local sink = C.mm_sink_table(-1, err)
  local done = run(job.new(made, source, options):into(sink), options)
  local result = done:result()
  local shape = {}
  for i, column in ipairs(schemas.from_c(result.schema)) do
    shape[i] = { column.name, column.type.name .. (column.nullable and "?" or "") }
  end
  local lists_out = columns.lists(result)
  done:free()
  return lists_out, shape
end

-- A table with only the columns that a plan reads, shared.
local function view(source, reads)
  local position = {}
  for i = 0, source.schema.count - 1 do position[ffi.string(source.schema.fields[i].name)] = i end
  local result = ffi.gc(ffi.new "mm_table", C.mm_table_free)
  for _, column in ipairs(reads) do
    local field = source.schema.fields[position[column.name]]
    native.check(C.mm_schema_add(result.schema, field.name, field.type, field.nullable, err))
  end
  for b = 0, tonumber(source.count) - 1 do
    local batch = ffi.new "mm_batch"
    native.check(C.mm_batch_resize(batch, #reads, err))
    for i, column in ipairs(reads) do
      local from = source.batches[b].columns[position[column.name]]
      C.mm_column_retain(from)
      batch.columns[i - 1] = from
    end
    batch.length = source.batches[b].length
    native.check(C.mm_table_append(result, batch, err))
  end
  return result
end

local function prepare(chain, source)
  local bound = bind(chain, source)
  local stages = {}
  for i, made in ipairs(bound:make()) do stages[i] = made.stage end
  return view(source, bound.reads), stages
end

---Run a chain over an mm_table. Returns what columns.run does: lists by name and the schema, or nil and the mm_error.
---@param chain string
---@param source ffi.cdata* mm_table
---@param options? { threads: integer?, batch_rows: integer?, as: function? }
function M.over(chain, source, options)
  local read, stages = prepare(chain, source)
  return columns.run(read, stages, options)
end

---The same, as the mm_table of the result.
function M.result(chain, source, options)
  local read, stages = prepare(chain, source)
  return columns.result(read, stages, options)
end

---The failure that a call raises.
function M.raised(fn, ...)
  local ok, problem = pcall(fn, ...)
  assert(not ok, "nothing was raised")
  assert(failure.is(problem), tostring(problem))
  return problem
end

---The failure of running a chain.
function M.problem(chain, lists, options) return M.raised(M.run, chain, lists, options) end

return M
