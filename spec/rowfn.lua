-- rowfn - what the specs of row functions share: run a function over columns through a job.
--
--   local out, err = rowfn.map({ { "x", "f64", { 1, 2 } } }, "y: f64, z: utf8?",
--     function(r, p) return r.x * p.k, nil end, { params = { k = 2 } })
--   local out, err = rowfn.where(fields, function(r) return r.x > 1 end)
--
-- Fields as for columns.table, with an optional n. `out` holds lists by column; or nil and the mm_error. Options:
-- params, threads, batch_rows, seed, before and after (lists of further stages), rows (of a source batch).
local ffi = require "ffi"
local columns = require "columns"
local native = require "moonmill.ffi"
local rows = require "moonmill.rows"

local C = native.C
local rowfn = {}

local function schema(fields)
  local result, err = ffi.gc(ffi.new "mm_schema", C.mm_schema_free), ffi.new "mm_error"
  for _, field in ipairs(fields) do
    native.check(C.mm_schema_add(result, field.name, columns.type(field.type), field.nullable or false, err))
  end
  return result
end

---"y: f64, z: utf8?" as fields.
function rowfn.outputs(text)
  local result = {}
  for name, type_name, question in text:gmatch "([%w_]+): ([%w%(%)]+)(%??)" do
    result[#result + 1] = { name = name, type = type_name, nullable = question ~= "" }
  end
  return result
end

local function inputs_of(result)
  local inputs = {}
  for i, field in ipairs(columns.schema(result.schema)) do
    inputs[i] = { name = field[1], type = field[2], nullable = field[3] }
  end
  return inputs
end

---The stage of a function over the columns of a table. Raises what ship refuses.
function rowfn.stage(source, kind, outputs, fn, params)
  local inputs = inputs_of(source)
  local bytes = rows.ship(fn, { kind = kind, inputs = inputs, outputs = outputs, params = params or {}, place = 7,
    label = "spec:" .. kind })
  local all = { unpack(inputs) }
  for _, field in ipairs(outputs) do all[#all + 1] = field end
  local err = ffi.new "mm_error"
  local stage = C.mm_stage_rows(bytes, #bytes, schema(inputs), schema(all), kind == "where", 7, nil, err)
  assert(stage ~= nil, ffi.string(err.message))
  return stage
end

local function run(fields, kind, outputs, fn, options)
  options = options or {}
  local source = columns.table(fields, options.rows)
  local stage = rowfn.stage(source, kind, outputs, fn, options.params)
  return columns.run(source, { stage, unpack(options.after or {}) }, options)
end

function rowfn.map(fields, outputs, fn, options) return run(fields, "map", rowfn.outputs(outputs), fn, options) end

function rowfn.where(fields, fn, options) return run(fields, "where", {}, fn, options) end

---The mm_error of a run that must fail, as a table.
function rowfn.failure(out, err)
  assert(out == nil, "the run did not fail")
  return {
    code = tonumber(err.code), id = ffi.string(err.id), message = ffi.string(err.message), hint = ffi.string(err.hint),
    row = tonumber(err.row), field = ffi.string(err.field), value = ffi.string(err.value), place = err.place,
    stage = err.stage,
  }
end

---The message of a failure that ship raises.
function rowfn.refused(fn, params)
  local ok, failure = pcall(rows.ship, fn,
    { kind = "map", inputs = {}, outputs = {}, params = params or {}, place = 0, label = "spec:map" })
  assert(not ok, "the function was not refused")
  return failure
end

---The line of this call, for errors that name it.
function rowfn.line() return debug.getinfo(2, "l").currentline end

return rowfn
