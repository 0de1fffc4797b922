-- Every allocation of small jobs fails once, and then for good: no crash, no leak, the right status.
local ffi = require "ffi"
local columns = require "columns"
local copies = require "copies"
local files = require "files"
local programs = require "programs"
require "arrow" -- declares the structs
local C = require("moonmill.base.ffi").C
local ENOMEM = -6

local build = os.getenv "MM_BUILD" or "build"
local path = build .. "/spec/faults.so"
local compile = "mkdir -p %s/spec && gcc -std=gnu11 -Wall -Werror -shared -fPIC -Icore -o %s spec/faults/faults.c"
assert(os.execute(compile:format(build, path)) == 0)
pcall(ffi.cdef, "const mm_allocator *faults_allocator(int64_t n, int64_t count); int64_t faults_calls(void);")
local faults = ffi.load("./" .. path)

---A table that lives through the sweep would belong to another allocator: each try builds its own.
local function table_of(n, err)
  local t = ffi.gc(ffi.new "mm_table", C.mm_table_free)
  local batch = ffi.gc(ffi.new "mm_batch", C.mm_batch_free)
  local status = C.mm_batch_resize(batch, 2, err)
  if status >= 0 then status = C.mm_schema_add(t.schema, "k", columns.type "i64", true, err) end
  if status >= 0 then status = C.mm_schema_add(t.schema, "s", columns.type "utf8", true, err) end
  if status >= 0 then status = C.mm_column_make(batch.columns, columns.type "i64", n, 0, true, err) end
  if status >= 0 then status = C.mm_column_make(batch.columns + 1, columns.type "utf8", n, 3 * n, true, err) end
  if status >= 0 then
    local numbers = ffi.cast("int64_t *", C.mm_block_data(batch.columns[0].data_block))
    local offsets = ffi.cast("int32_t *", C.mm_block_data(batch.columns[1].offsets_block))
    for i = 0, n - 1 do
      numbers[i] = i * 7919 % 101
      offsets[i + 1] = (i + 1) * 3
    end
    ffi.fill(C.mm_block_data(batch.columns[1].data_block), 3 * n, 97)
    batch.length = n
    status = C.mm_table_append(t, batch, err)
  end
  return status, t
end

local function by(column) return ffi.new("mm_order[1]", { { column, 0, 0 } }) end

local function sort(column)
  return function(err) return C.mm_stage_sort(by(column), 1, err) end
end

local function limit(n, key, order)
  return function(err)
    return C.mm_stage_limit(n, key and ffi.new("int32_t[1]", key), key and 1 or 0, order and by(order),
      order and 1 or 0, err)
  end
end

