-- group by texts of any length and by several keys, while groups are few and when they are no longer, against a plain
-- Lua oracle.
local ffi = require "ffi"
local columns = require "columns"
local groups = require "groups"
local null = columns.null

local AGGREGATES = { "count()", "sum(x)", "first(x)", "n_unique(x)" }

---Group rows of these key columns and compare all that comes out, as text.
local function check(keys, options)
  options = options or {}
  local size = keys[1][3].n
  local fields, names = { { "x", "i64", groups.values("i64", size, 100) } }, {}
  for i, key in ipairs(keys) do fields[i + 1], names[i] = key, key[1] end
  local source = columns.table(fields, options.rows)
  local result, err = columns.run(source, { groups.stage(source, names, AGGREGATES) },
    { threads = 2, batch_rows = options.batch_rows or 4096, as = columns.text })
  assert(result, err and type(err) == "cdata" and ffi.string(err.message))
  for name, list in pairs(groups.expect(fields, names, AGGREGATES)) do
    assert.are.equal(#list, #result[name], name)
    for i = 1, #list do
      if list[i] ~= result[name][i] then
        error(("column %s, group %d: expected %s, got %s (seed %d)"):format(name, i, list[i], result[name][i],
          groups.seed), 2)
      end
    end
  end
end

---A column of n keys in a random order, out of `make`, which gets a number from 1 to `distinct`; some are null.
local function random_keys(n, distinct, make, nulls)
  local list = { n = n }
  for i = 1, n do list[i] = math.random() < (nulls or 0) and null or make(math.random(distinct)) end
  return list
end

local function url(i) return ("https://www.example.org/category/%d/item-%d.html"):format(i % 7, i * 7919) end
local function of_size(i) return ("ab"):rep(i):sub(1, i - 1) end -- the first one is empty

local SHAPES = {
  { "of every size from 0 to 80", 81, of_size },
  { "that begin and end with the same 64 bytes", 40, function(i) return ("p"):rep(64) .. i .. ("s"):rep(64) end },
  { "that begin and end with the same 16 bytes", 90, function(i) return ("p"):rep(16) .. i .. ("s"):rep(16) end },
  { "of seven to nine bytes", 90, function(i) return ("k%08d"):format(i):sub(-6 - i % 3) end },
  { "that are addresses", 300, url },
  { "of which more are new than are remembered", 3000, url },
  { "of many sizes, longer and longer", 500, function(i) return ("t"):rep(i) end },
}

describe("keys of text", function()
  for _, shape in ipairs(SHAPES) do
    for _, nulls in ipairs { 0, 0.1 } do
      local name = ("are found%s when they are texts %s"):format(nulls > 0 and ", or null," or "", shape[1])
      it(name, function() check { { "k", "utf8", random_keys(9000, shape[2], shape[3], nulls) } } end)
    end
  end

  for _, size in ipairs { 1, 63, 64, 65, 2047, 2048, 2049, 2112, 2113 } do
    it(("are found in %d rows"):format(size), function()
      check { { "k", "utf8", random_keys(size, 20, of_size, 0.1) } }
      check { { "k", "utf8", random_keys(size, 40, url) } }
    end)
  end

  it("are found in slices, which begin within their column", function()
    check({ { "k", "utf8", random_keys(6000, 30, url, 0.05) } }, { rows = 1000 })
    check({ { "k", "utf8", random_keys(6000, 30, of_size, 0.05) } }, { rows = 1500, batch_rows = 1024 })
  end)

  for _, size in ipairs { 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 100 } do
    it(("are told apart by any one of %d bytes"):format(size), function()
      check { { "k", "binary", random_keys(4000, size + 1, function(i)
        return ("m"):rep(i - 1) .. (i <= size and "\0" or "") .. ("m"):rep(size - i)
      end) } }
    end)
  end

  -- So many that many pairs share the slot where they are looked for first.
  for _, size in ipairs { 8, 16, 24, 32, 40, 64, 72 } do
    it(("are told apart by any eight of %d bytes"):format(size), function()
      for from = 0, size - 8, 8 do
        check { { "k", "utf8", random_keys(9000, 700, function(i)
          return ("m"):rep(from) .. ("%08d"):format(i) .. ("m"):rep(size - from - 8)
        end) } }
      end
    end)
  end

  it("are told from texts with zeros at the end, and from null", function()
    check { { "k", "binary", random_keys(4000, 70, function(i) return ("\0"):rep(i - 1) end, 0.1) } }
  end)

  it("may be missing in a batch, in all of the first ones, or be nothing but empty", function()
    local late, empty = { n = 9000 }, { n = 9000 }
    for i = 1, 9000 do
      late[i] = i <= 4096 and null or of_size(i % 50 + 1)
      empty[i] = i > 8192 and null or ""
    end
    check { { "k", "utf8", late } }
    check { { "k", "utf8", empty } }
    check { { "k", "utf8", late }, { "l", "utf8", empty } }
  end)

  it("have groups of their own where nearly all rows of a morsel were different before", function()
    local list = { n = 9000 }
    for i = 1, list.n do list[i] = url(i <= 1024 and i or i % 3 + 1) end
    check { { "k", "utf8", list } }
  end)
end)

describe("several keys", function()
  local makers = {
    utf8 = url, i64 = function(i) return i * 2 ^ 33 end, i32 = function(i) return i * 65536 end,
    i16 = function(i) return i end, i8 = function(i) return i end, bool = function(i) return i % 2 == 0 end,
    f64 = function(i) return (i - 2) / 4 end, date = function(i) return i * 365 end,
  }
  for _, kinds in ipairs {
    { "i32", "utf8" }, { "utf8", "utf8" }, { "i32", "i32" }, { "i64", "i64" }, { "utf8", "i64", "i32" },
    { "bool", "f64", "i8" }, { "i64", "i32", "i16", "i8", "bool" }, { "i64", "i64", "bool" },
    { "utf8", "utf8", "utf8", "utf8", "utf8", "utf8", "utf8", "utf8" }, { "date", "bool", "utf8" },
  } do
    for _, nulls in ipairs { 0, 0.2 } do
      it(("find the groups of %s%s"):format(table.concat(kinds, ", "), nulls > 0 and ", or null" or ""), function()
        local keys, values = {}, #kinds > 3 and 2 or 5
        for c, kind in ipairs(kinds) do
          keys[c] = { "k" .. c, kind, random_keys(5000, values, makers[kind], nulls) }
        end
        check(keys)
        check(keys, { rows = 1250, batch_rows = 512 })
      end)
    end
  end

  it("are told apart by any one of them, where many share the slot where they are looked for first", function()
    for _, kinds in ipairs { { "i64", "i64" }, { "utf8", "utf8" }, { "i32", "i32" }, { "i64", "utf8" } } do
      for _, nulls in ipairs { 0, 0.05 } do
        check { { "a", kinds[1], random_keys(9000, 25, makers[kinds[1]], nulls) },
          { "b", kinds[2], random_keys(9000, 25, makers[kinds[2]], nulls) } }
      end
    end
  end)

  it("find more groups than are remembered, of few values each", function()
    check { { "a", "utf8", random_keys(20000, 60, url, 0.05) }, { "b", "i32", random_keys(20000, 60, makers.i32) } }
  end)

  it("tell null from the values that stand in its place", function()
    local a, b = { n = 4000 }, { n = 4000 }
    for i = 1, 4000 do
      a[i] = i % 3 == 0 and null or i % 3 == 1 and 0 or 1
      b[i] = math.floor(i / 3) % 3 == 0 and null or math.floor(i / 3) % 3 == 1 and 0 or 1
    end
    for _, kind in ipairs { "i8", "i32", "i64", "f64" } do
      check { { "a", kind, a }, { "b", kind, b } }
      check { { "a", kind, a } }
    end
  end)
end)
