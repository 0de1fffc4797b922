-- Filters: rows that pass, in every type and density, shared and copied columns, row numbers, blocks used again.
local ffi = require "ffi"
local columns = require "columns"
local moonmill = require "moonmill.base.ffi"
local programs = require "programs"
local C, null = moonmill.C, columns.null

local makers = {
  bool = function(i) return i % 3 == 0 end,
  i8 = function(i) return i % 100 - 50 end, i16 = function(i) return i - 500 end, i32 = function(i) return -i end,
  i64 = function(i) return i * 0x100000001LL end, u8 = function(i) return i % 256 end, u16 = function(i) return i end,
  u32 = function(i) return i end, u64 = function(i) return i + 0ULL end, f32 = function(i) return i / 2 end,
  f64 = function(i) return i / 3 end, date = function(i) return i end, timestamp = function(i) return i + 0LL end,
  utf8 = function(i) return ("t%d"):format(i):rep(i % 9) end, binary = function(i) return ("\0b"):rep(i % 5) end,
}
local names = {}
for name in pairs(makers) do names[#names + 1] = name end
table.sort(names)

local function with_nulls(make, gap) return function(i) return i % gap == 0 and null or make(i) end end

-- A key column that decides, and a column of every type.
local function everything(n, gap)
  local fields, types = { { "i64", function(i) return 1LL * ((i * 7919) % 1000) end, n = n } }, { "i64" }
  for k, name in ipairs(names) do
    fields[k + 1] = { name, gap and with_nulls(makers[name], gap + k % 3) or makers[name], n = n }
    types[k + 1] = name
  end
  return fields, types
end

local function passing(n, limit)
  local rows = {}
  for i = 1, n do if (i * 7919) % 1000 < limit then rows[#rows + 1] = i end end
  return rows
end

local function expect(name, make, rows)
  return columns.text(columns.column(name, function(i) return make(rows[i]) end, false, #rows))
end

describe("a filter", function()
  for _, n in ipairs { 1, 63, 64, 65, 1023, 1024, 1025, 2047, 2048, 2049, 5000 } do
    it(("keeps the right ones of %d rows of every type"):format(n), function()
      for _, limit in ipairs { 0, 30, 500, 999, 1000 } do
        for _, gap in ipairs { false, 4 } do
          local fields, types = everything(n, gap)
          local batch, keep = programs.batch(fields)
          local rows = passing(n, limit)
          -- passed through; and computed after the filter, so that they are loaded by the lanes that passed
          local p, plain, computed = programs.new(types), {}, {}
          local key = p:load(0)
          local early = p:load(#names) -- loaded before the filter
          local early_null = p:op("IS_NULL", names[#names], early)
          p:filter(p:op("LT", "i64", key, p:const("i64", 1LL * limit)))
          for k, name in ipairs(names) do
            plain[k] = p:load(k)
            computed[k] = p:op("COALESCE", name, plain[k], plain[k])
          end
          local again = p:op("IS_NULL", names[#names], early)
          local outputs = { unpack(plain) }
          for k = 1, #computed do outputs[#outputs + 1] = computed[k] end
          outputs[#outputs + 1] = p:op("EQ", "bool", again, early_null)
          local result, err = p:run(outputs, batch)
          assert.is_nil(err)
          assert.equal(#rows, result.rows)
          for k, name in ipairs(names) do
            local make = gap and with_nulls(makers[name], gap + k % 3) or makers[name]
            local expected = expect(name, make, rows)
            assert.same(expected, result[k], name .. " passed through")
            assert.same(expected, result[#names + k], name .. " computed")
          end
          for i = 1, #rows do assert.equal("true", result[#outputs][i]) end
          assert.truthy(keep)
        end
      end
    end)
  end

  it("after filter narrows further, densely or not", function()
    local n = 5000
    local batch, keep = programs.batch(everything(n))
    for _, limits in ipairs { { 900, 800, 700 }, { 900, 100, 50 }, { 100, 20, 10 }, { 1000, 999, 0 } } do
      local p = programs.new { "i64", unpack(names) }
      local key = p:load(0)
      local sum = p:op("ADD", "i64", key, key)
      for _, limit in ipairs(limits) do
        p:filter(p:op("LT", "i64", key, p:const("i64", 1LL * limit)))
        sum = p:op("ADD", "i64", sum, p:const("i64", 1LL))
      end
      local result = p:run({ key, sum }, batch)
      local rows = passing(n, limits[3])
      assert.equal(#rows, result.rows)
      for i, row in ipairs(rows) do assert.equal(tostring((row * 7919) % 1000 * 2 + 3), result[2][i]) end
    end
    assert.truthy(keep)
  end)

  it("of no rows gives none", function()
    local fields, types = everything(64)
    local whole, keep = programs.batch(fields)
    local empty, p = ffi.gc(ffi.new "mm_batch", C.mm_batch_free), programs.new(types)
    assert(C.mm_batch_slice(empty, whole, 64, 0, nil) >= 0)
    local key = p:load(0)
    p:filter(p:op("GT", "i64", key, p:const("i64", 0LL)))
    local result = p:run({ key, p:load(#names), p:op("ADD", "i64", key, key) }, empty)
    assert.same({ 0, {}, {}, {} }, { result.rows, result[1], result[2], result[3] })
    assert.truthy(keep)
  end)

  it("takes null for false", function()
    local batch, keep = programs.batch { { "bool", { true, null, false, true } } }
    local p = programs.new { "bool" }
    local x = p:load(0)
    p:filter(x)
    assert.same({ "true", "true" }, p:run({ x }, batch)[1])
    assert.truthy(keep)
  end)

  it("reads slices that start at any multiple of 64, and bits that start on any byte", function()
    local fields, types = everything(3000, 4)
    local whole, keep = programs.batch(fields)
    for _, start in ipairs { 64, 1088, 8, 136 } do
      local part, err = ffi.gc(ffi.new "mm_batch", C.mm_batch_free), ffi.new "mm_error"
      local p, outputs = programs.new(types), {}
      if start % 64 == 0 then
        assert(C.mm_batch_slice(part, whole, start, 1500, err) >= 0)
      else -- what an import may give: bitmaps that start within a word
        assert(C.mm_batch_slice(part, whole, 0, 1500, err) >= 0)
        for c = 0, part.count - 1 do
          local column = part.columns[c]
          local id = column.type.id
          local width = tonumber(C.mm_type_width(column.type))
          if column.valid ~= nil then column.valid = ffi.cast("const uint64_t *", ffi.cast("const uint8_t *",
            column.valid) + start / 8) end
          if column.offsets ~= nil then column.offsets = column.offsets + start
          else column.data = ffi.cast("const uint8_t *", column.data) + (id == C.MM_BOOL and start / 8
            or start * width) end
        end
      end
      local key = p:load(0)
      p:filter(p:op("LT", "i64", key, p:const("i64", 300LL)))
      for k, name in ipairs(names) do
        outputs[k] = p:load(k)
        outputs[#names + k] = p:op("COALESCE", name, outputs[k], outputs[k])
      end
      local result, rows = p:run(outputs, part), {}
      for i = start + 1, start + 1500 do if (i * 7919) % 1000 < 300 then rows[#rows + 1] = i end end
      for k, name in ipairs(names) do
        local expected = expect(name, with_nulls(makers[name], 4 + k % 3), rows)
        assert.same(expected, result[k], name)
        assert.same(expected, result[#names + k], name)
      end
    end
    assert.truthy(keep)
  end)
end)

describe("the program stage", function()
  it("shares columns that it leaves alone, and copies none where all rows pass", function()
    local batch, keep = programs.batch { { "f64", { 1, 2, 3 } }, { "utf8", { "a", null, "c" } } }
    local p = programs.new { "f64", "utf8" }
    local x, text = p:load(0), p:load(1)
    p:filter(p:op("GT", "f64", x, p:const("f64", 0)))
    p:each({ text, x, x }, { batch }, function(out, status)
      assert.equal(0, status)
      assert.equal(batch.columns[1].data, out.columns[0].data)
      assert.equal(batch.columns[0].data, out.columns[1].data)
      assert.equal(batch.columns[0].data, out.columns[2].data)
    end)
    assert.truthy(keep)
  end)

  it("numbers the rows that it keeps when that is asked for", function()
    local batch, keep = programs.batch { { "i64", { 1LL, 2LL, 3LL, 4LL } } }
    batch.row = 500
    local p = programs.new { "i64" }
    local x = p:load(0)
    p:filter(p:op("NE", "i64", x, p:const("i64", 2LL)))
    local seen = {}
    p:each({ x }, { batch }, function(out)
      for i = 0, 2 do seen[#seen + 1] = tonumber(C.mm_batch_row(out, i)) end
    end, true)
    p:each({ x }, { batch }, function(out) seen[#seen + 1] = out.origin == nil end)
    assert.same({ 500, 502, 503, true }, seen)
    assert.truthy(keep)
  end)

  it("uses its blocks again when they came back, and new ones when they did not", function()
    local batch, keep = programs.batch { { "i64", function(i) return 1LL * i end, n = 3000 },
      { "utf8", function(i) return "t" .. i end, n = 3000 } }
    local p = programs.new { "i64", "utf8" }
    local x, text = p:load(0), p:load(1)
    p:filter(p:op("GT", "i64", x, p:const("i64", 10LL)))
    local double = p:op("ADD", "i64", x, x)
    local seen, kept = {}, {}
    p:each({ double, text }, { batch, batch, batch }, function(out)
      seen[#seen + 1] = tostring(out.columns[0].data) .. tostring(out.columns[1].data)
    end)
    assert.equal(seen[1], seen[2])
    assert.equal(seen[2], seen[3])
    p:each({ double, text }, { batch, batch, batch, batch }, function(out)
      local copy = ffi.gc(ffi.new "mm_batch", C.mm_batch_free)
      assert(C.mm_batch_copy(copy, out, nil) >= 0)
      kept[#kept + 1] = copy
    end)
    for _, copy in ipairs(kept) do
      assert.same("22", columns.text(copy.columns[0])[1])
      assert.same("t3000", columns.text(copy.columns[1])[2990])
    end
    assert.truthy(keep)
  end)

  it("holds little memory for few rows that are kept for long", function()
    local n = 65536
    local batch, keep = programs.batch { { "i64", function(i) return 1LL * i end, n = n } }
    local p = programs.new { "i64" }
    local x = p:load(0)
    p:filter(p:op("EQ", "i64", p:op("MOD", "i64", x, p:const("i64", 1000LL)), p:const("i64", 0LL)))
    local kept, batches = {}, {}
    for i = 1, 8 do batches[i] = batch end
    p:each({ p:op("ADD", "i64", x, x) }, batches, function(out)
      local copy = ffi.gc(ffi.new "mm_batch", C.mm_batch_free)
      assert(C.mm_batch_copy(copy, out, nil) >= 0)
      kept[#kept + 1] = copy
    end)
    assert.is_true(tonumber(C.mm_block_size(kept[8].columns[0].data_block)) < n)
    assert.truthy(keep)
  end)

  it("says whether it can fail and whether it keeps rows", function()
    local function flags(build)
      local p = programs.new { "i64", "f64" }
      return p:stage { build(p) }.flags
    end
    assert.equal(C.MM_STAGE_KEEPS_ROWS, flags(function(p) return p:op("ADD", "f64", p:load(1), p:load(1)) end))
    assert.equal(C.MM_STAGE_KEEPS_ROWS + C.MM_STAGE_CAN_FAIL,
      flags(function(p) return p:op("ADD", "i64", p:load(0), p:load(0)) end))
    assert.equal(C.MM_STAGE_KEEPS_ROWS, flags(function(p) return p:cast("i32", "i64", p:load(0), "TRY") end))
    assert.equal(0, flags(function(p)
      p:filter(p:op("IS_NULL", "i64", p:load(0)))
      return p:load(0)
    end))
  end)

  it("gives the same in a job at any batch size", function()
    local source = columns.table { { "a", "i64", function(i) return i % 11 == 0 and null or 1LL * (i % 1000) end,
      n = 70000 } }
    local results = {}
    for _, rows in ipairs { 64, 1024, 8192 } do
      local p = programs.new { "i64" }
      local a = p:load(0)
      p:filter(p:op("LT", "i64", a, p:const("i64", 123LL)))
      local stage = p:stage { a, p:op("MUL", "i64", a, a) }
      results[#results + 1] = assert(columns.run(source, { ffi.gc(stage, nil) }, { batch_rows = rows,
        as = columns.text }))
    end
    assert.same(results[1], results[2])
    assert.same(results[2], results[3])
  end)
end)
