local ffi = require "ffi"
local columns = require "columns"
local C = require("moonmill.base.ffi").C
local null = columns.null

local sizes = { 0, 1, 63, 64, 65, 1023, 1024, 1025, 65536 }
local err = ffi.new "mm_error"

local values = {
  bool = function(i) return i % 3 == 0 end,
  i8 = function(i) return i % 100 end,
  u16 = function(i) return i % 60000 end,
  i32 = function(i) return -i end,
  f64 = function(i) return i / 2 end,
  utf8 = function(i) return ("é"):rep(i % 5) .. i % 10 end,
}

local function nulls_every(k, f) return function(i) return k > 0 and i % k == 0 and null or f(i) end end

local function part(list, start, length)
  local made = {}
  for i = 1, length do made[i] = list[start + i] end
  return made
end

local function slice(column, start, length)
  local to = ffi.gc(ffi.new "mm_column[1]", C.mm_column_release)
  assert(C.mm_column_slice(to, column, start, length, err) >= 0, ffi.string(err.message))
  return to
end

describe("a column", function()
  for kind, f in pairs(values) do
    it(("of %s counts its nulls"):format(kind), function()
      for _, n in ipairs(sizes) do
        local column = columns.column(kind, nulls_every(3, f), true, n)
        assert.equal(math.floor(n / 3), tonumber(C.mm_column_null_count(column)))
        assert.equal(0, tonumber(C.mm_column_null_count(columns.column(kind, f, false, n))))
      end
    end)

    it(("of %s is sliced from any row"):format(kind), function()
      local n = 1025
      local column = columns.column(kind, nulls_every(7, f), true, n)
      local list = columns.values(column)
      for _, start in ipairs { 0, 1, 7, 8, 63, 64, 65, 128, 1000, 1025 } do
        for _, length in ipairs { 0, 1, 63, 64, 65, n - start } do
          if start + length <= n then
            local one = slice(column, start, length)
            assert.same(part(list, start, length), columns.values(one))
            assert.equal(0, tonumber(ffi.cast("uintptr_t", one[0].valid) % 8))
            if length > 10 then -- a slice of a slice
              assert.same(part(list, start + 3, length - 5), columns.values(slice(one, 3, length - 5)))
            end
          end
        end
      end
    end)

    it(("of %s is joined out of parts of any length"):format(kind), function()
      local seed = os.time()
      math.randomseed(seed)
      for _ = 1, 20 do
        local parts, want, count = {}, {}, math.random(0, 6)
        local pointers = ffi.new("const mm_column *[?]", count + 1)
        for p = 1, count do
          local nulls = math.random() < 0.5 and 4 or 0
          parts[p] = columns.column(kind, nulls_every(nulls, f), nulls > 0, math.random(0, 150))
          if math.random() < 0.3 then
            local length = tonumber(parts[p][0].length)
            parts[p] = slice(parts[p], math.floor(length / 3), math.floor(length / 2))
          end
          pointers[p - 1] = parts[p]
          for _, value in ipairs(columns.values(parts[p])) do want[#want + 1] = value end
        end
        local to = ffi.gc(ffi.new "mm_column[1]", C.mm_column_release)
        assert(C.mm_column_concat(to, pointers, count, err) >= 0)
        assert.same(want, columns.values(to), "seed " .. seed)
      end
    end)

    it(("of %s gives rows in any order, and null for -1"):format(kind), function()
      local seed = os.time()
      math.randomseed(seed)
      for _, nulls in ipairs { 0, 5 } do
        local column = columns.column(kind, nulls_every(nulls, f), nulls > 0, 500)
        local list = columns.values(column)
        for _, n in ipairs { 0, 1, 63, 64, 65, 1025 } do
          for _, holes in ipairs { false, true } do
            local index, want = ffi.new("int64_t[?]", n + 1), {}
            for i = 1, n do
              local row = holes and math.random() < 0.2 and -1 or math.random(0, 499)
              index[i - 1], want[i] = row, row < 0 and null or list[row + 1]
            end
            local to = ffi.gc(ffi.new "mm_column[1]", C.mm_column_release)
            assert(C.mm_column_take(to, column, index, n, err) >= 0)
            assert.same(want, columns.values(to), "seed " .. seed)
          end
        end
      end
    end)
  end

  it("shares what it can: slices on whole words, neighbouring slices joined again", function()
    local column = columns.column("i64", function(i) return i end, true, 1000)
    local a, b, c = slice(column, 0, 64), slice(column, 64, 128), slice(column, 192, 100)
    assert.is_true(b[0].data_block == column[0].data_block and b[0].valid_block == column[0].valid_block)
    local to = ffi.gc(ffi.new "mm_column[1]", C.mm_column_release)
    C.mm_column_concat(to, ffi.new("const mm_column *[3]", { a, b, c }), 3, err)
    assert.is_true(to[0].data == column[0].data)
    assert.equal(292, tonumber(to[0].length))
    local swapped = ffi.gc(ffi.new "mm_column[1]", C.mm_column_release)
    C.mm_column_concat(swapped, ffi.new("const mm_column *[2]", { b, a }), 2, err)
    assert.same({ 65, 192, 1, 64 },
      { columns.value(swapped[0], 0), columns.value(swapped[0], 127), columns.value(swapped[0], 128),
        columns.value(swapped[0], 191) })
  end)

  it("refuses rows that are not there", function()
    local column, to = columns.column("i64", { 1, 2, 3 }), ffi.new "mm_column[1]"
    for _, range in ipairs { { -1, 1 }, { 0, 4 }, { 3, 1 }, { 2, -1 }, { 4, 0 } } do
      assert.is_true(C.mm_column_slice(to, column, range[1], range[2], err) < 0)
      assert.equal("bad-slice", ffi.string(err.id))
    end
  end)

  it("of nothing but nulls has a length and no data", function()
    local column = columns.column("null", function() return null end, true, 10)
    assert.equal(10, tonumber(C.mm_column_null_count(column)))
    assert.same({ null, null }, columns.values(slice(column, 3, 2)))
  end)

  it("writes its values as text", function()
    local cases = {
      { "bool", true, "true" }, { "i8", -128, "-128" }, { "u64", 18446744073709551615ULL, "18446744073709551615" },
      { "f64", 1024, "1024.0" }, { "f64", 0.1, "0.1" }, { "f32", 0.1, "0.1" }, { "utf8", "a,b", "a,b" },
        { "date", 0, "1970-01-01" },
      { "timestamp(ms)", 1500, "1970-01-01T00:00:01.5" }, { "duration(s)", 5400, "PT1H30M" }, { "i64", null, "" },
        { "utf8", "", "" },
    }
    for _, case in ipairs(cases) do
      local text = ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free)
      assert(C.mm_column_text(columns.column(case[1], { case[2] }), 0, text, err) >= 0)
      local got = text.size > 0 and ffi.string(text.data, text.size) or ""
      if case[1] == "timestamp(ms)" then got = got:gsub("%.50*$", ".5") end
      assert.equal(case[3], got)
    end
  end)
end)

describe("a batch", function()
  it("knows the input row of each of its rows, also of slices", function()
    local t = columns.table { { "a", "i64", function(i) return i end, n = 0 } }
    local batch, one, two = ffi.new "mm_batch", ffi.new "mm_batch", ffi.new "mm_batch"
    C.mm_batch_resize(batch, 1, err)
    C.mm_column_make(batch.columns, columns.type "i64", 5, 0, false, err)
    batch.length, batch.row = 5, 100
    C.mm_batch_slice(one, batch, 2, 3, err)
    assert.equal(102, tonumber(C.mm_batch_row(one, 0)))
    batch.origin_block = C.mm_block_new(20, err)
    local origin = ffi.cast("int32_t *", C.mm_block_data(batch.origin_block))
    for i = 0, 4 do origin[i] = i * 10 end
    batch.origin = origin
    C.mm_batch_slice(two, batch, 3, 2, err)
    assert.equal(130, tonumber(C.mm_batch_row(two, 0)))
    C.mm_batch_free(batch)
    assert.equal(140, tonumber(C.mm_batch_row(two, 1)))
    C.mm_batch_free(one)
    C.mm_batch_free(two)
    assert.equal(0, tonumber(t.rows))
  end)
end)
