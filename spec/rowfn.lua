-- rowfn - what the specs of row functions share: run a function over columns through a job.
--
--   local out, err = rowfn.map({ { "x", "f64", { 1, 2 } } }, "y: f64, z: utf8?",
--     function(r, p) return r.x * p.k, nil end, { params = { k = 2 } })
--   local out, err = rowfn.where(fields, function(r) return r.x > 1 end)
--
-- A function that can be a vector program is run both as a loop and as a program, which must not differ. Fields as for
-- columns.table, with an optional n. `out` holds lists by column; or nil and the mm_error. Options:
-- params, modules (of the script), threads, batch_rows, seed, before and after (lists of further stages), rows (of a
-- source batch).
local bit = require "bit"
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

---The stage of a function over the columns of a table. Raises what ship refuses. `vector`: with a vector program; nil
---where none can be made.
function rowfn.stage(source, kind, outputs, fn, options, vector)
  options = options or {}
  local inputs = inputs_of(source)
  local spec = { kind = kind, inputs = inputs, outputs = outputs, params = options.params or {}, place = 7,
    label = "spec:" .. kind, modules = options.modules }
  local bytes, uses_store = rows.ship(fn, spec)
  local made = vector and rows.vectorise(fn, spec)
  if vector and not made then return nil end
  local program = made and ffi.gc(made:program(), nil) or nil
  local all = { unpack(inputs) }
  for _, field in ipairs(outputs) do all[#all + 1] = field end
  local err = ffi.new "mm_error"
  local stage = C.mm_stage_rows(bytes, #bytes, schema(inputs), schema(all), kind == "where", 7, program, err)
  assert(stage ~= nil, ffi.string(err.message))
  if uses_store then stage.flags = bit.bor(stage.flags, C.MM_STAGE_STORE) end
  return stage
end

-- All that a run gave, as text in which every bit shows.
local function shown(out, err)
  if not out then
    return ("%d %s %s %d %d %s %s"):format(err.code, ffi.string(err.id), ffi.string(err.message), tonumber(err.row),
      err.stage, ffi.string(err.field), ffi.string(err.value))
  end
  local lines = {}
  for _, field in ipairs(err) do
    local values = {}
    for row, value in ipairs(out[field[1]]) do
      values[row] = type(value) == "number" and ("%a"):format(value) or tostring(value)
    end
    lines[#lines + 1] = field[1] .. " " .. field[2] .. ": " .. table.concat(values, ",")
  end
  return table.concat(lines, "\n")
end

---Run a function over a table as a loop and, if it can be, as a program; both must give the same.
function rowfn.run(source, kind, outputs, fn, options)
  options = options or {}
  local vector = not options.after and rowfn.stage(source, kind, outputs, fn, options, true)
  local text
  if vector then text = shown(columns.run(source, { vector }, options)) end
  local stage = rowfn.stage(source, kind, outputs, fn, options)
  local out, err = columns.run(source, { stage, unpack(options.after or {}) }, options)
  if vector and text ~= shown(out, err) then
    error(("the program differs from the loop\n%s\n\n%s"):format(text, shown(out, err)), 0)
  end
  return out, err, vector ~= nil and vector ~= false
end

local function run(fields, kind, outputs, fn, options)
  return rowfn.run(columns.table(fields, options and options.rows), kind, outputs, fn, options)
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
