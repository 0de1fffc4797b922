-- Results depend on the rows alone: every stage gives the same values, to the bit, at any number of threads,
-- batch size and chunking of its input; and of several failures the one of the lowest row is reported.
local ffi = require "ffi"
local pipelines = require "pipelines"
local columns = require "columns"
local null = columns.null

local ROWS = 150000
local seed = tonumber(os.getenv "MM_SEED") or 20131
math.randomseed(seed)

local words = { "a", "bb", "ccc", "", "a longer text than sixteen bytes", "Ünïcode", null }
local lists = { i = {}, f = {}, t = {}, b = {}, g = {} }
for row = 1, ROWS do
  lists.i[row] = math.random(-1000, 1000)
  lists.f[row] = math.random(20) == 1 and null or math.random() * 2000 - 1000
  lists.t[row] = words[math.random(#words)]
  lists.b[row] = math.random(3) == 1
  lists.g[row] = math.random(20000)
end

local function input(chunk)
  return columns.table({
    { "i", "i64", lists.i }, { "f", "f64", lists.f }, { "t", "utf8", lists.t }, { "b", "bool", lists.b },
    { "g", "i32", lists.g },
  }, chunk)
end

local inputs = { input(nil), input(65536), input(1024 * 3 + 64) }
local settings = {
  { threads = 1, batch_rows = 8192, input = 1 }, { threads = 2, batch_rows = 64, input = 2 },
  { threads = 3, batch_rows = 65536, input = 3 }, { threads = 8, batch_rows = 1024, input = 1 },
}

-- Values as one text in which NaN, -0 and every bit of a float show.
local function bits(lists_of, schema)
  local out = {}
  for _, field in ipairs(schema) do
    local values = {}
    for row, value in ipairs(lists_of[field[1]]) do
      values[row] = type(value) == "number" and ("%a"):format(value) or tostring(value)
    end
    out[#out + 1] = field[1] .. " " .. field[2] .. ": " .. table.concat(values, ",")
  end
  return table.concat(out, "\n")
end

local cases = {
  where = ':where "f > 0 and i < 500"',
  ["where of few rows"] = ':where "i == 7"',
  ["where and derive"] = ':derive "x = f * i" :where "x > 100 or t == null" :derive "y = x / 3 + i"',
  select = ':select { "t", "x = i * 2" }',
  rename = ':rename { "z = i" }',
  drop = ':drop { "t", "b" }',
  cast = ':cast { "i: f32", "g: utf8" }',
  fill_null = [[:fill_null { "f = 0", "t = 'none'" }]],
  drop_null = ":drop_null()",
  ["group by text"] =
    ':group("t", { "n = count()", "s = sum(f)", "m = mean(f)", "v = var(f)", "lo = min(f)", "hi = max(i)" })',
  ["group by many keys"] = ':group({ "g", "b" }, { "s = sum(f)", "a = first(t)", "z = last(i)", "u = n_unique(i)" })',
  ["group without keys"] = ':group({}, { "s = sum(f)", "d = std(f)", "q = quantile(f, 0.3)", "m = median(i)" })',
  ["sort by text and number"] = ':sort { "t", "-f" }',
  ["sort with equal keys"] = ':sort "b"',
  limit = ":limit(1000)",
  ["limit beyond a morsel"] = ":limit(70001)",
  ["limit in an order"] = ':limit(100, { order = "-f" })',
  ["limit of each group"] = ':limit(2, { by = "t", order = "i" })',
  distinct = ':distinct { "t", "b" }',
  ["distinct of many"] = ':distinct "g"',
  ["several breakers"] =
    ':group("g", { "s = sum(f)", "t = max(t)" }) :sort "-s" :group("t", { "n = count()", "s = sum(s)" })',
  ["map"] = ':map("x: f64?, y: utf8", function(r) return r.f and r.f + r.i, (r.t or "") .. r.i end)',
  ["where by function"] = ":where(function(r) return r.b and r.i > 0 end)",
}

describe(("with seed %d,"):format(seed), function()
  for name, chain in pairs(cases) do
    it(name .. " gives the same bits whatever the threads, batches and chunks", function()
      local first
      for _, setting in ipairs(settings) do
        local result, schema = pipelines.over(chain, inputs[setting.input], setting)
        assert.truthy(result, schema and not result and ffi.string(schema.message))
        local text = bits(result, schema)
        first = first or text
        assert.is_true(first == text)
      end
    end)
  end
end)

-- Row numbers count from 0. Two morsels fail; within the first, a later stage
-- fails at a lower row than the earlier one.
describe("of several failures", function()
  local values = { n = ROWS }
  for row = 1, ROWS do values[row] = row end
  values[40001], values[70001], values[50001] = 0, 0, -5
  local source = columns.table({ { "i", "i64", values } }, 8192)

  local function failure(chain)
    local found
    for _, setting in ipairs(settings) do
      local result, err = pipelines.over(chain, source, setting)
      assert.is_nil(result)
      found = found or tonumber(err.row)
      assert.equal(found, tonumber(err.row))
    end
    return found
  end

  it("that of the lowest row is reported", function() assert.equal(40000, failure ':derive "x = 1 // i"') end)

  it("the lowest row wins over the earlier expression", function()
    assert.equal(40000, failure ':derive { "x = 1 // (i + 5)", "y = 1 // i" }')
  end)

  it("the lowest row wins over the earlier stage", function()
    assert.equal(40000,
      failure ':derive "x = 1 // (i + 5)" :map("z: f64", function(r) return r.i end) :derive "y = 1 // i"')
  end)

  it("rows are counted before filters", function()
    assert.equal(40000, failure ':where "i % 2 == 0" :map("z: f64", function(r) return r.i end) :derive "y = 1 // i"')
  end)

  it("those behind a satisfied limit do not count", function()
    for _, setting in ipairs(settings) do
      local result = assert(pipelines.over(':derive "x = 1 // i" :limit(40000)', source, setting))
      assert.equal(40000, #result.x)
      local none = pipelines.over(':derive "x = 1 // i" :limit(40001)', source, setting)
      assert.is_nil(none)
    end
  end)
end)
