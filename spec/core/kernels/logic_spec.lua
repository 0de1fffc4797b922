-- Three-valued logic, tests for null, select and coalesce against naive Lua, for every combination of values.
local assert = require "luassert"
local cases = require "kernel_cases"
local columns = require "columns"
local programs = require "programs"
local null = columns.null

local three = { true, false, null }

-- Rows of every combination of the lists, repeated to n rows.
local function combine(n, ...)
  local lists = { ... }
  local columns_of = {}
  local period = 1
  for k, list in ipairs(lists) do
    local step = period
    columns_of[k] = { n = n }
    for i = 1, n do columns_of[k][i] = list[math.floor((i - 1) / step) % #list + 1] end
    period = period * #list
  end
  return columns_of
end

local function check(about, types, lists, result, emit, f)
  for _, n in ipairs { 1, 64, 65, 1024, 1100 } do
    local values = combine(n, unpack(lists))
    local fields, expected = {}, { n = n }
    for k, name in ipairs(types) do fields[k] = { name, values[k] } end
    for i = 1, n do
      local row = {}
      for k = 1, #types do row[k] = values[k][i] end
      expected[i] = f(unpack(row, 1, #types))
    end
    local batch, keep = programs.batch(fields)
    local p, registers = programs.new(types), {}
    for k = 1, #types do registers[k] = p:load(k - 1) end
    local got = p:run({ emit(p, unpack(registers)) }, batch)
    assert.same(cases.text(result, expected, n), got[1], about)
    assert.truthy(keep)
  end
end

local function binary(op, f)
  check(op, { "bool", "bool" }, { three, three }, "bool", function(p, a, b) return p:op(op, "bool", a, b) end, f)
  check(op .. " without nulls", { "bool", "bool" }, { { true, false }, { true, false } }, "bool",
    function(p, a, b) return p:op(op, "bool", a, b) end, f)
end
local function unary(op, f, types, lists)
  check(op, types or { "bool" }, lists or { three }, "bool", function(p, a) return p:op(op, (types or { "bool" })[1],
    a) end, f)
end

describe("logic", function()
  it("and is false when one side is, else null when one is", function()
    binary("AND", function(a, b)
      if a == false or b == false then return false end
      if a == null or b == null then return null end
      return true
    end)
  end)
  it("or is true when one side is, else null when one is", function()
    binary("OR", function(a, b)
      if a == true or b == true then return true end
      if a == null or b == null then return null end
      return false
    end)
  end)
  it("not keeps null", function()
    unary("NOT", function(a)
      if a == null then return null end
      return not a
    end)
  end)
  it("tests for null and for truth are never null", function()
    unary("IS_NULL", function(a) return a == null end)
    unary("IS_NOT_NULL", function(a) return a ~= null end)
    unary("IS_TRUE", function(a) return a == true end)
    unary("IS_NULL", function(a) return a == null end, { "utf8" }, { { "", "x", null } })
    unary("IS_NOT_NULL", function(a) return a ~= null end, { "i16" }, { { 1, null } })
  end)
end)

local values = {
  bool = { true, false, null }, utf8 = { "", "abc", null, "a longer text than the others" }, binary = { "\1", null },
  f64 = { 0 / 0, -0.0, null, 1.5 }, f32 = { 1.5, null }, date = { 1, null, 2 }, timestamp = { 5, null },
  i8 = { -1, null, 3 }, i16 = { -1, null, 3 }, i32 = { -1, null, 3 }, i64 = { -1LL, null, 3LL }, u8 = { 1, null, 3 },
  u16 = { 1, null, 3 }, u32 = { 1, null, 3 }, u64 = { 1ULL, null, 3ULL },
}
local function known(list)
  local result = {}
  for _, v in ipairs(list) do if v ~= null then result[#result + 1] = v end end
  return result
end

describe("choice", function()
  for name, list in pairs(values) do
    it(("select takes %s by a condition whose null is false"):format(name), function()
      local function f(c, a, b)
        if c == true then return a end
        return b
      end
      local function emit(p, c, a, b) return p:op("SELECT", name, c, a, b) end
      check("select", { "bool", name, name }, { three, list, list }, name, emit, f)
      check("select", { "bool", name, name }, { { true, false }, known(list), known(list) }, name, emit, f)
    end)
    it(("coalesce of %s takes the first that is not null"):format(name), function()
      local function f(a, b)
        if a ~= null then return a end
        return b
      end
      local function emit(p, a, b) return p:op("COALESCE", name, a, b) end
      check("coalesce", { name, name }, { list, list }, name, emit, f)
      check("coalesce", { name, name }, { list, known(list) }, name, emit, f)
      check("coalesce", { name, name }, { known(list), list }, name, emit, f)
    end)
  end
  it("constants that are null have a type and a value", function()
    local p = programs.new { "i64" }
    local batch, keep = programs.batch { { "i64", { 1LL, null, 3LL } } }
    local nothing = p:const("i64", null)
    local result = p:run({ p:op("COALESCE", "i64", nothing, p:load(0)), nothing, p:op("ADD", "i64", p:load(0),
      nothing) }, batch)
    assert.same({ { "1", "null", "3" }, { "null", "null", "null" }, { "null", "null", "null" } }, { result[1],
      result[2], result[3] })
    assert.truthy(keep)
  end)
end)
