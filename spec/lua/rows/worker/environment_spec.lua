-- What a row function sees of the world is the same in every run: order of keys, random numbers, time, no addresses.
local columns = require "columns"
local rowfn = require "rowfn"

local many = { { "x", "f64", function(i) return i end, n = 20000 } }

local function first(fn, outputs, options)
  return assert(rowfn.map({ { "x", "f64", { 1 } } }, outputs, fn, options)).y[1]
end

describe("a worker's state", function()
  it("walks tables in the order of numbers, then text by bytes, then booleans", function()
    local t = { b = 1, a = 1, B = 1, ["é"] = 1, [10] = 1, [-1] = 1, [2.5] = 1, [true] = 1, [false] = 1, [1] = 1 }
    local expected = "-1 1 2.5 10 B a b é false true"
    assert.are.equal(expected, first(function()
      local keys = {}
      for key in pairs(t) do keys[#keys + 1] = tostring(key) end
      return table.concat(keys, " ")
    end, "y: utf8"))
    assert.are.equal(expected, first(function()
      local keys, key = {}, nil
      repeat
        key = next(t, key)
        if key ~= nil then keys[#keys + 1] = tostring(key) end
      until key == nil
      return table.concat(keys, " ")
    end, "y: utf8"))
    assert.are.equal(true, first(function() return next {} == nil end, "y: bool"))
  end)

  it("lets a table be changed while it is walked", function()
    assert.are.equal(3, first(function()
      local t, sum = { a = 1, b = 10, c = 2 }, 0
      for key, value in pairs(t) do
        if key == "a" then t.b = nil end
        sum = sum + value
      end
      return sum
    end, "y: f64"))
  end)

  it("refuses to walk tables whose keys have no order", function()
    local out, err = rowfn.map({ { "x", "f64", { 1 } } }, "y: f64",
      function() for _ in pairs { [{}] = 1 } do end return 1 end)
    assert(rowfn.failure(out, err).message:find("found a table", 1, true))
  end)

  it("draws random numbers that follow from the seed and the row", function()
    local function draw() return math.random(), math.random(6), math.random(-3, 3) end
    local function run(options) return assert(rowfn.map(many, "a: f64, b: i32, c: i32", draw, options)) end
    local one = run { threads = 1, seed = 11 }
    local other = run { threads = 3, seed = 11, batch_rows = 64, rows = 1000 }
    local apart = run { threads = 1, seed = 12 }
    local sum, faces, equal = 0, {}, 0
    for i = 1, 20000 do
      assert(one.a[i] == other.a[i] and one.b[i] == other.b[i] and one.c[i] == other.c[i], i)
      assert(one.a[i] >= 0 and one.a[i] < 1 and one.c[i] >= -3 and one.c[i] <= 3)
      sum = sum + one.a[i]
      faces[one.b[i]] = (faces[one.b[i]] or 0) + 1
      if one.a[i] == apart.a[i] or i > 1 and one.a[i] == one.a[i - 1] then equal = equal + 1 end
    end
    assert(math.abs(sum / 20000 - 0.5) < 0.02, sum / 20000)
    assert.are.equal(6, #faces)
    for face = 1, 6 do assert(math.abs(faces[face] / 20000 - 1 / 6) < 0.02, faces[face]) end
    assert.are.equal(0, equal)
  end)

  it("draws the same for a row whatever rows were dropped before", function()
    local source = columns.table { { "x", "f64", function(i) return i end, n = 1000 } }
    local keep = rowfn.stage(source, "where", {}, function(r) return r.x % 7 == 0 end)
    local draw = rowfn.stage(source, "map", rowfn.outputs "y: f64", function() return math.random() end)
    local some = assert(columns.run(source, { keep, draw }, { seed = 5 }))
    local all = assert(rowfn.map({ { "x", "f64", function(i) return i end, n = 1000 } }, "y: f64", function()
      return math.random() end, { seed = 5 }))
    for i, x in ipairs(some.x) do assert(some.y[i] == all.y[x], i) end
  end)

  it("refuses a seed of the function's own", function()
    local out, err = rowfn.map({ { "x", "f64", { 1 } } }, "y: f64", function() math.randomseed(1) return 1 end)
    assert(rowfn.failure(out, err).message:find("job's seed", 1, true))
  end)

  it("tells one time for the whole job", function()
    local out = assert(rowfn.map(many, "y: f64, d: utf8", function() return os.time(), os.date "%Y-%m-%d %H:%M:%S" end))
    for i = 2, 20000 do assert(out.y[i] == out.y[1] and out.d[i] == out.d[1]) end
    assert(math.abs(out.y[1] - os.time()) < 100)
    assert.are.equal(os.time { year = 2013, month = 1, day = 1, hour = 12 },
      first(function() return os.time { year = 2013, month = 1, day = 1, hour = 12 } end, "y: f64"))
  end)

  it("shows no addresses", function()
    assert.are.equal("table function thread 1.5 nil true", first(function()
      return table.concat({ tostring {}, tostring(print), tostring(coroutine.create(print)), tostring(1.5),
        tostring(nil), tostring(true) }, " ")
    end, "y: utf8"))
    assert.are.equal("named", first(function()
      return tostring(setmetatable({}, { __tostring = function() return "named" end })) end, "y: utf8"))
  end)

  it("shows no addresses in formats", function()
    local format = string.format
    assert.are.equal("table|function| table|named|nil", first(function()
      local named = setmetatable({}, { __tostring = function() return "named" end })
      return ("%s|%s|%6s|%s|%s"):format({}, print, {}, named, nil)
    end, "y: utf8"))
    assert.are.equal("1 2 3 4 5 6 7 table thread", first(function()
      return format("%d %d %d %d %d %d %d %s %s", 1, 2, 3, 4, 5, 6, 7, {}, coroutine.create(print))
    end, "y: utf8"))
    assert.are.equal("100%p 1.50 x%", first(function() return format("100%%p %.2f %s%%", 1.5, "x") end, "y: utf8"))
    for message, fn in pairs {
      ["%p shows an address"] = function() local s = format("%-5p", {}) return s end,
      ["bad argument #1 to 'format' (number expected, got table)"] = function() local s = ("%d"):format {} return s end,
      ["bad argument #1 to 'format' (value expected)"] = function() local s = ("%d"):format() return s end,
    } do
      local failure = rowfn.failure(rowfn.map({ { "x", "f64", { 1 } } }, "y: utf8", fn))
      assert(failure.message:find(message, 1, true), failure.message)
      assert(failure.message:find "environment_spec.lua:%d+:", failure.message)
    end
  end)
end)
