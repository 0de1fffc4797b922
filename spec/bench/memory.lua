-- memory.lua - time a pipeline over a table in memory: luajit memory.lua CHAIN SOURCE
-- Each line of stdin is a number of threads, and a run. SOURCE is `flights:CSV:N`, five columns of a CSV file read N
-- times over, or `random:ROWS`, a column x of random f64 in 0 to 100 (those of scalar.c). Prints the rows when it is
-- ready, then for each run its seconds and the first value of its result.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local job = require "moonmill.io.job"
local native = require "moonmill.base.ffi"
local plan = require "moonmill.plan.plan"
local script = require "moonmill.script.script"
local types = require "moonmill.base.types"

local C, err = native.C, native.err
local chain, where = arg[1], arg[2]

local function check(status)
  if status < 0 then error(failure.from_c(err), 0) end
end

local function add_fields(schema, fields)
  for _, field in ipairs(fields) do
    local kind = ffi.new "mm_type"
    check(C.mm_type_parse(field[2], kind, err))
    check(C.mm_schema_add(schema, field[1], kind, field[3], err))
  end
end

local flights = {
  { "carrier", "utf8", false }, { "dep_delay", "f64", true }, { "arr_delay", "f64", true },
  { "air_time", "f64", true }, { "distance", "f64", false },
}

local function finish(handle)
  check(C.mm_job_start(handle, err))
  check(C.mm_job_wait(handle, -1, err))
end

local function read_flights(path, times)
  local paths, input = ffi.new("const char *[?]", times), ffi.new "mm_input *[1]"
  for i = 0, times - 1 do paths[i] = path end
  check(C.mm_input_open(paths, times, nil, input, err))
  local schema, result = ffi.new "mm_schema", ffi.new "mm_table"
  add_fields(schema, flights)
  local handle = C.mm_job_new(C.mm_input_source(input[0], schema, err), nil, err)
  check(C.mm_job_add(handle, C.mm_sink_table(-1, err), err))
  finish(handle)
  check(C.mm_job_take_result(handle, result, nil, err))
  C.mm_job_free(handle)
  return result
end

local function random_values(rows)
  local result, state = ffi.new "mm_table", 88172645463325252ULL
  add_fields(result.schema, { { "x", "f64", false } })
  for start = 0, rows - 1, 65536 do
    local n, batch = math.min(65536, rows - start), ffi.new "mm_batch"
    check(C.mm_batch_resize(batch, 1, err))
    check(C.mm_column_make(batch.columns, result.schema.fields[0].type, n, 0, false, err))
    local x = ffi.cast("double *", C.mm_block_data(batch.columns[0].data_block))
    for i = 0, n - 1 do
      state = bit.bxor(state, bit.lshift(state, 13))
      state = bit.bxor(state, bit.rshift(state, 7))
      state = bit.bxor(state, bit.lshift(state, 17))
      x[i] = tonumber(bit.rshift(state, 11)) / 9007199254740992 * 100
    end
    batch.length = n
    check(C.mm_table_append(result, batch, err))
  end
  return result
end

local kind, rest = where:match "^(%a+):(.*)$"
local data
if kind == "flights" then
  local path, times = rest:match "^(.*):(%d+)$"
  data = read_flights(path, tonumber(times))
else
  data = random_values(tonumber(rest))
end
io.stdout:setvbuf "line"
print(tonumber(data.rows))

local columns = {}
for i = 0, data.schema.count - 1 do
  local field = data.schema.fields[i]
  columns[i + 1] = { name = ffi.string(field.name), type = types.from_c(field.type), nullable = field.nullable }
end
local bound = plan.bind(script.evaluate(chain), columns, {})
local only = {}
for _, column in ipairs(bound.reads) do only[column.name] = true end

-- The source shows the columns that the plan reads.
local function source()
  local view = ffi.new "mm_table"
  for i = 0, data.schema.count - 1 do
    local field = data.schema.fields[i]
    if only[ffi.string(field.name)] then
      check(C.mm_schema_add(view.schema, field.name, field.type, field.nullable, err))
    end
  end
  for b = 0, tonumber(data.count) - 1 do
    local batch, from, at = ffi.new "mm_batch", data.batches[b], 0
    check(C.mm_batch_resize(batch, view.schema.count, err))
    for i = 0, data.schema.count - 1 do
      if only[ffi.string(data.schema.fields[i].name)] then
        C.mm_column_retain(from.columns[i])
        batch.columns[at] = from.columns[i]
        at = at + 1
      end
    end
    batch.length = from.length
    check(C.mm_table_append(view, batch, err))
  end
  local made = C.mm_source_table(view, err)
  C.mm_table_free(view)
  return made
end

for line in io.lines() do
  local one = job.new(bound, source(), { threads = tonumber(line) }):into(C.mm_sink_table(-1, err))
  local began = C.mm_host_clock()
  one:start()
  while one:wait(1000) do end
  local seconds = C.mm_host_clock() - began
  local result = one:result()
  local text = ffi.new "mm_buffer"
  check(C.mm_column_text(result.batches[0].columns[0], 0, text, err))
  print(("%.6f %s"):format(seconds, ffi.string(text.data, text.size)))
  C.mm_buffer_free(text)
  one:free()
end
