-- Operations that fail: which rows count, which failure wins, what the error says, what comes out before it.
local ffi = require "ffi"
local columns = require "columns"
local programs = require "programs"
local null = columns.null

local MAX = 0x7fffffffffffffffLL

local function numbers(n, at, value)
  local list = { n = n }
  for i = 1, n do list[i] = 1LL * i end
  for _, row in ipairs(type(at) == "table" and at or { at }) do list[row + 1] = value end
  return list
end

local function message(err) return ffi.string(err.message) end
local function id(err) return ffi.string(err.id) end

describe("a failure", function()
  it("comes with its row, place, kind, values and the rows before it", function()
    for _, at in ipairs { 0, 1, 63, 64, 1023, 1024, 2500 } do
      local batch, keep = programs.batch { { "i64", numbers(3000, at, MAX) } }
      local p = programs.new { "i64" }
      local result, err = p:run({ p:op("ADD", "i64", p:load(0), p:const("i64", 1LL), { place = 7 }), 0 }, batch)
      assert.equal(at, tonumber(err.row))
      assert.equal(7, err.place)
      assert.equal("overflow", id(err))
      assert.equal("9223372036854775807 + 1", ffi.string(err.value))
      assert.equal(at, result.rows)
      assert.equal(at, #result[1])
      assert.equal(at, #result[2])
      assert.truthy(message(err):find("i64 addition overflows: 9223372036854775807 + 1", 1, true))
      assert.truthy(keep)
    end
  end)

  it("of lanes that are null, filtered out or on the other side is none", function()
    local list = numbers(2000, { 5, 1500 }, MAX)
    local nulls = numbers(2000, { 5, 1500 }, null)
    local batch, keep = programs.batch { { "i64", list }, { "i64", nulls } }
    local p = programs.new { "i64", "i64" }
    local x, y = p:load(0), p:load(1)
    local taken = p:op("NE", "i64", x, p:const("i64", MAX))
    local guarded = p:op("ADD", "i64", x, p:const("i64", 1LL), { guard = taken })
    local sum = p:op("ADD", "i64", x, y) -- null where x is MAX
    local result, err = p:run({ p:op("SELECT", "i64", taken, guarded, x), sum }, batch)
    assert.is_nil(err)
    assert.equal(2000, result.rows)
    assert.equal("2", result[1][1])
    assert.equal("null", result[2][6])

    p = programs.new { "i64", "i64" }
    x = p:load(0)
    p:filter(p:op("LT", "i64", x, p:const("i64", MAX)))
    result, err = p:run({ p:op("ADD", "i64", x, p:const("i64", 1LL)) }, batch)
    assert.is_nil(err)
    assert.equal(1998, result.rows)
    assert.truthy(keep)
  end)

  it("where the guard is null is none", function()
    local batch, keep = programs.batch { { "i64", { MAX, 1LL } }, { "bool", { null, true } } }
    local p = programs.new { "i64", "bool" }
    local result, err = p:run({ p:op("ADD", "i64", p:load(0), p:const("i64", 1LL), { guard = p:load(1) }) }, batch)
    assert.is_nil(err)
    assert.equal("2", result[1][2])
    assert.truthy(keep)
  end)

  it("of the lowest row wins over earlier operations, and of its lowest place over others", function()
    local batch, keep = programs.batch { { "i64", numbers(3000, { 900, 2000 }, MAX) },
      { "i64", numbers(3000, { 400, 900 }, 0LL) } }
    local p = programs.new { "i64", "i64" }
    local x, y = p:load(0), p:load(1)
    local sum = p:op("ADD", "i64", x, p:const("i64", 1LL), { place = 1 })
    local quotient = p:op("FLOORDIV", "i64", x, y, { place = 2 })
    local result, err = p:run({ sum, quotient }, batch)
    assert.same({ 400, 2, "divide-by-zero", 400 }, { tonumber(err.row), err.place, id(err), result.rows })

    p = programs.new { "i64", "i64" }
    x, y = p:load(0), p:load(1)
    local taken = p:op("GT", "i64", x, p:const("i64", 800LL))
    sum = p:op("ADD", "i64", x, p:const("i64", 1LL), { place = 5, guard = taken })
    quotient = p:op("FLOORDIV", "i64", x, y, { place = 2, guard = taken })
    result, err = p:run({ sum, quotient }, batch)
    assert.same({ 900, 2, "divide-by-zero", 900 }, { tonumber(err.row), err.place, id(err), result.rows })
    assert.truthy(keep)
  end)

  it("after a filter that left few rows still has its own row", function()
    local batch, keep = programs.batch { { "i64", numbers(3000, 2222, MAX) } }
    local p = programs.new { "i64" }
    local x = p:load(0)
    local rest = p:op("MOD", "i64", x, p:const("i64", 101LL))
    p:filter(p:op("EQ", "i64", rest, p:const("i64", tonumber(MAX % 101LL))))
    local result, err = p:run({ p:op("MUL", "i64", x, p:const("i64", 2LL)) }, batch)
    assert.equal(2222, tonumber(err.row))
    local before = 0
    for i = 1, 2222 do if i % 101 == tonumber(MAX % 101LL) then before = before + 1 end end
    assert.equal(before, result.rows)
    assert.truthy(keep)
  end)

  it("tells the row of the input when rows were dropped before", function()
    local batch, keep = programs.batch { { "i64", { 1LL, MAX, 3LL } } }
    local origin = ffi.new("int32_t[3]", 10, 20, 30)
    batch.row, batch.origin = 1000, origin
    local p = programs.new { "i64" }
    local _, err = p:run({ p:op("ADD", "i64", p:load(0), p:const("i64", 1LL)) }, batch)
    assert.equal(1020, tonumber(err.row))
    assert.truthy(keep)
  end)

  it("comes from a row that is refused, unless the refusal is null, filtered out or of another side", function()
    local function first(lists, build)
      local batch, keep = programs.batch { { "bool", lists[1] }, { "bool", lists[2] } }
      local p = programs.new { "bool", "bool" }
      local result, err = p:run({ build(p, p:load(0), p:load(1)) }, batch)
      assert.truthy(keep)
      return err and tonumber(err.row) or #result[1]
    end
    local a, b = { n = 2500 }, { n = 2500 }
    for i = 1, 2500 do a[i], b[i] = i % 700 == 0, i > 1000 end
    a[3] = null
    assert.equal(699, first({ a, b }, function(p, x) return p:op("REFUSE", "bool", x) end))
    assert.equal(1399, first({ a, b }, function(p, x, y) return p:op("REFUSE", "bool", x, { guard = y }) end))
    assert.equal(1399, first({ a, b }, function(p, x, y)
      p:filter(y)
      return p:op("REFUSE", "bool", x)
    end))
    assert.equal(2500, first({ a, b }, function(p, x) return p:op("REFUSE", "bool", p:op("IS_NULL", "bool",
      p:op("OR", "bool", x, p:const("bool", true)))) end))
  end)

  it("says what was wrong", function()
    local function fails(build)
      local p = programs.new {}
      local value, err = p:eval(build(p))
      assert.is_nil(value)
      return id(err) .. ": " .. message(err)
    end
    local function i64(p, v) return p:const("i64", v) end
    assert.equal("divide-by-zero: i64 modulo by zero: 5 % 0",
      fails(function(p) return p:op("MOD", "i64", i64(p, 5LL), i64(p, 0LL)) end))
    assert.equal("overflow: i64 division overflows: -9223372036854775808 // -1 "
      .. "(range -9223372036854775808 to 9223372036854775807)",
      fails(function(p) return p:op("FLOORDIV", "i64", i64(p, -MAX - 1LL), i64(p, -1LL)) end))
    assert.equal("overflow: u64 negation overflows: -(3) (range 0 to 18446744073709551615)",
      fails(function(p) return p:op("NEG", "u64", p:const("u64", 3ULL)) end))
    assert.equal("bad-cast: 2.5 is not a whole number of i32 (-2147483648 to 2147483647)",
      fails(function(p) return p:cast("i32", "f64", p:const("f64", 2.5)) end))
    assert.equal("bad-cast: 300 does not fit u8 (0 to 255)",
      fails(function(p) return p:cast("u8", "i64", i64(p, 300LL)) end))
    assert.equal("bad-cast: 2 does not fit bool (0 or 1)",
      fails(function(p) return p:cast("bool", "i64", i64(p, 2LL)) end))
    assert.equal('bad-number: "x1" is not a value of i64 (-9223372036854775808 to 9223372036854775807)',
      fails(function(p) return p:cast("i64", "utf8", p:const("utf8", "x1")) end))
  end)
end)
