local ffi = require "ffi"
local columns = require "columns"
local C = require("moonmill.base.ffi").C
local null = columns.null

local kinds = { "bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "utf8", "binary", "date",
  "timestamp(us)" }

---A sort stage over orders { { column, "desc", "nulls first" }, ... }; columns count from 0.
local function sort(orders)
  local list = ffi.new("mm_order[?]", #orders)
  for i, order in ipairs(orders) do
    list[i - 1] = { order[1], order[2] == "desc" and 1 or 0, order[3] == "nulls first" and 1 or 0 }
  end
  return assert(C.mm_stage_sort(list, #orders, nil))
end

---The rule, in Lua: <0, 0, >0 of two values of an order.
local function compare(a, b, order)
  if a == null or b == null then
    if a == b then return 0 end
    return ((a == null) == (order[3] == "nulls first")) and -1 or 1
  end
  if type(a) == "boolean" then a, b = a and 1 or 0, b and 1 or 0 end
  local result
  if a == 0 and b == 0 then result = 1 / a == 1 / b and 0 or 1 / a < 1 / b and -1 or 1
  elseif a == b then result = 0
  elseif a ~= a then result = b ~= b and 0 or 1
  elseif b ~= b then result = -1
  else result = a < b and -1 or 1 end
  return order[2] == "desc" and -result or result
end

---Row numbers in order, by a stable sort in Lua.
local function expected(lists, orders, n)
  local rows = {}
  for i = 1, n do rows[i] = i end
  table.sort(rows, function(x, y)
    for _, order in ipairs(orders) do
      local list = lists[order[1] + 1]
      local result = compare(list[x], list[y], order)
      if result ~= 0 then return result < 0 end
    end
    return x < y
  end)
  return rows
end

---Sort lists of some kinds with a last column of row numbers; give these.
local function sorted(kinds_used, lists, orders, n, options)
  options = options or {}
  local fields, numbers = {}, {}
  for i, kind in ipairs(kinds_used) do fields[i] = { "c" .. i, kind, lists[i], true } end
  for i = 1, n do numbers[i] = i end
  fields[#fields + 1] = { "row", "i32", numbers }
  local result, err = columns.run(columns.table(fields, options.rows), { sort(orders) }, options)
  if not result then error(ffi.string(err.message)) end
  return result.row or {}
end

local function value(kind, spread)
  local r = math.random(0, spread)
  if kind == "bool" then return r % 2 == 0 end
  if kind == "f32" or kind == "f64" then
    return ({ 0 / 0, 1 / 0, -1 / 0, -0.0, 0.0, -r / 4 })[math.random(1, 12)] or r / 4
  end
  if kind == "utf8" or kind == "binary" then
    local words = { "", "a", "a\0", "ab", "common prefix of many", "common prefix of some", "exactly7", "exactl7",
      "\255\255" }
    return r % 3 == 0 and words[math.random(#words)] or tostring(r):rep(math.random(1, 4))
  end
  if kind:sub(1, 1) == "u" then return r % 200 end
  return r % 200 - 100
end

local function random_list(kind, n, spread, nulls)
  local list = {}
  for i = 1, n do list[i] = math.random() < nulls and null or value(kind, spread) end
  return list
end

describe("sort", function()
  for _, kind in ipairs(kinds) do
    it(("orders %s both ways, nulls last or first"):format(kind), function()
      local seed = os.time()
      math.randomseed(seed)
      local list = random_list(kind, 300, 60, 0.1)
      for _, direction in ipairs { "asc", "desc" } do
        for _, nulls in ipairs { "nulls last", "nulls first" } do
          local orders = { { 0, direction, nulls } }
          assert.same(expected({ list }, orders, 300), sorted({ kind }, { list }, orders, 300), "seed " .. seed)
        end
      end
    end)
  end

  it("orders the extremes of 64-bit integers apart from null", function()
    local least, most = -9223372036854775807LL - 1, 9223372036854775807LL
    local list = { 0, null, most, least, null, most, least, 5 }
    for _, direction in ipairs { "asc", "desc" } do
      for _, nulls in ipairs { "nulls last", "nulls first" } do
        local orders = { { 0, direction, nulls } }
        local big = {}
        for i, v in ipairs(list) do big[i] = v == null and null or ffi.cast("int64_t", v) end
        assert.same(expected({ big }, orders, 8), sorted({ "i64" }, { list }, orders, 8))
      end
    end
    local top = 18446744073709551615ULL
    assert.same({ 3, 1, 4, 2 }, sorted({ "u64" }, { { top, null, 0, top } }, { { 0 } }, 4))
    assert.same({ 2, 1, 4, 3 }, sorted({ "u64" }, { { top, null, 0, top } }, { { 0, "desc", "nulls first" } }, 4))
  end)

  it("knows null from the extreme also when they come in different morsels", function()
    local n = 65536 + 10
    local list = {}
    for i = 1, n do list[i] = i end
    list[5] = null
    list[n] = 9223372036854775807LL
    local rows = sorted({ "i64" }, { list }, { { 0 } }, n)
    assert.same({ n - 1, n, 5 }, { rows[n - 2], rows[n - 1], rows[n] })
    rows = sorted({ "i64" }, { list }, { { 0, "asc", "nulls first" } }, n)
    assert.same({ 5, 1, 2 }, { rows[1], rows[2], rows[3] })
  end)

  it("puts -0 before 0, and counts all NaN as equal, whether numbers decide or values", function()
    local list = { -0.0, 0.0, -0.0, -1, 0 / 0, 3, -(0 / 0) }
    for _, kind in ipairs { "f32", "f64" } do
      assert.same({ 4, 1, 3, 2, 6, 5, 7 }, sorted({ kind }, { list }, { { 0 } }, 7))
      assert.same({ 5, 7, 6, 2, 1, 3, 4 }, sorted({ kind }, { list }, { { 0, "desc" } }, 7))
      local long = {}
      for i = 1, 7 do long[i] = "a text that is longer than what a number holds" end
      assert.same({ 4, 1, 3, 2, 6, 5, 7 }, sorted({ "utf8", kind }, { long, list }, { { 0 }, { 1 } }, 7))
    end
  end)

  for _, n in ipairs { 0, 1, 63, 64, 65, 1023, 1024, 1025, 2047, 2048, 2049, 65536, 65537, 140001 } do
    it(("keeps equal rows in order among %d"):format(n), function()
      local list = {}
      for i = 1, n do list[i] = (i * 7919) % 10 end
      local rows = sorted({ "i32" }, { list }, { { 0 } }, n)
      assert.equal(n, #rows)
      for i = 2, n do
        local a, b = list[rows[i - 1]], list[rows[i]]
        assert(a < b or (a == b and rows[i - 1] < rows[i]), i)
      end
    end)
  end

  local shapes = {
    ["all equal"] = function() return 5 end,
    ascending = function(i) return i end,
    descending = function(i) return -i end,
    ["of few values"] = function() return math.random(3) * 1e9 end,
    ["far apart, of many magnitudes"] = function() return (math.random() - 0.5) * 2 ^ math.random(-300, 300) end,
    ["equal in their highest bits"] = function() return 1 + math.random(0, 9) * 1e-3 + math.random(0, 99) * 2 ^ -52 end,
    ["-0, 0, inf, NaN and null"] = function()
      return ({ -0.0, 0.0, 1 / 0, -1 / 0, 0 / 0, null })[math.random(6)]
    end,
  }
  for shape, value_at in pairs(shapes) do
    it("sorts numbers that are " .. shape, function()
      local seed = os.time()
      math.randomseed(seed)
      for _, n in ipairs { 17, 300, 10000, 140001 } do
        local list, order = {}, { 0, n % 2 == 0 and "desc" or "asc" }
        for i = 1, n do list[i] = value_at(i) end
        local rows = sorted({ "f64" }, { list }, { order }, n, { threads = 2 })
        assert.equal(n, #rows)
        for i = 2, n do
          local result = compare(list[rows[i - 1]], list[rows[i]], order)
          if result > 0 or (result == 0 and rows[i - 1] >= rows[i]) then error(("row %d, seed %d"):format(i, seed)) end
        end
      end
    end)
  end

  it("sorts texts about as long as what a number holds, among them whole and cut ones", function()
    math.randomseed(5)
    local n, list = 3000, {}
    for i = 1, n do
      local size = math.random(10, 20)
      list[i] = math.random() < 0.05 and null
        or ("\255abcdefghijklmnopqrstu"):sub(1, size - 1) .. ({ "", "\0", "\255", "x" })[math.random(4)]
    end
    for _, kind in ipairs { "binary", "utf8" } do
      for _, direction in ipairs { "asc", "desc" } do
        for _, nulls in ipairs { "nulls last", "nulls first" } do
          local orders = { { 0, direction, nulls } }
          assert.same(expected({ list }, orders, n), sorted({ kind }, { list }, orders, n))
        end
      end
    end
  end)

  it("sorts by two keys of which the first leaves most open", function()
    math.randomseed(3)
    local n, first, second = 100000, {}, {}
    for i = 1, n do first[i], second[i] = math.random(2), math.random(-1000, 1000) / 8 end
    local rows = sorted({ "i64", "f64" }, { first, second }, { { 0, "desc" }, { 1 } }, n)
    for i = 2, n do
      local a, b = rows[i - 1], rows[i]
      assert(first[a] > first[b] or (first[a] == first[b]
        and (second[a] < second[b] or (second[a] == second[b] and a < b))), i)
    end
  end)

  it("orders by several keys of any type, as a plain sort does", function()
    local seed = os.time()
    math.randomseed(seed)
    for _ = 1, 60 do
      local n, count = math.random(1, 400), math.random(1, 4)
      local used, lists, orders = {}, {}, {}
      for k = 1, count do
        used[k] = kinds[math.random(#kinds)]
        lists[k] = random_list(used[k], n, math.random(1, 30), math.random() < 0.5 and 0.2 or 0)
        orders[k] = { k - 1, math.random() < 0.5 and "desc" or "asc",
          math.random() < 0.5 and "nulls first" or "nulls last" }
      end
      local what = ("seed %d: %s"):format(seed, table.concat(used, " "))
      assert.same(expected(lists, orders, n), sorted(used, lists, orders, n, { batch_rows = 64 }), what)
    end
  end)

  it("gives the same rows for any number of threads and any batches", function()
    math.randomseed(7)
    local n = 70000
    local text, number = random_list("utf8", n, 50, 0.05), random_list("f64", n, 50, 0.05)
    local orders = { { 0, "desc" }, { 1, "asc", "nulls first" } }
    local want = sorted({ "utf8", "f64" }, { text, number }, orders, n, { threads = 1 })
    assert.equal(n, #want)
    for i = 2, n, 97 do
      local a, b = want[i - 1], want[i]
      local first = compare(text[a], text[b], orders[1])
      local second = compare(number[a], number[b], orders[2])
      assert(first < 0 or (first == 0 and (second < 0 or (second == 0 and a < b))), i)
    end
    for _, options in ipairs { { threads = 3 }, { threads = 2, batch_rows = 64 }, { threads = 2, rows = 1024 } } do
      local got = sorted({ "utf8", "f64" }, { text, number }, orders, n, options)
      for i = 1, n do
        if want[i] ~= got[i] then error("row " .. i .. " differs") end
      end
    end
  end)

  it("carries columns of every type, with their nulls", function()
    local fields, n = {}, 300
    for i, kind in ipairs(kinds) do
      fields[i] = { "c" .. i, kind, random_list(kind, n, 50, 0.3), true }
    end
    fields[#fields + 1] = { "nothing", "null", {}, n = n }
    for i = 1, n do fields[#fields][3][i] = null end
    local order = {}
    for i = 1, n do order[i] = (i * 37) % 301 end
    fields[#fields + 1] = { "order", "i32", order }
    local got = columns.run(columns.table(fields), { sort { { #fields - 1 } } }, { as = columns.text })
    local rows = expected({ order }, { { 0 } }, n)
    local t = columns.lists(columns.table(fields), columns.text)
    for _, field in ipairs(fields) do
      local want = {}
      for i = 1, n do want[i] = t[field[1]][rows[i]] end
      assert.same(want, got[field[1]], field[1])
    end
  end)

  it("gives all memory back", function()
    collectgarbage()
    local before = columns.memory_used()
    do
      local list = {}
      for i = 1, 70000 do list[i] = (i * 7919) % 70001 end
      local t = columns.table { { "a", "i64", list } }
      local result = columns.result(t, { sort { { 0 } } })
      C.mm_table_free(result)
      C.mm_table_free(t)
    end
    collectgarbage()
    assert.equal(before, columns.memory_used())
  end)

  it("refuses a column that is not there", function()
    local result, err = columns.run(columns.table { { "a", "i64", { 1 } } }, { sort { { 3 } } })
    assert.is_nil(result)
    assert.equal("bad-column", ffi.string(err.id))
  end)
end)
