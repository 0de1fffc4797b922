-- n_unique: how many different values, exactly, at any number of threads and any batch size.
local ffi = require "ffi"
local columns = require "columns"
local groups = require "groups"
local null = columns.null

local WAYS = { { 1, 65536 }, { 2, 16384 }, { 4, 1000 } }

---n_unique(x) of a column, by the given keys or without any, the same in all ways.
local function count(field, keys)
  local source, first = columns.table { field, unpack(keys or {}) }, nil
  local names = {}
  for i, key in ipairs(keys or {}) do names[i] = key[1] end
  for _, way in ipairs(WAYS) do
    local result, err = columns.run(source, { groups.stage(source, names, { "n_unique(x)", "count()" }) },
      { threads = way[1], batch_rows = way[2] })
    assert(result, err and type(err) == "cdata" and ffi.string(err.message))
    local numbers = {}
    for i = 1, #result.o1 do numbers[i] = tonumber(result.o1[i]) end
    first = first or numbers
    assert.are.same(first, numbers)
  end
  return first
end

local function cycle(n, distinct, value)
  return { "x", "i64", function(i) return value((i * 7919) % distinct) end, true, n = n }
end

describe("n_unique without keys", function()
  for _, distinct in ipairs { 1, 4095, 4097, 100003 } do
    it(("counts %d different numbers"):format(distinct), function()
      assert.are.same({ distinct }, count(cycle(200000, distinct, function(v) return v end)))
      assert.are.same({ distinct }, count(cycle(200000, distinct, function(v) return v * 2 ^ 35 end)))
    end)
  end

  it("leaves nulls out, and counts 0 as a value", function()
    assert.are.same({ 0 }, count { "x", "i64", { null, null } })
    assert.are.same({ 1 }, count { "x", "i64", { null, 0, 0 } })
    assert.are.same({ 2 }, count { "x", "i64", { 1, 0, null, 0, 1 } })
    assert.are.same({ 2 }, count { "x", "i32", { -1, null, 0 } })
    assert.are.same({ 2 }, count { "x", "bool", { true, false, null, true } })
    assert.are.same({ 0 }, count { "x", "f64", {} })
  end)

  it("takes all NaN as one value, and both zeros as one", function()
    for _, kind in ipairs { "f32", "f64" } do
      assert.are.same({ 3 }, count { "x", kind, { 0 / 0, -(0 / 0), 0, -0.0, 1.5, null } })
    end
  end)

  it("counts what stands in other rows than those of the last morsel", function()
    local n = 300000
    local function pairs_of(i) return math.floor((i - 1) / 2) end
    assert.are.same({ math.ceil(n / 2) }, count { "x", "i64", pairs_of, false, n = n })
  end)

  it("counts beside other aggregates", function()
    local source = columns.table { cycle(100000, 700, function(v) return v > 300 and v or null end) }
    local result = assert(columns.run(source,
      { groups.stage(source, {}, { "n_unique(x)", "count(x)", "max(x)", "n_unique(x)", "median(x)" }) }))
    assert.are.equal(399, tonumber(result.o1[1]))
    assert.are.equal(699, tonumber(result.o3[1]))
    assert.are.equal(399, tonumber(result.o4[1]))
  end)
end)

describe("n_unique by key", function()
  for _, keys in ipairs { 1, 3, 1000, 30000 } do
    it(("counts in %d groups"):format(keys), function()
      local n, values = 72000, { "i64", "i32", "utf8" }
      for _, kind in ipairs(values) do
        local function value(i) return math.floor(i / keys) % 2 end
        local show = kind == "utf8" and function(v) return ("text of more than 15 bytes: %d"):format(v) end
          or function(v) return v end
        local numbers = count({ "x", kind, function(i) return show(value(i - 1)) end, false, n = n },
          { { "k", "i64", function(i) return (i - 1) % keys end, false, n = n } })
        assert.are.equal(keys, #numbers)
        for _, number in ipairs(numbers) do assert(number == 2, number) end
      end
    end)
  end

  it("counts many values of few groups, nulls left out", function()
    local numbers = count({ "x", "i64", function(i) return i % 5 == 0 and null or i end, true, n = 200000 },
      { { "k", "i8", function(i) return i % 10 end, false, n = 200000 } })
    assert.are.same({ 20000, 20000, 20000, 20000, 0, 20000, 20000, 20000, 20000, 0 }, numbers)
  end)

  it("leaves the bits of other aggregates as they are, where its values are merged side by side", function()
    local n = 200000
    local source = columns.table { { "k", "i32", function(i) return i % 12 end, false, n = n },
      { "x", "f64", function(i) return i % 7 == 0 and null or 1 / i end, true, n = n },
      { "s", "utf8", function(i) return ("%x"):format(i % 5000) end, false, n = n } }
    local others = { "sum(x)", "var(x)", "median(x)", "last(x)", "max(s)", "count(x)" }
    local with, without = { "n_unique(x)" }, {}
    for i, text in ipairs(others) do with[i + 1], without[i] = text, text end
    local plain = assert(columns.run(source, { groups.stage(source, { "k" }, without) }, { threads = 1 }))
    for _, way in ipairs(WAYS) do
      local result = assert(columns.run(source, { groups.stage(source, { "k" }, with) },
        { threads = way[1], batch_rows = way[2] }))
      assert.are.same(plain.k, result.k)
      for i = 1, #others do assert.are.same(plain["o" .. i], result["o" .. i + 1]) end
    end
  end)
end)
