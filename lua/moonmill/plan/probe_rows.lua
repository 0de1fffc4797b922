-- moonmill.plan.probe_rows - rows to run a stage on as a probe: the first that reach it from the input, or synthetic
-- ones with the same columns.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local native = require "moonmill.base.ffi"
local schemas = require "moonmill.base.schemas"
local types = require "moonmill.base.types"

local C, err = native.C, native.err
local ROWS = 8192
local SAMPLE_NULL = 7 -- every so many rows are null

local sample = {}

local function new_table() return ffi.gc(ffi.new "mm_table", C.mm_table_free) end

-- The stages before a step; the others are freed.
local function stages_before(plan, step)
  local before, found = {}, false
  for _, item in ipairs(plan:make()) do
    found = found or item.step == step
    if found then C.mm_stage_free(item.stage) else before[#before + 1] = item.stage end
  end
  return before
end

-- The rows, repeated: LuaJIT does not compile a loop that is short.
local function repeated(rows)
  local result, batch, from = new_table(), ffi.new "mm_batch", rows.batches[0]
  local index = ffi.new("int64_t[?]", ROWS)
  for i = 0, ROWS - 1 do index[i] = i % tonumber(from.length) end
  failure.check(C.mm_schema_copy(result.schema, rows.schema, err), err)
  failure.check(C.mm_batch_resize(batch, from.count, err), err)
  for i = 0, from.count - 1 do
    failure.check(C.mm_column_take(batch.columns + i, from.columns + i, index, ROWS, err), err)
  end
  batch.length = ROWS
  failure.check(C.mm_table_append(result, batch, err), err)
  return result
end

---The first rows that arrive at a step; nil when there are none, or when a stage fails on the way.
---@param plan moonmill.Plan
---@param step moonmill.Node
---@param source ffi.cdata* mm_source of the columns that the plan reads; taken
---@return ffi.cdata*? mm_table
function sample.first(plan, step, source)
  local job = C.mm_job_new(source, ffi.new("mm_job_options", { 1, 0, 0 }), err)
  if job == nil then return nil end
  ffi.gc(job, C.mm_job_free)
  local stages = stages_before(plan, step)
  stages[#stages + 1] = C.mm_stage_limit(ROWS, nil, 0, nil, 0, err)
  stages[#stages + 1] = C.mm_sink_table(-1, err)
  for _, stage in ipairs(stages) do failure.check(C.mm_job_add(job, stage, err), err) end
  local result, status = new_table(), C.mm_job_start(job, err)
  if status >= 0 then status = C.mm_job_wait(job, -1, err) end
  if status >= 0 then status = C.mm_job_take_result(job, result, nil, err) end
  C.mm_job_free(ffi.gc(job, nil))
  if status < 0 or result.rows == 0 then return nil end
  return result.rows < ROWS and repeated(result) or result
end

-- 0 to 99 over and over, as text too: "0", "1" ...
local function fill_column(column, type)
  local data = column.data_block ~= nil and C.mm_block_data(column.data_block)
  if type.ctype then
    local values = ffi.cast(type.ctype .. " *", data)
    for i = 0, ROWS - 1 do values[i] = i % 100 end
  elseif type == types.bool then
    ffi.fill(data, ROWS / 8, 0xaa)
  elseif column.offsets_block ~= nil then
    local offsets, at = ffi.cast("int32_t *", C.mm_block_data(column.offsets_block)), 0
    for i = 0, ROWS - 1 do
      local text = tostring(i % 100)
      ffi.copy(data + at, text, #text)
      at = at + #text
      offsets[i + 1] = at
    end
  end
  if column.valid_block == nil then return end
  local valid = ffi.cast("uint8_t *", C.mm_block_data(column.valid_block))
  ffi.fill(valid, ROWS / 8, 0xff)
  for i = 0, ROWS - 1, SAMPLE_NULL do
    local byte = math.floor(i / 8)
    valid[byte] = bit.band(valid[byte], bit.bnot(bit.lshift(1, i % 8)))
  end
end

---Synthetic rows with these columns.
---@param columns moonmill.Column[]
---@return ffi.cdata* mm_table
function sample.made_up(columns)
  local result, batch = new_table(), ffi.new "mm_batch"
  local schema = schemas.to_c(columns)
  failure.check(C.mm_schema_copy(result.schema, schema, err), err)
  failure.check(C.mm_batch_resize(batch, #columns, err), err)
  for i, column in ipairs(columns) do
    local to = batch.columns[i - 1]
    failure.check(C.mm_column_make(to, types.to_c(column.type), ROWS, 2 * ROWS, column.nullable, err), err)
    fill_column(to, column.type)
  end
  batch.length = ROWS
  failure.check(C.mm_table_append(result, batch, err), err)
  return result
end

---Try the row functions of a plan, on the first rows that arrive or on made-up ones, so that its text tells whether
---they were compiled.
---@param plan moonmill.Plan
---@param source? fun(): ffi.cdata* a fresh mm_source of the columns that the plan reads; nil: there is none
function sample.try(plan, source)
  plan:describe()
  for _, step in ipairs(plan.steps) do
    if step.breaks then source = nil end
    if step.try then
      local rows = source and sample.first(plan, step, source())
      step:try(rows or sample.made_up(step.arriving), not rows)
    end
  end
end

return sample
