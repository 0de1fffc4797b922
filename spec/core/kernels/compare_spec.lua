-- Comparison kernels against naive Lua: all types, mixed numbers, is_distinct, in.
local cases = require "kernel_cases"
local columns = require "columns"
local programs = require "programs"
local null = columns.null

local function rank(v) return v and 1 or 0 end
local plain = {
  EQ = function(a, b) return a == b end, NE = function(a, b) return a ~= b end, LT = function(a, b) return a < b end,
  LE = function(a, b) return a <= b end, GT = function(a, b) return a > b end, GE = function(a, b) return a >= b end,
}
local with_tests = { IS_NAN = function(a) return a ~= a end, IS_FINITE = function(a) return a - a == 0 end }

-- -1, 0, 1 or nil (NaN), exact for int64_t, uint64_t and doubles.
local function order(a, b)
  if type(b) == "number" and type(a) ~= "number" then
    if b ~= b then return nil end
    local signed = tostring(a):find "^-?%d+LL$" ~= nil
    local top, bottom = signed and 2 ^ 63 or 2 ^ 64, signed and -2 ^ 63 or 0
    if b >= top then return -1 end
    if b < bottom then return 1 end
    local floor = math.floor(b)
    local whole = signed and 1LL * floor or 0ULL + floor
    if not signed and floor >= 2 ^ 63 then whole = 0x8000000000000000ULL + (floor - 2 ^ 63) end
    if signed then whole = require "ffi".cast("int64_t", floor) end
    if a ~= whole then return a < whole and -1 or 1 end
    return b > floor and -1 or 0
  elseif type(a) == "number" and type(b) ~= "number" then
    local reverse = order(b, a)
    return reverse and -reverse
  end
  local a_negative, b_negative = tostring(a):sub(1, 1) == "-", tostring(b):sub(1, 1) == "-"
  if a_negative ~= b_negative then return a_negative and -1 or 1 end
  if a == b then return 0 end
  return a < b and -1 or 1
end
local by_order = {
  EQ = function(o) return o == 0 end, NE = function(o) return o ~= 0 end, LT = function(o) return o == -1 end,
  LE = function(o) return o == -1 or o == 0 end, GT = function(o) return o == 1 end,
  GE = function(o) return o == 1 or o == 0 end,
}

describe("comparisons", function()
  for _, name in ipairs(cases.numbers) do
    it(("of %s follow the values"):format(name), function()
      for op, f in pairs(plain) do cases.check { op = op, types = { name, name }, result = "bool", f = f } end
    end)
  end

  it("of bools put false before true", function()
    for op, f in pairs(plain) do
      cases.check { op = op, types = { "bool", "bool" }, result = "bool",
        f = function(a, b) return f(rank(a), rank(b)) end }
    end
  end)

  for _, pair in ipairs { { "i64", "u64" }, { "u64", "i64" }, { "i64", "f64" }, { "f64", "i64" }, { "u64", "f64" },
    { "f64", "u64" } } do
    it(("of %s with %s are exact"):format(pair[1], pair[2]), function()
      local values = {}
      for k, name in ipairs(pair) do
        values[k] = cases.values(name)
        if name ~= "f64" then table.insert(values[k], (name == "i64" and 1LL or 1ULL) * 9007199254740993LL) end
      end
      for op, f in pairs(by_order) do
        cases.check { op = op, types = pair, result = "bool", values = values,
          f = function(a, b) return f(order(a, b)) end }
      end
    end)
  end

  it("tell NaN and infinity apart from numbers", function()
    for op, f in pairs(with_tests) do
      for _, name in ipairs { "f32", "f64" } do cases.check { op = op, types = { name }, result = "bool", f = f } end
    end
  end)
end)

describe("is_distinct", function()
  it("is never null and takes null as a value", function()
    local a = { 1, 1, null, null, 2, 0 / 0, 0 }
    local b = { 1, 2, null, 1, null, 0 / 0, -0.0 }
    for _, name in ipairs { "f64", "f32", "bool", "utf8" } do
      local function as(list)
        local values = {}
        for i, v in ipairs(list) do
          if v == null then values[i] = null
          elseif name == "bool" then values[i] = v == 1
          elseif name == "utf8" then values[i] = v ~= v and "nan" or tostring(v + 0)
          else values[i] = v end
        end
        return values
      end
      local batch, keep = programs.batch { { name, as(a) }, { name, as(b) } }
      local p = programs.new { name, name }
      local result = p:run({ p:op("IS_DISTINCT", name, p:load(0), p:load(1)) }, batch)
      local nan_differs = (name == "f64" or name == "f32") and "true" or "false"
      local expected = { "false", "true", "false", "true", "true", nan_differs, name == "utf8" and result[1][7]
        or "false" }
      assert.same(expected, result[1], name)
      assert.truthy(keep)
    end
  end)
end)

