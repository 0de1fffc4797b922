-- group: keys of every type and every aggregate against a plain Lua oracle,
-- and the same bits at any threads and batch size.
local ffi = require "ffi"
local columns = require "columns"
local groups = require "groups"
local null = columns.null


---Variances are rounded differently by other ways to compute them.
local function close(a, b)
  a, b = tonumber(a), tonumber(b)
  return a and b and math.abs(a - b) <= 1e-12 * math.max(math.abs(a), math.abs(b))
end

---Run a group stage and compare all its columns with what is expected, as text.
local function check(fields, keys, aggregates, options)
  local source = columns.table(fields, options and options.rows)
  local expected = groups.expect(fields, keys, aggregates)
  local result, err = columns.run(source, { groups.stage(source, keys, aggregates) },
    { threads = options and options.threads or 2, batch_rows = options and options.batch_rows or 1024,
      as = columns.text })
  assert(result, err and type(err) == "cdata" and ffi.string(err.message))
  for name, list in pairs(expected) do
    assert.are.equal(#list, #result[name], name)
    for i = 1, #list do
      local aggregate = aggregates[tonumber(name:match "^o(%d+)$" or 0)] or ""
      local got, spread = result[name][i], aggregate:match "^var" or aggregate:match "^std"
      if list[i] ~= got and not (spread and close(list[i], got)) then
        error(("column %s, group %d: expected %s, got %s (seed %d)"):format(name, i, list[i], got, groups.seed), 2)
      end
    end
  end
end

local ALL_OF_NUMBERS = {
  "count()", "count(x)", "count_null(x)", "sum(x)", "mean(x)", "min(x)", "max(x)", "var(x)", "std(x)", "first(x)",
  "last(x)", "median(x)", "quantile(x)", "n_unique(x)",
}
local OF_ANY_TYPE = { "count()", "count(x)", "count_null(x)", "min(x)", "max(x)", "first(x)", "last(x)", "n_unique(x)" }

describe("group", function()
  for _, kind in ipairs(groups.kinds) do
    for _, size in ipairs { 0, 1, 65, 3000 } do
      it(("groups %d rows by a key of type %s"):format(size, kind), function()
        check({ { "k", kind, groups.values(kind, size, 40) }, { "x", "i64", groups.values("i64", size, 100) } },
          { "k" }, { "count()", "sum(x)", "first(x)", "last(x)" })
      end)
    end
  end

  it("groups by several keys of different types", function()
    local n = 5000
    for _, pair in ipairs {
      { "utf8", "utf8" }, { "i32", "i32" }, { "bool", "utf8" }, { "f64", "date" }, { "binary", "timestamp" },
    } do
      check({ { "a", pair[1], groups.values(pair[1], n, 12) }, { "b", pair[2], groups.values(pair[2], n, 9) },
        { "c", "i8", groups.values("i8", n, 3) }, { "x", "f64", groups.values("f64", n, 50) } }, { "a", "b", "c" },
        { "count()", "max(x)", "n_unique(x)" })
    end
  end)

  it("groups by as many keys as there are bits in a word, and more", function()
    local fields, keys = {}, {}
    for i = 1, 70 do
      fields[i] = { "k" .. i, i % 3 == 0 and "utf8" or "i16", groups.values(i % 3 == 0 and "utf8" or "i16", 300, 2) }
      keys[i] = "k" .. i
    end
    check(fields, keys, { "count()" })
  end)

  for _, kind in ipairs { "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64" } do
    it("takes all aggregates of " .. kind, function()
      local n = 4000
      local x = groups.values(kind, n, 60)
      check({ { "k", "utf8", groups.values("utf8", n, 30) }, { "x", kind, x } }, { "k" }, ALL_OF_NUMBERS)
      check({ { "k", "i32", function(i) return i % 1500 end, false, n = n }, { "x", kind, x } }, { "k" },
        ALL_OF_NUMBERS)
      check({ { "x", kind, groups.values(kind, n, 60) } }, {}, ALL_OF_NUMBERS)
    end)
  end

  for _, kind in ipairs { "bool", "utf8", "binary", "date", "timestamp", "duration", "timestamp(ms, Europe/Paris)" } do
    it("takes the aggregates that make sense of " .. kind, function()
      check({ { "k", "i64", groups.values("i64", 3000, 20) }, { "x", kind, groups.values(kind, 3000, 25) } },
        { "k" }, OF_ANY_TYPE)
    end)
  end

  it("takes any and all, of nothing too", function()
    check({ { "k", "i8", { 1, 1, 2, 2, 3, 4, 4 } }, { "x", "bool", { true, false, true, true, null, false, null } } },
      { "k" }, { "any(x)", "all(x)" })
  end)

  it("makes one group of no rows when there are no keys, and none otherwise", function()
    check({ { "k", "i64", {} }, { "x", "f64", {} } }, {}, ALL_OF_NUMBERS)
    check({ { "k", "i64", {} }, { "x", "f64", {} } }, { "k" }, ALL_OF_NUMBERS)
  end)

  it("keeps the first way in which a key was written", function()
    check({ { "k", "f64", { -0.0, 0, 1, 0, -0.0, 0 / 0, -(0 / 0), 1, null } } }, { "k" }, { "count()" })
    check({ { "k", "f64", { 0, -0.0, null, null } } }, { "k" }, { "count()" })
  end)

  for _, case in ipairs {
    { "codes of two letters", 3000, function() return string.char(97 + math.random(0, 3), 97 + math.random(0, 3)) end },
    { "codes of one letter", 3000, function() return string.char(97 + math.random(0, 7)) end },
    { "codes of two letters, nulls among the later", 5000, function(i)
      return i > 2500 and math.random() < 0.1 and null or string.char(97 + math.random(0, 3), 120)
    end },
    { "codes whose size changes from vector to vector", 9000, function(i)
      return ("k"):rep(math.floor(i / 1024) % 4) .. (math.floor(i / 1024) % 2 == 0 and "" or math.random(0, 3))
    end },
    { "more codes than are remembered", 9000, function()
      return string.char(math.random(65, 125), math.random(65, 125))
    end },
  } do
    it("finds the groups of " .. case[1], function()
      local list = { n = case[2] }
      for i = 1, list.n do list[i] = case[3](i) end
      check({ { "k", "utf8", list }, { "x", "f64", groups.values("f64", list.n, 30) } }, { "k" },
        { "count()", "count(x)", "min(x)", "max(x)", "mean(x)", "first(x)" }, { batch_rows = 4096 })
    end)
  end

  it("finds the groups of numbers of 16 bits, few at first, then many", function()
    local list = { n = 9000 }
    for i = 1, list.n do list[i] = i < 3000 and math.random(0, 5) or math.random(0, 65535) end
    check({ { "k", "u16", list }, { "x", "i32", groups.values("i32", list.n, 30) } }, { "k" },
      { "count()", "mean(x)", "max(x)" }, { batch_rows = 4096 })
  end)

  it("tells a null key from every value of 64 bits", function()
    local list = { null, 0, -1, 0x7fffffffffffffffLL, null, 0 }
    for i = 0, 62 do list[#list + 1] = 2 ^ i end
    list[#list + 1] = null
    check({ { "k", "i64", list } }, { "k" }, { "count()" })
  end)

  it("tells long texts that differ in one byte", function()
    local list = {}
    for size = 0, 40 do
      for last = 0, 2 do list[#list + 1] = ("x"):rep(size) .. string.char(last) end
      list[#list + 1] = ("x"):rep(size)
      list[#list + 1] = ("x"):rep(size)
    end
    check({ { "k", "binary", list } }, { "k" }, { "count()" })
  end)

  it("takes sums that pass beyond 64 bits on the way", function()
    check({ { "x", "i64", { 0x7fffffffffffffffLL, 0x7fffffffffffffffLL, -0x7fffffffffffffffLL, -5 } } }, {},
      { "sum(x)" })
  end)

  for _, case in ipairs { { "i64", { 0x7fffffffffffffffLL, 1 } }, { "u64", { 0xffffffffffffffffULL, 1 } },
    { "i64", { -0x7fffffffffffffffLL, -2 } } } do
    it("reports a sum that does not fit in " .. case[1], function()
      local source = columns.table { { "amount", case[1], case[2] } }
      local result, err = columns.run(source, { groups.stage(source, {}, { "sum(amount)" }) })
      assert.is_nil(result)
      assert.are.equal("overflow", ffi.string(err.id))
      assert.are.equal(("the sum of column 'amount' does not fit in %s"):format(case[1]), ffi.string(err.message))
      assert.are.equal(1, err.place)
    end)
  end

  it("refuses an aggregate that a type does not have", function()
    local source = columns.table { { "name", "utf8", { "a" } } }
    local result, err = columns.run(source, { groups.stage(source, {}, { "sum(name)" }) })
    assert.is_nil(result)
    assert.are.equal("this aggregate cannot be taken of column 'name' of type utf8", ffi.string(err.message))
  end)

  it("computes a variance that plain sums of squares would lose", function()
    local source = columns.table { { "x", "f64", function(i) return 1e9 + i % 2 end, false, n = 100000 } }
    local result = assert(columns.run(source, { groups.stage(source, {}, { "var(x)" }) }))
    assert.is_true(math.abs(result.o1[1] - 0.2500025) < 1e-9)
  end)

  -- Sizes around morsels; keys from one group to all different ones.
  for _, size in ipairs { 65535, 65536, 65537, 200000 } do
    for _, distinct in ipairs(size == 65536 and { 1, size } or { 700, 30000, size }) do
      local words = "gives the same bits for %d rows in %d groups at any threads and batch size"
      it(words:format(size, distinct), function()
        local fields = {
          { "k", "i64", function(i) return (i * 7919) % distinct end, false, n = size },
          { "x", "f64", function(i) return i % 7 == 0 and null or 1 / i end, true, n = size },
          { "s", "utf8", function(i) return ("%x"):format(i % 5000) end, false, n = size },
        }
        local source = columns.table(fields)
        local first
        for _, way in ipairs(groups.ways(size == 65537 and distinct == 700)) do
          local stage = groups.stage(source, { "k" },
            { "count()", "sum(x)", "mean(x)", "var(x)", "median(x)", "max(s)", "last(s)", "n_unique(s)" })
          local bits = groups.bits(source, stage, way[1], way[2])
          first = first or bits
          if bits ~= first then error(("%d threads, batches of %d rows"):format(way[1], way[2])) end
        end
      end)
    end
  end

  it("finds many groups of text in order of first appearance", function()
    local n, seen, order = 150000, {}, {}
    local function key(i) return ("customer number %d"):format((i * 31) % 40009) end
    for i = 1, n do
      if not seen[key(i)] then
        seen[key(i)] = 0
        order[#order + 1] = key(i)
      end
      seen[key(i)] = seen[key(i)] + 1
    end
    local source = columns.table { { "k", "utf8", key, false, n = n } }
    local result = assert(columns.run(source, { groups.stage(source, { "k" }, { "count()" }) }, { threads = 5 }))
    assert.are.equal(#order, #result.k)
    for i, name in ipairs(order) do
      assert(result.k[i] == name and result.o1[i] == seen[name], name)
    end
  end)
end)
