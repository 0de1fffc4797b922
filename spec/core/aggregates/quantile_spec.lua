-- median and quantile of many values and of several at once, against sorted lists.
local ffi = require "ffi"
local columns = require "columns"
local C = require("moonmill.base.ffi").C
local null = columns.null

local qs = { 0, 0.01, 0.5, 0.937, 1 }

---Quantiles of `list`, whose nulls are left out, by hand.
local function expected(list)
  local known, results = {}, {}
  for _, v in ipairs(list) do
    if v ~= null then known[#known + 1] = v end
  end
  table.sort(known)
  for i, q in ipairs(qs) do
    local at = q * (#known - 1)
    local low, high = known[math.floor(at) + 1], known[math.min(math.floor(at) + 2, #known)]
    results[i] = #known == 0 and null or low == high and low or low + (at - math.floor(at)) * (high - low)
  end
  return results
end

---All of them of column 0, by column 1 when there are keys. Results by name: q1, q2, ... and k.
local function quantiles(fields, keys, options)
  local err, out = ffi.new "mm_error", ffi.gc(ffi.new "mm_schema", C.mm_schema_free)
  local t = columns.table(fields)
  local list = ffi.new("mm_aggregate[?]", #qs)
  if keys then assert(C.mm_schema_add(out, "k", t.schema.fields[1].type, true, err) >= 0) end
  for i, q in ipairs(qs) do
    list[i - 1] = { q == 0.5 and C.MM_AGG_MEDIAN or C.MM_AGG_QUANTILE, 0, q, 0 }
    assert(C.mm_schema_add(out, "q" .. i, { C.MM_F64, 0, 0 }, true, err) >= 0)
  end
  local stage = C.mm_stage_group(ffi.new("int32_t[1]", 1), keys and 1 or 0, list, #qs, out, err)
  return assert(columns.run(t, { stage }, options))
end

local shapes = {
  ["at random"] = function() return math.random() end,
  ["all equal"] = function() return 5 end,
  ["of three values"] = function() return math.random(3) end,
  ascending = function(i) return i end,
  descending = function(i) return -i end,
  ["of many magnitudes"] = function() return (math.random() - 0.5) * 2 ^ math.random(-100, 100) end,
  ["low in every other piece"] = function(i) return math.floor(i / 65536) % 2 * 1e6 + math.random() end,
  ["one half null"] = function(i) return i % 2 == 0 and null or i * 7919 % 100003 end,
  ["one value but for the ends"] = function(i) return i < 4000 and i - 1e6 or i > 290000 and i or 0 end,
}

describe("quantile", function()
  for shape, value_at in pairs(shapes) do
    it("is exact over many values, " .. shape, function()
      local seed, n = os.time(), 300001
      math.randomseed(seed)
      local list = {}
      for i = 1, n do list[i] = value_at(i) end
      local want = expected(list)
      for _, threads in ipairs { 1, 3 } do
        local got = quantiles({ { "x", "f64", list, true } }, false, { threads = threads })
        for i = 1, #qs do assert.equal(want[i], got["q" .. i][1], ("q %g, seed %d"):format(qs[i], seed)) end
      end
    end)
  end

  for _, groups in ipairs { 2, 1000, 20000 } do
    it(("is exact for each of %d groups, whose sizes differ"):format(groups), function()
      local seed, n = os.time(), groups == 2 and 600000 or 150000
      math.randomseed(seed)
      local list, keys, of, firsts = {}, {}, {}, {}
      for i = 1, n do
        local key = math.floor(groups * math.random() ^ 3)
        list[i], keys[i] = math.random() < 0.01 and null or math.random(-1000, 1000) / 8, key
        if not of[key] then of[key], firsts[#firsts + 1] = {}, key end
        table.insert(of[key], list[i])
      end
      local got = quantiles({ { "x", "f64", list, true }, { "k", "i32", keys } }, true, { threads = 2 })
      assert.same(firsts, got.k)
      for g = 1, #firsts, math.ceil(#firsts / 500) do
        local want = expected(of[firsts[g]])
        for i = 1, #qs do assert.equal(want[i], got["q" .. i][g], ("group %d, seed %d"):format(g, seed)) end
      end
    end)
  end

  it("is null of no rows, and of nulls alone", function()
    assert.same({ null }, quantiles({ { "x", "f64", {}, true } }, false).q3)
    assert.same({ null }, quantiles({ { "x", "f64", { null, null }, true } }, false).q3)
  end)

  it("of a share that is NaN or outside 0 to 1 is refused by the stage itself", function()
    local out = ffi.gc(ffi.new "mm_schema", C.mm_schema_free)
    assert(C.mm_schema_add(out, "m", { C.MM_F64, 0, 0 }, true, nil) >= 0)
    assert(C.mm_schema_add(out, "q", { C.MM_F64, 0, 0 }, true, nil) >= 0)
    for _, share in ipairs { 0 / 0, -(0 / 0), 1 / 0, -1 / 0, -5e-324, 1 + 2 ^ -52 } do
      local err, list = ffi.new "mm_error", ffi.new "mm_aggregate[2]"
      list[0] = { C.MM_AGG_MEDIAN, 0, share, 0 } -- has no share
      list[1] = { C.MM_AGG_QUANTILE, 0, share, 7 }
      assert.is_true(C.mm_stage_group(nil, 0, list, 2, out, err) == nil, share)
      assert.same({ "bad-share", 7 }, { ffi.string(err.id), err.place })
    end
  end)

  it("gives all memory back", function()
    collectgarbage()
    collectgarbage()
    local before = columns.memory_used()
    do
      local list = {}
      for i = 1, 300000 do list[i] = i * 7919 % 300007 end
      quantiles({ { "x", "i64", list } }, false, { threads = 2 })
    end
    collectgarbage()
    collectgarbage()
    assert.equal(before, columns.memory_used())
  end)
end)
