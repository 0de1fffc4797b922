-- A pipeline in two halves: partial over parts of the rows, merge over what they give, against one run over all rows.
local partitions = require "partitions"
local two_phase = require "moonmill.pipeline.two_phase"
local pipelines = require "pipelines"
local script = require "moonmill.script.script"
local stages = require "moonmill.stages.registry"
local null = pipelines.null

local seed = tonumber(os.getenv "MM_SEED") or os.time()
math.randomseed(seed)

local LISTS = {
  { "k", "utf8", { "x", "y", "x", null, "y", "x" } }, { "n", "i64", { 3, 1, null, 4, 1, 5 } },
  { "f", "f64", { 0.5, 1.5, 2.5, 3.5, null, 5.5 } },
}

local function names(lists)
  local found = {}
  for i, list in ipairs(lists) do found[i] = list[1] .. ": " .. list[2] end
  return table.concat(found, ", ")
end

local function refusal(chain) return pipelines.raised(two_phase.partial, script.evaluate(chain)) end

-- Floats up to rounding, all else exactly.
local function same(expected, actual, float, what)
  if expected == actual or (expected ~= expected and actual ~= actual) then return end
  if float and type(expected) == "number" and type(actual) == "number" then
    local scale = math.max(math.abs(expected), math.abs(actual))
    if math.abs(expected - actual) <= 1e-12 * scale then return end
  end
  error(("%s: %s, over all rows %s (seed %d)"):format(what(), tostring(actual), tostring(expected), seed), 0)
end

