-- distinct: the first whole row of each key, in the order of the input, whatever the threads and the batch size.
local ffi = require "ffi"
local columns = require "columns"
local groups = require "groups"
local C = require("moonmill.base.ffi").C
local null = columns.null

local function stage(source, keys)
  local numbers, err = ffi.new("int32_t[?]", #keys + 1), ffi.new "mm_error"
  for i, key in ipairs(keys) do numbers[i - 1] = C.mm_schema_find(source.schema, key) end
  return assert(C.mm_stage_distinct(numbers, #keys, err))
end

---Compare with the first row of each group of the oracle.
local function check(fields, keys, options)
  local source = columns.table(fields, options and options.rows)
  local result, err = columns.run(source, { stage(source, keys) },
    { threads = options and options.threads or 2, batch_rows = options and options.batch_rows or 1024,
      as = columns.text })
  assert(result, err and type(err) == "cdata" and ffi.string(err.message))
  local names = {}
  for i, field in ipairs(fields) do names[i] = field[1] end
  local size = fields[1].n or fields[1][3].n or #fields[1][3]
  local places = size > 0 and groups.places(fields, #keys > 0 and keys or names) or {}
  for _, field in ipairs(fields) do
    local values = { n = #places }
    for g, rows in ipairs(places) do
      local list = field[3]
      values[g] = type(list) == "function" and list(rows[1]) or list[rows[1]]
    end
    local expected = columns.text(columns.column(field[2], values, true))
    assert.are.equal(#expected, #result[field[1]])
    for i, value in ipairs(expected) do
      if value ~= result[field[1]][i] then
        error(("%s, row %d: expected %s, got %s (seed %d)"):format(field[1], i, value, result[field[1]][i],
          groups.seed), 2)
      end
    end
  end
end

describe("distinct", function()
  for _, kind in ipairs(groups.kinds) do
    for _, size in ipairs { 0, 1, 64, 1025 } do
      it(("keeps the first of %d rows with each key of type %s"):format(size, kind), function()
        check({ { "k", kind, groups.values(kind, size, 40) }, { "x", "i64", groups.values("i64", size, 1000) },
          { "s", "utf8", groups.values("utf8", size, 1000) } }, { "k" })
      end)
    end
  end

  it("compares all columns when none is named", function()
    check({ { "a", "utf8", groups.values("utf8", 2000, 10) }, { "b", "f64", groups.values("f64", 2000, 9) },
      { "c", "bool", groups.values("bool", 2000, 2) } }, {})
  end)

  it("compares several columns", function()
    check({ { "a", "i32", groups.values("i32", 2000, 10) }, { "x", "i64", groups.values("i64", 2000, 1000) },
      { "b", "binary", groups.values("binary", 2000, 9) } }, { "b", "a" })
  end)

  it("takes -0 for 0, and all NaN for one", function()
    check({ { "x", "f64", { -0.0, 0, 0 / 0, -(0 / 0), null, null } }, { "n", "i8", { 1, 2, 3, 4, 5, 6 } } }, { "x" })
  end)

  it("keeps rows of a table in many small batches", function()
    check({ { "k", "utf8", groups.values("utf8", 5000, 60) }, { "x", "i64", groups.values("i64", 5000, 1000) } },
      { "k" }, { rows = 64 })
  end)

  for _, size in ipairs { 65535, 65536, 65537, 200000 } do
    for _, distinct in ipairs(size == 65536 and { 1, size } or { 700, 30000, size }) do
      it(("gives the same rows of %d with %d keys at any threads and batch size"):format(size, distinct), function()
        local source = columns.table {
          { "k", "i64", function(i) return (i * 7919) % distinct end, false, n = size },
          { "s", "utf8", function(i) return ("row %x"):format(i) end, false, n = size },
        }
        local first
        for _, way in ipairs(groups.ways(size == 65537 and distinct == 700)) do
          local bits = groups.bits(source, stage(source, { "k" }), way[1], way[2])
          first = first or bits
          if bits ~= first then error(("%d threads, batches of %d rows"):format(way[1], way[2])) end
        end
        local result = assert(columns.run(source, { stage(source, { "k" }) }, { threads = 2 }))
        local seen, n = {}, 0
        for i = 1, size do
          local key = (i * 7919) % distinct
          if not seen[key] then
            seen[key], n = true, n + 1
            assert(result.k[n] == key and result.s[n] == ("row %x"):format(i))
          end
        end
        assert.are.equal(n, #result.k)
      end)
    end
  end
end)
