local ffi = require "ffi"
local columns = require "columns"
local C = require("moonmill.base.ffi").C
local null = columns.null

---A limit stage. options: by = { columns }, order = { { column, "desc" } }; columns count from 0.
local function limit(n, options)
  options = options or {}
  local by, order = options.by or {}, options.order or {}
  local keys, orders = ffi.new("int32_t[?]", math.max(#by, 1), by), ffi.new("mm_order[?]", math.max(#order, 1))
  for i, o in ipairs(order) do orders[i - 1] = { o[1], o[2] == "desc" and 1 or 0, o[3] == "nulls first" and 1 or 0 } end
  return assert(C.mm_stage_limit(n, keys, #by, orders, #order, nil))
end

local function sort(column, descending)
  return C.mm_stage_sort(ffi.new("mm_order[1]", { { column, descending and 1 or 0, 0 } }), 1, nil)
end

---Run stages over columns and a last column of row numbers; give these.
local function rows_of(fields, n, stages, options)
  local list = {}
  for i, field in ipairs(fields) do list[i] = field end
  local numbers = {}
  for i = 1, n do numbers[i] = i end
  list[#list + 1] = { "row", "i32", numbers }
  local result, err = columns.run(columns.table(list, options and options.rows), stages, options)
  if not result then error(ffi.string(err.message)) end
  return result.row
end

local function count_up(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

describe("limit", function()
  for _, n in ipairs { 0, 1, 63, 64, 65, 1024, 1025, 65536, 65537, 99999 } do
    it(("keeps the first %d rows"):format(n), function()
      local size = 70000
      assert.same(count_up(math.min(n, size)), rows_of({}, size, { limit(n) }, { batch_rows = 1024 }))
    end)
  end

  it("stops reading when it has enough", function()
    local t = columns.table { { "a", "i64", count_up(65536 * 40) } }
    local err = ffi.new "mm_error"
    local job = ffi.gc(C.mm_job_new(C.mm_source_table(t, err), ffi.new("mm_job_options", { 2, 0, 0 }), err),
      C.mm_job_free)
    assert(C.mm_job_add(job, limit(10), err) >= 0)
    assert(C.mm_job_add(job, C.mm_sink_table(-1, err), err) >= 0)
    assert(C.mm_job_start(job, err) >= 0)
    assert(C.mm_job_wait(job, -1, err) == 0)
    local progress = ffi.new "mm_progress"
    C.mm_job_progress(job, progress)
    assert.is_true(tonumber(progress.rows) < 65536 * 40)
  end)

  it("keeps the first rows of each key, in the order of the input", function()
    local keys = { "b", "a", "b", null, "a", "b", null, null, "a" }
    assert.same({ 1, 2, 3, 4, 5, 7 }, rows_of({ { "k", "utf8", keys } }, 9, { limit(2, { by = { 0 } }) }))
    assert.same({ 1, 2, 4 }, rows_of({ { "k", "utf8", keys } }, 9, { limit(1, { by = { 0 } }) }))
    assert.same({}, rows_of({ { "k", "utf8", keys } }, 9, { limit(0, { by = { 0 } }) }))
  end)

  it("takes 0 and -0, and all NaN, for one key", function()
    assert.same({ 1, 3, 5 },
      rows_of({ { "k", "f64", { 0.0, -0.0, 0 / 0, -(0 / 0), 1 } } }, 5, { limit(1, { by = { 0 } }) }))
    assert.same({ 1, 3 }, rows_of({ { "k", "f32", { 0.0, -0.0, 0 / 0, -(0 / 0) } } }, 4, { limit(1, { by = { 0 } }) }))
  end)

  it("counts keys over all morsels, for any threads and batches", function()
    local seed = os.time()
    math.randomseed(seed)
    local n, keys, more = 140000, {}, {}
    for i = 1, n do keys[i], more[i] = math.random(0, 3000), math.random() < 0.5 end
    local want, seen = {}, {}
    for i = 1, n do
      local key = keys[i] .. tostring(more[i])
      seen[key] = (seen[key] or 0) + 1
      if seen[key] <= 7 then want[#want + 1] = i end
    end
    for _, options in ipairs { { threads = 1 }, { threads = 3, batch_rows = 64 * 5 } } do
      local got = rows_of({ { "k", "i16", keys }, { "m", "bool", more } }, n, { limit(7, { by = { 0, 1 } }) }, options)
      assert.equal(#want, #got, "seed " .. seed)
      for i = 1, #want do
        if want[i] ~= got[i] then error("row " .. i .. ", seed " .. seed) end
      end
    end
  end)

  it("keeps the first rows in an order, as a sort and a limit do", function()
    local seed = os.time()
    math.randomseed(seed)
    for _, n in ipairs { 1, 64, 65537, 140000 } do
      local values = {}
      for i = 1, n do values[i] = math.random() < 0.01 and null or math.random(1, n) end
      for _, size in ipairs { 0, 1, 1000, 70000 } do
        for _, direction in ipairs { "asc", "desc" } do
          local field = { "v", "f64", values }
          local want = rows_of({ field }, n, { sort(0, direction == "desc"), limit(size) })
          local got = rows_of({ field }, n, { limit(size, { order = { { 0, direction } } }) },
            { batch_rows = 4096, threads = 3 })
          assert.equal(#want, #got)
          for i = 1, #want do
            if want[i] ~= got[i] then error(("row %d of %d, seed %d"):format(i, n, seed)) end
          end
        end
      end
    end
  end)

  ---That a limit in some orders keeps the rows that a sort and a limit keep, for a few sizes.
  local function check_first(fields, n, orders, options, what)
    local list = ffi.new("mm_order[?]", #orders)
    for i, o in ipairs(orders) do
      list[i - 1] = { o[1], o[2] == "desc" and 1 or 0, o[3] == "nulls first" and 1 or 0 }
    end
    local sorted = rows_of(fields, n, { C.mm_stage_sort(list, #orders, nil) })
    for _, size in ipairs { 1, 10, 1500, n, n + 1 } do
      local got = rows_of(fields, n, { limit(size, { order = orders }) }, options)
      assert.equal(math.min(size, n), #got, what)
      for i = 1, #got do
        if got[i] ~= sorted[i] then error(("row %d of %d: %s"):format(i, size, what)) end
      end
    end
  end

  local special = { f32 = { 0 / 0, 1 / 0, -1 / 0, -0.0, 0.0 }, f64 = { 0 / 0, 1 / 0, -1 / 0, -0.0, 0.0 },
    i64 = { -9223372036854775807LL - 1, 9223372036854775807LL }, u64 = { 18446744073709551615ULL, 0 },
    i8 = { -128, 127 }, u8 = { 0, 255 }, i32 = { -2147483648, 2147483647 }, u32 = { 0, 4294967295 } }
  local kinds = { "bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "utf8", "date" }

  local function random_value(kind, spread)
    local r = math.random(0, spread)
    if kind == "bool" then return r % 2 == 0 end
    if kind == "utf8" then return r % 5 == 0 and ("a text longer than ranks " .. r) or tostring(r) end
    if special[kind] and math.random() < 0.02 then return special[kind][math.random(#special[kind])] end
    return (kind:sub(1, 1) == "u" or kind == "date") and r % 250 or kind:sub(1, 1) == "f" and r / 8 - 9 or r % 200 - 100
  end

  for _, kind in ipairs(kinds) do
    it(("knows the first rows by %s, both ways, nulls last or first"):format(kind), function()
      local seed = os.time()
      math.randomseed(seed)
      local n, values = 6000, {}
      for i = 1, n do values[i] = math.random() < 0.01 and null or random_value(kind, 4000) end
      for _, direction in ipairs { "asc", "desc" } do
        for _, nulls in ipairs { "nulls last", "nulls first" } do
          check_first({ { "v", kind, values, true } }, n, { { 0, direction, nulls } }, { batch_rows = 256 },
            ("seed %d, %s, %s"):format(seed, direction, nulls))
        end
      end
    end)
  end

  local shapes = {
    ["all equal"] = function() return 7 end,
    ascending = function(i) return i end,
    descending = function(i) return -i end,
    ["few, so that many are equal at the bound"] = function() return math.random(3) end,
    ["null but for a few"] = function(i) return i % 1000 == 0 and i or null end,
    ["null at first"] = function(i) return i < 5000 and null or i end,
    ["NaN at first"] = function(i) return i < 5000 and 0 / 0 or i end,
    ["-0 and 0"] = function() return math.random() < 0.5 and -0.0 or 0.0 end,
  }
  for shape, value_at in pairs(shapes) do
    it("keeps the first rows of values that are " .. shape, function()
      local seed = os.time()
      math.randomseed(seed)
      local n, values = 70000, {}
      for i = 1, n do values[i] = value_at(i) end
      for _, direction in ipairs { "asc", "desc" } do
        check_first({ { "v", "f64", values, true } }, n, { { 0, direction } }, { batch_rows = 4096, threads = 2 },
          ("seed %d, %s"):format(seed, direction))
      end
    end)
  end

  it("looks at further keys where the first one is equal to the bound's", function()
    local seed = os.time()
    math.randomseed(seed)
    local n, first, second, third = 70000, {}, {}, {}
    for i = 1, n do
      first[i], second[i] = math.random(3), "the same for all, and long " .. math.random(9)
      third[i] = math.random() < 0.1 and null or math.random(500)
    end
    local fields = { { "a", "i64", first }, { "b", "utf8", second }, { "c", "i32", third, true } }
    check_first(fields, n, { { 0, "desc" }, { 1 }, { 2, "desc", "nulls first" } }, { threads = 2 }, "seed " .. seed)
    check_first(fields, n, { { 0 }, { 2 } }, { threads = 2, batch_rows = 1024 }, "seed " .. seed)
  end)

  it("knows null from the extreme also when a bound was made without nulls", function()
    local n, values = 70000, {}
    for i = 1, n do values[i] = i % 2 == 0 and ffi.cast("int64_t", 9223372036854775807LL) or null end
    for i = 1, 20000 do values[i] = ffi.cast("int64_t", 9223372036854775807LL) end
    for _, nulls in ipairs { "nulls last", "nulls first" } do
      check_first({ { "v", "i64", values, true } }, n, { { 0, "asc", nulls } }, { threads = 2 }, nulls)
    end
  end)

  it("keeps equal rows in the order of the input", function()
    assert.same({ 2, 4, 1 }, rows_of({ { "v", "utf8", { "b", "a", "b", "a", "b" } } }, 5,
      { limit(3, { order = { { 0 } } }) }))
  end)

  it("keeps the first rows of each key in an order", function()
    local keys, values = { "x", "y", "x", "y", "x", "z" }, { 3, 2, 1, 9, 2, 5 }
    local fields = { { "k", "utf8", keys }, { "v", "i64", values } }
    assert.same({ 3, 2, 5, 6, 4 }, rows_of(fields, 6, { limit(2, { by = { 0 }, order = { { 1 } } }) }))
    assert.same({ 4, 6, 1 }, rows_of(fields, 6, { limit(1, { by = { 0 }, order = { { 1, "desc" } } }) }))
  end)

  it("keeps the first rows of each key in an order, over all morsels", function()
    math.randomseed(11)
    local n, keys, values = 140000, {}, {}
    for i = 1, n do keys[i], values[i] = math.random(1, 500), math.random(1, 100000) end
    local fields = { { "k", "i32", keys }, { "v", "i32", values } }
    local want = rows_of(fields, n, { sort(1, true), limit(3, { by = { 0 } }) })
    local got = rows_of(fields, n, { limit(3, { by = { 0 }, order = { { 1, "desc" } } }) })
    assert.equal(1500, #want)
    for i = 1, #want do assert(want[i] == got[i], i) end
  end)

  it("refuses a negative number of rows and columns that are not there", function()
    local err = ffi.new "mm_error"
    assert.is_true(C.mm_stage_limit(-1, nil, 0, nil, 0, err) == nil)
    assert.equal("bad-limit", ffi.string(err.id))
    local result, failure = columns.run(columns.table { { "a", "i64", { 1 } } }, { limit(1, { by = { 5 } }) })
    assert.is_nil(result)
    assert.equal("bad-column", ffi.string(failure.id))
  end)

  it("gives all memory back", function()
    collectgarbage()
    collectgarbage()
    local before = columns.memory_used()
    do
      local t = columns.table { { "a", "i64", count_up(70000) } }
      for _, stage in ipairs { limit(5), limit(5, { by = { 0 } }), limit(5, { order = { { 0 } } }),
        limit(1, { by = { 0 }, order = { { 0 } } }) } do
        C.mm_table_free(columns.result(t, { stage }))
      end
      C.mm_table_free(t)
    end
    collectgarbage()
    assert.equal(before, columns.memory_used())
  end)
end)