describe("in", function()
  local function check(name, members, values)
    local p = programs.new { name }
    local first = p:value(name, members[1])
    for i = 2, #members do p:value(name, members[i]) end
    local batch, keep = programs.batch { { name, values } }
    local result = p:run({ p:op("IN", name, p:load(0), first, #members) }, batch)
    for i, value in ipairs(values) do
      local expected = "false"
      for _, member in ipairs(members) do
        if member ~= null and member == value then expected = "true" end
      end
      if value == null then expected = "null" end
      if result[1][i] ~= expected then error(("%s: %s of %d members: %s"):format(name, tostring(value), #members,
        result[1][i]), 0) end
    end
    assert.truthy(keep)
  end
  for _, name in ipairs(cases.numbers) do
    it(("finds %s among few and many"):format(name), function()
      local values = cases.values(name)
      values[#values + 1] = null
      check(name, { values[1], values[5] }, values)
      local many = { values[2], values[6], values[2] }
      for i = 1, 40 do many[#many + 1] = (name == "i64" and 1LL or name == "u64" and 1ULL or 1) * (i * 3) end
      for i = 1, 120 do values[#values + 1] = (name == "i64" and 1LL or name == "u64" and 1ULL or 1) * i end
      check(name, many, values)
    end)
  end
  -- Sets are kept in different ways: by how many members there are, and how far apart.
  for _, count in ipairs { 7, 13, 17, 40, 300, 3000 } do
    for _, step in ipairs { 1, 7, 1000003 } do
      it(("finds among %d members that are %d apart"):format(count, step), function()
        for name, one in pairs { i32 = 1, u32 = 1, i64 = 1LL, u64 = 1ULL, f64 = 0.5 } do
          local members, values, first = {}, {}, name:sub(1, 1) == "u" and 5 or -400
          local narrow = name == "i32" or name == "u32"
          for i = 0, (narrow and step > 7 and math.min(count, 1500) or count) - 1 do
            members[#members + 1] = one * (first + step * i)
          end
          for i = 1, 400 do
            values[2 * i - 1] = members[math.random(#members)]
            values[2 * i] = values[2 * i - 1] + one * math.random(name:sub(1, 1) == "u" and 0 or -1, 1)
          end
          values[#values + 1] = null
          check(name, members, values)
        end
      end)
    end
  end
  it("finds the least and the greatest i64 together, and bools said many times", function()
    local low, high = cases.low.i64, 0x7fffffffffffffffLL
    local members = { low, high, -1LL, 0LL, 1LL, 5LL, 9LL, 11LL }
    check("i64", members, { low, high, low + 1, high - 1, 0LL, -1LL, 2LL, 11LL, null })
    local flags = {}
    for i = 1, 20 do flags[i] = true end
    local p = programs.new { "bool" }
    local first = p:value("bool", true)
    for _ = 2, #flags do p:value("bool", true) end
    local batch, keep = programs.batch { { "bool", { true, false, null } } }
    assert.same({ "true", "false", "null" }, p:run({ p:op("IN", "bool", p:load(0), first, #flags) }, batch)[1])
    assert.truthy(keep)
  end)
  it("finds no NaN, and -0 as 0", function()
    check("f64", { 0 / 0, -0.0 }, { 0, -0.0, 0 / 0, 1 })
    local many = { 0 / 0, -0.0 }
    for i = 1, 20 do many[#many + 1] = i end
    check("f64", many, { 0, -0.0, 0 / 0, 1, 21 })
  end)
  it("finds the value that marks empty places", function()
    local many = { 5LL }
    for i = 1, 20 do many[#many + 1] = 1LL * i end
    check("i64", many, { 0x8000000000000001LL, 0x8000000000000002LL, 3LL })
    many[#many + 1] = 0x8000000000000001LL
    check("i64", many, { 0x8000000000000001LL, 0x8000000000000002LL, 3LL })
  end)
  it("of bools, of nothing", function()
    check("bool", { true }, { true, false, null })
    local p = programs.new { "i64" }
    local batch, keep = programs.batch { { "i64", { 1LL, 2LL } } }
    assert.same({ "false", "false" }, p:run({ p:op("IN", "i64", p:load(0), 0, 0) }, batch)[1])
    assert.truthy(keep)
  end)
end)
