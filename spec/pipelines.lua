-- pipelines - what the language's specs run chains of stages with: tables from Lua lists in, lists out, without files.
--
--   local pipelines = require "pipelines"
--   pipelines.run(':where "a > 1"', { { "a", "i64", { 1, 2, null } } })   --> { a = { 2 }, n = 1 }, { { "a", "i64" } }
--   pipelines.problem(':wher "a"', lists)                                 --> the failure that running it raises
--   pipelines.plan(chain, lists, params)                                  --> moonmill.Plan over the lists' columns
local columns = require "columns"
local failure = require "moonmill.failure"
local job = require "moonmill.job"
local native = require "moonmill.ffi"
local params = require "moonmill.params"
local plan = require "moonmill.plan"
local run = require "moonmill.run"
local schemas = require "moonmill.schemas"
local script = require "moonmill.script"

local M = { null = columns.null }

local function as_pipeline(chain) return type(chain) == "string" and script.evaluate(chain) or chain end

---The plan of a chain over lists.
function M.plan(chain, lists, given)
  local pipeline = as_pipeline(chain)
  local table_of = columns.table(lists, 64)
  return plan.bind(pipeline, schemas.from_c(table_of.schema), params.resolve(pipeline.params, given or {}))
end

---Run a chain over lists; options: params, threads, batch_rows, piece (rows of the table's batches).
function M.run(chain, lists, options)
  options = options or {}
  local made = M.plan(chain, lists, options.params)
  local by_name, read = {}, {}
  for _, list in ipairs(lists) do by_name[list[1]] = list end
  for i, column in ipairs(made.reads) do read[i] = by_name[column.name] end
  if #read == 0 then read[1] = lists[1] end -- a table without columns has no rows
  local source = native.C.mm_source_table(columns.table(read, options.piece or 64), native.err)
  local sink = native.C.mm_sink_table(-1, native.err)
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