local function distinct(...)
  local keys = { ... }
  return function(err) return C.mm_stage_distinct(ffi.new("int32_t[?]", #keys + 1, keys), #keys, err) end
end

-- A schema of nullable columns, or nil.
local function schema_of(fields, err)
  local schema = ffi.gc(ffi.new "mm_schema", C.mm_schema_free)
  for _, field in ipairs(fields) do
    if C.mm_schema_add(schema, field[1], columns.type(field[2]), true, err) < 0 then return nil end
  end
  return schema
end

local AGGREGATES = { -- operation, column, type of the result
  { "COUNT", -1, "i64" }, { "SUM", 0, "i64" }, { "MEAN", 0, "f64" }, { "VAR", 0, "f64" }, { "MAX", 1, "utf8" },
  { "FIRST", 1, "utf8" }, { "MEDIAN", 0, "f64" }, { "N_UNIQUE", 1, "i64" },
}
local function group(key)
  return function(err)
    local fields, list = { { "key", key == 0 and "i64" or "utf8" } }, ffi.new("mm_aggregate[?]", #AGGREGATES)
    for i, aggregate in ipairs(AGGREGATES) do
      fields[#fields + 1] = { "o" .. i, aggregate[3] }
      list[i - 1] = { C["MM_AGG_" .. aggregate[1]], aggregate[2], 0.5, i }
    end
    local schema = schema_of(fields, err)
    return schema and C.mm_stage_group(ffi.new("int32_t[1]", key), 1, list, #AGGREGATES, schema, err)
  end
end

-- Numbers and texts computed, half of the rows kept.
local function program()
  local p = programs.new { "i64", "utf8" }
  local number, text = p:load(0), p:load(1)
  local made = {
    p:op("MUL", "i64", number, p:const("i64", 3)), p:op("CONCAT", "utf8", text, p:const("utf8", " and more")),
    p:op("UPPER", "utf8", text),
  }
  p:filter(p:op("GT", "i64", number, p:const("i64", 50)))
  return function(err)
    local built, failed = p:build(made)
    if not built then
      err.code = failed.code
      return nil
    end
    local schema = schema_of({ { "a", "i64" }, { "b", "utf8" }, { "c", "utf8" } }, err)
    if not schema then
      C.mm_program_free(built)
      return nil
    end
    return C.mm_stage_program(built, schema, err)
  end
end

-- A number that half of the rows keep, for aggregates that need no packed rows.
local function tripled()
  local p = programs.new { "i64", "utf8" }
  local number = p:load(0)
  local triple = p:op("MUL", "i64", number, p:const("i64", 3))
  p:filter(p:op("GT", "i64", number, p:const("i64", 50)))
  return function(err)
    local built, failed = p:build { triple, number }
    if not built then
      err.code = failed.code
      return nil
    end
    local schema = schema_of({ { "a", "i64" }, { "k", "i64" } }, err)
    if schema then return C.mm_stage_program(built, schema, err) end
    C.mm_program_free(built)
  end
end

local function added_up(err)
  local list = ffi.new("mm_aggregate[3]", { { C.MM_AGG_SUM, 0, 0, 0 }, { C.MM_AGG_COUNT, -1, 0, 1 },
    { C.MM_AGG_MEAN, 1, 0, 2 } })
  local schema = schema_of({ { "s", "i64" }, { "n", "i64" }, { "m", "f64" } }, err)
  return schema and C.mm_stage_group(nil, 0, list, 3, schema, err)
end

local function table_sink(err) return C.mm_sink_table(-1, err) end

local function job(stages, n, threads)
  return function(err)
    local status, t = table_of(n or 300, err)
    if status < 0 then return status end
    local source = C.mm_source_table(t, err)
    if source == nil then return err.code end
    return copies.run(source, stages, table_sink, { threads = threads }, err)
  end
end

-- Two files, one compressed, with quotes and columns in another order; `name` says whether the copy is compressed.
local function csv(name, threads)
  local rows, turned = { "n,text,x" }, { "x,n,text" }
  for i = 1, 200 do
    rows[i + 1] = ('%d,"a ""quoted"" text",%.2f'):format(i, i / 7)
    turned[i + 1] = ("%.2f,%d,plain"):format(i / 7, i)
  end
  local paths = {
    files.write("faults.csv", table.concat(rows, "\n")), files.compress("turned.csv.zst", table.concat(turned, "\n")),
  }
  return copies.csv(paths, files.path(name), { threads = threads })
end

local scenarios = {
  { "a buffer that grows", function(err)
    local buffer = ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free)
    for _ = 1, 12 do
      local size = buffer.size
      local status = C.mm_buffer_append(buffer, ("x"):rep(5000), 5000, err)
      if status < 0 then
        assert(buffer.size == size)
        return status
      end
    end
    local block = C.mm_block_take(buffer, err)
    if block == nil then return err.code end
    C.mm_block_release(block)
    return 0
  end },
  { "slices, joins and picked rows", function(err)
    local status, t = table_of(200, err)
    if status < 0 then return status end
    local a, b, c = ffi.new "mm_batch", ffi.new "mm_column[1]", ffi.new "mm_column[1]"
    local batch = t.batches[0]
    status = C.mm_batch_slice(a, batch, 3, 100, err)
    if status >= 0 then
      status = C.mm_column_concat(b, ffi.new("const mm_column *[2]", { a.columns + 1, batch.columns + 1 }), 2, err)
    end
    if status >= 0 then status = C.mm_column_take(c, batch.columns + 1, ffi.new("int64_t[3]", { 5, -1, 7 }), 3, err) end
    C.mm_batch_free(a)
    C.mm_column_release(b)
    C.mm_column_release(c)
    return status
  end },
  { "Arrow out and in", function(err)
    local status, t = table_of(100, err)
    if status < 0 then return status end
    local schema, array = ffi.new "struct ArrowSchema[1]", ffi.new "struct ArrowArray[1]"
    local back, batch = ffi.gc(ffi.new "mm_schema", C.mm_schema_free), ffi.gc(ffi.new "mm_batch", C.mm_batch_free)
    status = C.mm_arrow_export_schema(t.schema, schema, err)
    if status >= 0 then status = C.mm_arrow_export_batch(t.schema, t.batches[0], array, err) end
    if status >= 0 then status = C.mm_arrow_import_schema(schema, back, err) end
    if status >= 0 then status = C.mm_arrow_import_batch(schema, array, batch, err) end
    if array[0].release ~= nil then array[0].release(array) end
    if schema[0].release ~= nil then schema[0].release(schema) end
    return status
  end },
  { "the store, changed under a snapshot", function(err)
    local status, t = table_of(10, err)
    local snapshots = {}
    for i = 0, status >= 0 and 9 or -1 do
      snapshots[#snapshots + 1] = C.mm_store_snapshot()
      status = C.mm_store_put("name " .. i % 6, t.batches[0].columns + i % 2, err)
      if status >= 0 then status = C.mm_store_drop("name " .. (i + 3) % 6, err) end
      if status < 0 then break end
    end
    C.mm_store_clear()
    for i = #snapshots, 1, -1 do C.mm_store_release(snapshots[i]) end
    return status < 0 and status or 0
  end },
  { "a job without stages", job {} },
  { "sort by a number", job { sort(0) } },
  { "sort by text", job { sort(1) } },
  { "sort of several morsels on two threads", job({ sort(0) }, 66000, 2), sparse = true },
  { "limit", job { limit(7) } },
  { "limit of each key", job { limit(2, 0) } },
  { "limit in an order", job { limit(2, nil, 0) } },
  { "limit of each key in an order", job { limit(2, 0, 1) } },
  { "two stages", job { sort(0), limit(9) } },
  { "distinct rows", job { distinct() } },
  { "distinct by text", job { distinct(1) } },
  { "group by a number", job { group(0) } },
  { "group by text", job { group(1) } },
  { "group of several morsels on two threads", job({ group(0) }, 66000, 2), sparse = true },
  { "a vector program", job { program() } },
  { "a vector program, then a group", job({ program() }, 5000), sparse = true },
  { "filtered rows, added up", job({ tripled(), added_up }, 200) },
  { "reading and writing CSV", csv "copy.csv", output = "copy.csv", sparse = true },
  { "reading CSV and writing it compressed", csv("copy.csv.zst", 2), output = "copy.csv.zst", sparse = true },
}

local function collect()
  collectgarbage()
  collectgarbage()
end

describe("when memory runs out", function()
  for _, scenario in ipairs(scenarios) do
    for _, mode in ipairs { { "once", 2 }, { "for good", math.huge } } do -- the core asks twice before it gives up
      it(("%s fails cleanly (%s)"):format(scenario[1], mode[1]), function()
        collect()
        finally(function()
          collect()
          C.mm_set_allocator(nil)
        end)
        local count = mode[2] == math.huge and 2 ^ 62 or mode[2]
        local n, step, failures = 1, 1, 0
        local expected
        if scenario.output then
          assert.equal(0, scenario[2](ffi.new "mm_error"))
          expected = files.bytes(files.path(scenario.output))
          collect()
        end
        while true do
          local before = tonumber(C.mm_memory_used())
          if scenario.output then os.remove(files.path(scenario.output)) end
          C.mm_set_allocator(faults.faults_allocator(n, count))
          local err = ffi.new "mm_error"
          local status = scenario[2](err)
          collect()
          local left = tonumber(C.mm_memory_used()) - before
          assert(left == 0, ("%d bytes are left when allocation %d fails"):format(left, n))
          if status < 0 then
            failures = failures + 1
            assert.equal(ENOMEM, status, ("allocation %d: %s"):format(n, ffi.string(err.message)))
            assert.equal(ENOMEM, err.code)
          end
          if scenario.output then
            local got = files.bytes(files.path(scenario.output))
            assert.is_true(got == (status >= 0 and expected or nil), ("allocation %d: output lost or kept"):format(n))
          end
          local calls = tonumber(faults.faults_calls())
          if calls < n then break end
          if scenario.sparse and n > 40 then step = 47 end
          n = n + step
        end
        assert.is_true(failures > 0)
        if scenario.output then os.remove(files.path(scenario.output)) end
        for _, name in ipairs(files.names()) do assert.is_nil(name:find("copy", 1, true), name .. " is left") end
      end)
    end
  end
end)
