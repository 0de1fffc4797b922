-- group: states as columns of parts, and aggregates out of such parts, against the aggregates of all rows.
local ffi = require "ffi"
local columns = require "columns"
local groups = require "groups"
local C = require("moonmill.base.ffi").C
local null = columns.null

-- Parts in the order in which they are merged: o1 to o3, o4 to o7, o8 and o9.
local PARTS = { "sum_high(x)", "sum_low(x)", "count(x)", "count(y)", "center(y)", "rest(y)", "squares(y)", "sum(y)",
  "count(y)" }
local WHOLE = { "sum(x)", "mean(x)", "var(y)", "std(y)", "sum(y)", "mean(y)" }
local MERGED = { "merge_sum(o1)", "merge_mean(o1)", "merge_var(o4)", "merge_std(o4)", "merge_sum(o8)",
  "merge_mean(o8)" }

local function close(a, b)
  local x, y = tonumber(a), tonumber(b)
  return a == b or (x and y and math.abs(x - y) <= 1e-12 * math.max(math.abs(x), math.abs(y)))
end

local function stage(source, aggregates, keys) return groups.stage(source, keys or { "k" }, aggregates) end

local function result(source, made, options)
  local found, err = columns.result(source, { made }, options)
  return found or error(ffi.string(err.message))
end

-- The results of several tables as one.
local function joined(tables)
  local all = tables[1]
  for i = 2, #tables do
    for b = 0, tonumber(tables[i].count) - 1 do
      local batch = ffi.new "mm_batch"
      assert(C.mm_batch_copy(batch, tables[i].batches[b], nil) >= 0)
      assert(C.mm_table_append(all, batch, nil) >= 0)
    end
  end
  return all
end

local function fields(kind, n)
  local large = kind == "u64" and 0xfffffffffffff000ULL or 0x3ffffffffffff000LL
  local function integer()
    if math.random() < 0.1 then return null end
    return kind == "u64" and large + math.random(0, 4000) or large * math.random(-1, 1) + math.random(0, 4000)
  end
  local x, y = {}, {}
  for i = 1, n do
    x[i] = kind:find "64" and integer() or math.random(0, 100)
    y[i] = math.random() < 0.1 and null or 1e9 + math.random()
  end
  return { { "k", "i32", groups.values("i32", n, 30), true }, { "x", kind, x, true }, { "y", "f64", y, true } }
end

describe("parts of a group", function()
  for _, kind in ipairs { "i8", "u8", "i64", "u64" } do
    it("merge to what all rows give, with sums of " .. kind, function()
      local rows, tables = fields(kind, 3000), {}
      for i, range in ipairs { { 1, 1000 }, { 1001, 1000 }, { 1001, 1001 }, { 1002, 3000 } } do
        local part = {}
        for c, field in ipairs(rows) do
          part[c] = { field[1], field[2], { unpack(field[3], range[1], range[2]) }, true }
        end
        local source = columns.table(part, 64)
        tables[i] = result(source, stage(source, PARTS))
      end
      local all = joined(tables)
      local source = columns.table(rows, 64)
      local sums = kind:find "64" and { unpack(WHOLE, 3) } or WHOLE -- the sums of 64 bits would not fit
      local offset = #WHOLE - #sums
      local expected = columns.lists(result(source, stage(source, sums)), columns.text)
      local actual = columns.lists(result(all, stage(all, { unpack(MERGED, offset + 1) })), columns.text)
      assert.same(expected.k, actual.k)
      for i = 1, #sums do
        for g, value in ipairs(expected["o" .. i]) do
          local got = actual["o" .. i][g]
          local what = "%s of group %d: %s from parts, %s of all rows (seed %d)"
          if not close(value, got) then error(what:format(sums[i], g, got, value, groups.seed)) end
        end
      end
    end)
  end

  it("carry sums beyond 64 bits", function()
    local most = 0x7fffffffffffffffLL
    local source = columns.table { { "x", "i64", { most, most, most, -most, -most } } }
    local parts = result(source, stage(source, { "sum_high(x)", "sum_low(x)", "count(x)" }, {}))
    local out = columns.lists(result(parts, stage(parts, { "merge_sum(o1)" }, {})), columns.text)
    assert.same({ "9223372036854775807" }, out.o1)
    parts = joined { parts, result(source, stage(source, { "sum_high(x)", "sum_low(x)", "count(x)" }, {})) }
    local _, err = columns.run(parts, { stage(parts, { "merge_sum(o1)" }, {}) })
    assert.equal("overflow", ffi.string(err.id))
  end)

  it("have the same bits at any threads and batch size", function()
    local source = columns.table(fields("i64", 70000), 65536)
    local parts, bits
    for _, way in ipairs(groups.ways()) do
      local found = groups.bits(source, stage(source, PARTS), way[1], way[2])
      assert.is_true(bits == nil or bits == found)
      bits = found
    end
    parts = result(source, stage(source, PARTS))
    bits = nil
    for _, way in ipairs(groups.ways()) do
      local found = groups.bits(parts, stage(parts, { unpack(MERGED, 3) }), way[1], way[2])
      assert.is_true(bits == nil or bits == found)
      bits = found
    end
  end)

  it("are refused where the columns are no parts", function()
    local source = columns.table { { "n", "i64", { 1 } }, { "y", "f64", { 1 } }, { "z", "i32", { 1 } } }
    for _, text in ipairs {
      "merge_sum(n)", "merge_mean(n)", "merge_var(n)", "merge_std(y)", "merge_sum(z)", "merge_mean(y)", "sum_high(y)",
      "sum_low(y)",
    } do
      local _, err = columns.run(source, { stage(source, { text }, {}) })
      assert.equal("aggregate-type", err and ffi.string(err.id), text)
    end
  end)
end)