-- One run against halves over parts.
local function compare(chain, lists, sizes, options)
  local expected, shape = pipelines.run(chain, lists, options)
  local actual, merged_shape = partitions.run(chain, lists, sizes, options)
  for i, column in ipairs(shape) do
    local name, kind = column[1], column[2]:gsub("%?", "")
    assert.same({ name, kind }, { merged_shape[i][1], (merged_shape[i][2]:gsub("%?", "")) })
    assert.equal(#expected[name], #actual[name], ("rows of %s (seed %d)"):format(name, seed))
    for row, value in ipairs(expected[name]) do
      same(value, actual[name][row], kind == "f64", function()
        return ("%s, row %d of parts %s"):format(name, row, table.concat(sizes, " "))
      end)
    end
  end
  assert.equal(#shape, #merged_shape)
end

local function list_of(n, make)
  local list = {}
  for i = 1, n do list[i] = math.random() < 0.2 and null or make(math.random(0, 9)) end
  return list
end

local ODD = { [0] = 0 / 0, -0.0, 0, -1.5, 1e9 + 0.25, 1e9 + 0.5, 1 / 0, -1 / 0, 0.1, 7 }
local function random_lists(n)
  return {
    { "k", "utf8", list_of(n, function(v) return ("a long key, number %d"):format(v % 4):sub(1, 4 + v * 3) end) },
    { "z", "f64", list_of(n, function(v) return v < 3 and ODD[v] or v % 2 end) },
    { "i", "i64", list_of(n, function(v) return 0x3fffffffffffffffLL * (v % 2 * 2 - 1) + v end) },
    { "u", "u64", list_of(n, function(v) return v * 2 ^ 40 end) },
    { "s", "i16", list_of(n, function(v) return v - 5 end) },
    { "f", "f64", list_of(n, function(v) return 1e6 + v + math.random() end) },
    { "o", "f64", list_of(n, function(v) return ODD[v] end) },
    { "g", "f32", list_of(n, function(v) return v / 8 end) },
    { "b", "bool", list_of(n, function(v) return v > 4 end) },
    { "t", "timestamp", list_of(n, function(v) return v * 1e9 end) },
    { "d", "duration", list_of(n, function(v) return v * 1000 end) },
    { "w", "utf8", list_of(n, function(v) return ("w"):rep(v) end) },
  }
end

local function random_sizes(n)
  local sizes, left = {}, n
  for i = 1, math.random(0, 6) do
    sizes[i] = math.random(0, math.max(math.floor(left / 2), 1))
    if sizes[i] > left then sizes[i] = left end
    left = left - sizes[i]
  end
  return sizes
end

local AGGREGATES = [[{ "rows = count()", "known = count(i)", "unknown = count_null(f)", "total = sum(s)",
  "high = sum(u)", "float = sum(f)", "time = sum(d)", "few = sum(b)", "mi = mean(i)", "mu = mean(u)", "mf = mean(f)",
  "mg = mean(g)", "low = min(o)", "top = max(o)", "word = min(w)", "last = max(w)",
  "since = min(t)", "some = any(b)", "each = all(b)",
  "vs = var(s)", "vf = var(f)", "sf = std(f)", "vi = var(i)", "vg = std(g)", "so = sum(o)",
  "mo = mean(o)", "vo = var(o)", "share = sum(s * 2) / count() + min(s)",
  "words = n_unique(w)", "odd = n_unique(o)", "times = n_unique(t)", "truths = n_unique(b)", "di = median(i)",
  "du = median(u)", "dg = median(g)", "qo = quantile(o, 0.2)", "qs = quantile(s, 0.75) - median(s)", "fw = first(w)",
  "fo = first(o)", "lt = last(t)", "lb = last(b)", "span = last(s) - first(s) + 0 * count()" }]]

describe("the halves of a pipeline", function()
  it("give what one run gives, with every aggregate that can be merged, of random parts", function()
    for _ = 1, 8 do
      local n = math.random(0, 60)
      local lists, sizes = random_lists(n), random_sizes(n)
      for _, keys in ipairs { '"k"', '"z"', '{ "k", "b" }', "{}", '{ "late = s > 0", "w" }' } do
        compare((":group(%s, %s)"):format(keys, AGGREGATES), lists, sizes)
      end
    end
  end)

  it("give what one run gives for every other stage that looks beyond a row", function()
    for _ = 1, 8 do
      local n = math.random(0, 60)
      local lists, sizes = random_lists(n), random_sizes(n)
      for _, chain in ipairs {
        ":limit(7)", ':limit(2, { by = "k" })', ':limit(5, { order = "-s" })',
        ':limit(2, { by = "k", order = { "s" } })', ":distinct()", ':distinct "k"', ':sort { "s", "-f" }',
        ':sort("s", { nulls = "first" }) :limit(3)',
        ':sort "-w" :limit(2, { by = "k" })',
        ':where "s > 0" :derive "e = s * 2"',
        ':where "s > -3" :limit(20) :group("k", "n = count()") :sort "-n" :derive "twice = n * 2"',
        ':distinct { "k", "b" } :group("k", "n = count()")',
      } do
        compare(chain, lists, sizes)
      end
    end
  end)

  it("give what one run gives of many groups and several morsels", function()
    local lists = { { "k", "i64", {} }, { "f", "f64", {} } }
    for i = 1, 100000 do lists[1][3][i], lists[2][3][i] = math.random(0, 20000), math.random() end
    local parts = {}
    for i, list in ipairs(lists) do parts[i] = { list[1], list[2], function(row) return list[3][row] end, false } end
    local chain = ':group("k", { "n = count()", "s = sum(k)", "m = mean(f)", "v = std(f)" })'
    local function part(from, to)
      local slices = {}
      for i, list in ipairs(lists) do
        slices[i] = { list[1], list[2], function(row) return list[3][from + row - 1] end, n = to - from + 1 }
      end
      return partitions.partial(chain, slices)
    end
    local joined = part(1, 70000)
    for i, column in ipairs(part(70001, 100000)) do
      for _, value in ipairs(column[3]) do table.insert(joined[i][3], value) end
    end
    for i, list in ipairs(parts) do list.n = #lists[i][3] end
    local expected, actual = pipelines.run(chain, parts), partitions.merge(chain, joined)
    assert.same({ expected.k, expected.n, expected.s }, { actual.k, actual.n, actual.s })
    for row, value in ipairs(expected.m) do
      same(value, actual.m[row], true, function() return "m" end)
      same(expected.v[row], actual.v[row], true, function() return "v" end)
    end
  end)

  it("add parts that are whole morsels to the same bits", function()
    local n, morsel, values = 150000, 65536, {}
    for i = 1, n do values[i] = math.random() * 1e6 - 5e5 end
    local function lists(from, to)
      return { { "f", "f64", function(row) return values[from + row - 1] end, n = to - from + 1 } }
    end
    local chain = ':group({}, { "s = sum(f)", "m = mean(f)", "v = var(f)" })'
    local joined = partitions.partial(chain, lists(1, morsel))
    for from = morsel + 1, n, morsel do
      for i, column in ipairs(partitions.partial(chain, lists(from, math.min(from + morsel - 1, n)))) do
        table.insert(joined[i][3], column[3][1])
      end
    end
    assert.same(pipelines.run(chain, lists(1, n)), (partitions.merge(chain, joined)))
  end)

  it("keep sums of whole numbers that fit although those of parts do not", function()
    local most = 0x7fffffffffffffffLL
    local lists = { { "n", "i64", { most, most, -most, -most, 5 } }, { "u", "u64", { 2 ^ 63, 1, 2, 3, 4 } } }
    local out = partitions.run(':group({}, { "s = sum(n)", "m = mean(n)", "u = sum(u)" })', lists, { 2, 1 })
    assert.same({ { 5 }, { 1 } }, { out.s, out.m })
    assert.equal("9223372036854775818ULL", tostring(out.u[1]))
  end)

  it("keep sums of durations that fit although those of parts do not", function()
    local most = 0x7fffffffffffffffLL
    local lists = { { "d", "duration(ms)", { most, most, -most, -most, 5 } } }
    local out, shape = partitions.run(':group({}, "s = sum(d)")', lists, { 2, 1 })
    assert.same({ 5 }, out.s)
    assert.equal("duration(ms)", shape[1][2])
  end)

  it("say that a sum does not fit where one run says it", function()
    local lists = { { "n", "i64", { 0x7fffffffffffffffLL, 1 } } }
    local chain = ':group({}, "s = sum(n)")'
    local alone = pipelines.problem(chain, lists)
    local merged = pipelines.raised(partitions.run, chain, lists, { 1 })
    assert.same({ alone.id, alone.code, alone.file, alone.line, alone.column },
      { merged.id, merged.code, merged.file, merged.line, merged.column })
  end)

  it("lose nothing of a spread far from zero", function()
    local list = {}
    for i = 1, 1000 do list[i] = 1e12 + i % 7 end
    compare(':group({}, { "v = var(x)", "s = std(x)" })', { { "x", "f64", list } }, { 100, 7, 450 })
  end)

  it("give a group of nothing without keys, and none with keys", function()
    compare(":group({}, " .. AGGREGATES .. ")", random_lists(0), { 0, 0 })
    compare(':group("k", ' .. AGGREGATES .. ")", random_lists(0), { 0 })
  end)

  it("stand for many columns by selectors, in keys and in outputs", function()
    local chain = [[:group("cols(utf8)", { "cols(f64) = mean(it)", "cols(i64) = max(it) - min(it)", "n = count()" })]]
    assert.equal("k: utf8, f__1_mean_f64: binary, n__2_max: i64, n__3_min: i64, rows__count: i64",
      names(partitions.partial(chain:gsub('"n =', '"rows ='), LISTS)))
    compare(chain:gsub('"n =', '"rows ='), LISTS, { 2, 3 })
    chain = [[:group({ "cols(bool)", "w" }, { "cols(float or u64) = sum(it) / count(it)", "s = sum(s)" })]]
    compare(chain, random_lists(40), { 10, 11 })
  end)

  it("take parameters in both", function()
    local pipeline = script.evaluate [[mm.pipeline { params = { "least: i64 = 2" } }
      :derive "n = n + p.least" :group("k", "s = sum(n)") :where "s > p.least"]]
    compare(pipeline, LISTS, { 2 }, { params = { least = "4" } })
  end)

  it("read the declared input in the first, and what the first gives in the second", function()
    local pipeline = script.evaluate [[mm.pipeline { input = { "k: utf8?", "n: i64?" } } :group("k", "s = sum(n)")]]
    assert.equal("k: utf8, s__sum_i64: binary", names(partitions.partial(pipeline, LISTS)))
    assert.is_false(two_phase.merge(pipeline).input)
  end)
end)

describe("the first half", function()
  it("names columns after outputs and aggregates", function()
    assert.equal("k: utf8, c__count: i64, m__mean_f64: binary, v__std_f64: binary, l__min: i64, "
      .. "s__5_sum_i64: binary, s__6_count: i64",
      names(partitions.partial([[:group("k", { "c = count()", "m = mean(f)", "v = std(f)", "l = min(n)",
        "s = sum(n) / count(f)" })]], LISTS)))
  end)

  it("ends at the first stage that looks beyond a row", function()
    local pipeline = script.evaluate ':where "n > 1" :group("k", "m = max(n)") :where "m > 3" :sort "m"'
    assert.equal(2, #two_phase.partial(pipeline).stages)
    assert.same({ 5, 4 }, partitions.partial(pipeline, LISTS)[2][3])
  end)

  it("does not sort, unless only first rows are wanted of it", function()
    assert.same(LISTS[2][3], partitions.partial(':sort "-n"', LISTS)[2][3])
    assert.same({ 5, 4 }, partitions.partial(':sort "-n" :limit(2)', LISTS)[2][3])
  end)

  it("names the type under which states are saved, without a zone", function()
    local lists = { { "t", "timestamp(ms, Europe/Paris)", { 1, 2 } }, { "d", "duration(s)", { 3, 4 } },
      { "g", "f32", { 1, 2 } }, { "u", "u8", { 1, 2 } } }
    assert.equal("a__n_unique_timestamp_ms: binary, b__sum_duration_s: binary, c__median_f64: binary, "
      .. "d__quantile_i64: binary, e__sum_u64: binary, f__n_unique_f32: binary, g__n_unique_u8: binary",
      names(partitions.partial([[:group({}, { "a = n_unique(t)", "b = sum(d)", "c = median(g)", "d = quantile(u, 0.5)",
        "e = sum(u)", "f = n_unique(g)", "g = n_unique(u)" })]], lists)))
  end)

  it("refuses a selector without an aggregate, naming stage and place", function()
    local problem = refusal ':where "n > 0"\n:group("k", { "a = count()",\n  "cols(i64) = 1" })'
    assert.same({ "not-mergeable", "group", 3 }, { problem.id, problem.stage, problem.line })
    assert.equal("a selector without an aggregate cannot be merged", problem.message)
    assert.has_error(function() two_phase.merge(script.evaluate ':group("k", "cols(i64) = 1")') end)
  end)

  it("gives no row of no rows where a first or last one is wanted, and else one without keys", function()
    local none = { { "n", "i64", {}, true } }
    assert.same({}, partitions.partial(':group({}, { "f = first(n)", "c = count()" })', none)[1][3])
    assert.same({ 0 }, partitions.partial(':group({}, "c = count()")', none)[1][3])
    local out = partitions.run(':group({}, { "f = first(n)", "l = last(n)" })', { { "n", "i64", { 1, 2 }, true } },
      { 0, 1, 0, 1 })
    assert.same({ { 1 }, { 2 } }, { out.f, out.l })
  end)

  it("refuses columns of one name", function()
    local pipeline = script.evaluate ':group("k", { "m = mean(n)", "m__mean = count()" })'
    partitions.partial(pipeline, LISTS)
    local chain = ':rename "m__count = n" :group("m__count", "m = count(f)")'
    local problem = pipelines.raised(partitions.partial, chain, LISTS)
    assert.equal("duplicate-column", problem.id)
  end)

  it("is not divided again", function()
    local pipeline = script.evaluate ":limit(1)"
    for _, half in ipairs { two_phase.partial(pipeline), two_phase.merge(pipeline) } do
      assert.equal("not-mergeable", pipelines.raised(two_phase.partial, half).id)
      assert.equal("not-mergeable", pipelines.raised(two_phase.merge, half).id)
    end
  end)
end)

describe("the second half", function()
  local chain = ':group("k", "m = mean(f)")'

  local function problem_of(change)
    local lists = partitions.partial(chain, LISTS)
    change(lists)
    return pipelines.raised(partitions.merge, chain, lists)
  end

  it("refuses a table that is not what the first half gives", function()
    local cases = {
      ['there is no column "m__mean_*"'] = function(lists) table.remove(lists, 2) end,
      ['there is no column "k"'] = function(lists) table.remove(lists, 1) end,
      ['column "i" is not one of its columns'] = function(lists) lists[3] = { "i", "i64", { 1, 2, 3 } } end,
      ['column "m__mean_f64" is of type f64'] = function(lists)
        lists[2] = { "m__mean_f64", "f64", { 1, 2, 3 } }
      end,
    }
    for message, change in pairs(cases) do
      local problem = problem_of(change)
      assert.equal("not-partial", problem.id)
      assert.equal("merge takes what partial gives: " .. message, problem.message)
    end
  end)

  it("takes the columns in any order", function()
    local lists = partitions.partial(chain, LISTS)
    assert.same(pipelines.run(chain, LISTS).m, partitions.merge(chain, { lists[2], lists[1] }).m)
  end)

  it("leaves out null states", function()
    local lists = partitions.partial(':group({}, { "s = sum(n)", "v = var(f)", "m = mean(n)" })', LISTS)
    for _, list in ipairs(lists) do list[3][2], list[4] = null, true end
    local out = partitions.merge(':group({}, { "s = sum(n)", "v = var(f)", "m = mean(n)" })', lists)
    assert.same(pipelines.run(':group({}, { "s = sum(n)", "v = var(f)", "m = mean(n)" })', LISTS), out)
  end)

  it("refuses bytes that are no states, at the stage", function()
    local lists = partitions.partial(chain, LISTS)
    lists[2][3][2] = "12345"
    local problem = pipelines.raised(partitions.merge, chain, lists)
    assert.same({ "bad-state", "group" }, { problem.id, problem.stage })
  end)

  it("takes states of which others know no type, where there are no rows", function()
    local lists = { { "k", "utf8", {} }, { "m__mean_f64", "null", {} } }
    assert.same({ k = {}, m = {} }, (partitions.merge(chain, lists)))
  end)

  it("of a pipeline that keeps to rows changes nothing", function()
    assert.same({ 1, 2 }, partitions.merge(':where "n > 1"', { { "n", "i64", { 1, 2 } } }).n)
  end)
end)

describe("the reach of a pipeline", function()
  it("is that of its furthest stage, and every stage has one", function()
    for _, entry in pairs(stages.by_name) do
      assert.is_truthy(entry.reach == "rows" or entry.reach == "mergeable" or entry.reach == "global", entry.name)
    end
    assert.equal("rows", two_phase.reach(script.evaluate ':where "a > 1" :derive "b = a"'))
    assert.equal("mergeable", two_phase.reach(script.evaluate ':where "a > 1" :limit(3) :derive "b = a"'))
  end)

  it("is rows for the first half, and all rows for the second where it merges", function()
    local pipeline = script.evaluate ':where "a > 1" :sort "a"'
    assert.equal("rows", two_phase.reach(two_phase.partial(pipeline)))
    assert.equal("global", two_phase.reach(two_phase.merge(pipeline)))
    assert.equal("rows", two_phase.reach(two_phase.merge(script.evaluate ':where "a > 1"')))
  end)
end)
