-- Arithmetic kernels against naive Lua.
local cases = require "kernel_cases"

local MIN = cases.low.i64

local integer = {}
function integer.ADD(a, b)
  local r = a + b
  if a >= 0 and b >= 0 and r < 0 or a < 0 and b < 0 and r >= 0 then return nil end
  return r
end
function integer.SUB(a, b)
  local r = a - b
  if a >= 0 and b < 0 and r < 0 or a < 0 and b > 0 and r >= 0 then return nil end
  return r
end
function integer.MUL(a, b)
  local r = a * b
  if a == 0 or b == 0 then return r end
  if a == -1 and b == MIN or b == -1 and a == MIN or r / b ~= a then return nil end
  return r
end
function integer.FLOORDIV(a, b)
  if b == 0 or a == MIN and b == -1 then return nil end
  local q = a / b
  if a % b ~= 0 and (a < 0) ~= (b < 0) then q = q - 1 end
  return q
end
function integer.MOD(a, b)
  if b == 0 then return nil end
  if b == -1 then return 0LL end
  local r = a % b -- truncated for int64_t
  if r ~= 0 and (r < 0) ~= (b < 0) then r = r + b end
  return r
end

local unsigned = {}
function unsigned.ADD(a, b) return a + b >= a and a + b or nil end
function unsigned.SUB(a, b) return a >= b and a - b or nil end
function unsigned.MUL(a, b) return (a == 0 or (a * b) / a == b) and a * b or nil end
function unsigned.FLOORDIV(a, b) return b ~= 0 and a / b or nil end
function unsigned.MOD(a, b) return b ~= 0 and a % b or nil end

local modular = {
  ADD = function(a, b) return a + b end, SUB = function(a, b) return a - b end, MUL = function(a, b) return a * b end,
}
local narrow = { i8 = 8, i16 = 16, i32 = 32, u8 = 8, u16 = 16, u32 = 32 }

-- An exact whole number modulo 2^bits.
local function wrapped(value, name)
  local range = 2 ^ narrow[name]
  local held = tonumber(value % range)
  return name:sub(1, 1) == "i" and held >= range / 2 and held - range or held
end

local nan = 0 / 0
local float = {}
function float.ADD(a, b) return a + b end
function float.SUB(a, b) return a - b end
function float.MUL(a, b) return a * b end
function float.DIV(a, b) return a / b end
function float.FLOORDIV(a, b) return math.floor(a / b) end
function float.MOD(a, b)
  local r = math.fmod(a, b)
  if r == 0 then return 0 end
  return (r < 0) ~= (b < 0) and r + b or r
end

-- The one order: -0 before +0, NaN last.
local function before(a, b)
  if a ~= a then return false end
  if b ~= b then return true end
  if a == 0 and b == 0 then return 1 / a < 1 / b end
  return a < b
end
local function least(a, b) return before(b, a) and b or a end
local function greatest(a, b) return before(a, b) and b or a end

describe("arithmetic", function()
  for op, f in pairs(integer) do
    it(("%s of i64 is checked"):format(op), function()
      cases.check { op = op, types = { "i64", "i64" }, result = "i64", f = f }
    end)
  end
  for op, f in pairs(unsigned) do
    it(("%s of u64 is checked"):format(op), function()
      cases.check { op = op, types = { "u64", "u64" }, result = "u64", f = f }
    end)
  end
  for op, f in pairs(modular) do
    for name in pairs(narrow) do
      it(("%s of %s is modulo its width"):format(op, name), function()
        cases.check { op = op, types = { name, name }, result = name, f = function(a, b)
          if op ~= "MUL" or narrow[name] < 32 then return wrapped(f(tonumber(a), tonumber(b)), name) end
          local product = f(require("ffi").cast("uint64_t", require("ffi").cast("int64_t", a)),
            require("ffi").cast("uint64_t", require("ffi").cast("int64_t", b)))
          return wrapped(tonumber(product % 4294967296ULL), name)
        end }
      end)
    end
  end
  for op, f in pairs(float) do
    for _, name in ipairs { "f64", "f32" } do
      it(("%s of %s follows IEEE"):format(op, name), function()
        local values = cases.values(name)
        if op == "MOD" and name == "f32" then values = { -2.5, -1, 0.5, 1, 2, 7, nan, 1 / 0 } end
        cases.check { op = op, types = { name, name }, result = name, f = f, values = { values, values } }
      end)
    end
  end
  for _, name in ipairs(cases.numbers) do
    it(("the least and the greatest of %s follow the one order"):format(name), function()
      cases.check { op = "MIN", types = { name, name }, result = name, f = least }
      cases.check { op = "MAX", types = { name, name }, result = name, f = greatest }
    end)
  end

  it("negation, distance from zero and sign of integers are checked", function()
    cases.check { op = "NEG", types = { "i64" }, result = "i64", f = function(a) return a ~= MIN and -a or nil end }
    cases.check { op = "ABS", types = { "i64" }, result = "i64", f = function(a)
      if a == MIN then return nil end
      return a < 0 and -a or a
    end }
    cases.check { op = "SIGN", types = { "i64" }, result = "i64", f = function(a)
      return a > 0 and 1 or a < 0 and -1 or 0
    end }
    cases.check { op = "NEG", types = { "u64" }, result = "u64", f = function(a) return a == 0 and a or nil end }
    cases.check { op = "ABS", types = { "u64" }, result = "u64", f = function(a) return a end }
    cases.check { op = "SIGN", types = { "u64" }, result = "u64", f = function(a) return a == 0 and 0 or 1 end }
  end)

  it("unary operations of floats keep NaN and the sign of zero", function()
    for _, name in ipairs { "f64", "f32" } do
      local function check(op, f) cases.check { op = op, types = { name }, result = name, f = f } end
      check("NEG", function(a) return -a end)
      check("ABS", math.abs)
      check("SIGN", function(a) return a > 0 and 1 or a < 0 and -1 or a end)
      check("FLOOR", math.floor)
      check("CEIL", math.ceil)
      check("TRUNC", function(a)
        if a ~= a or a == 1 / 0 or a == -1 / 0 then return a end
        return a < 0 and math.ceil(a) or math.floor(a)
      end)
      check("SQRT", math.sqrt)
    end
  end)

  it("functions of libm give what libm gives", function()
    for op, f in pairs { EXP = math.exp, LOG = math.log, SIN = math.sin, COS = math.cos, TAN = math.tan,
      ASIN = math.asin,
      ACOS = math.acos, ATAN = math.atan, SINH = math.sinh, COSH = math.cosh, TANH = math.tanh, LOG10 = math.log10 } do
      cases.check { op = op, types = { "f64" }, result = "f64", f = f,
        values = { { -1e300, -1, -0.5, 0.25, 0.5, 1, 2.5, 100, 1 / 0, nan } } }
    end
    cases.check { op = "ATAN2", types = { "f64", "f64" }, result = "f64", f = math.atan2 }
    local plain = { 0.5, 1, 2, 2.5, 7, 100 }
    cases.check { op = "POW", types = { "f64", "f64" }, result = "f64",
      f = function(a, b) return b == 2 and a * a or a ^ b end,
      values = { plain, { 0.5, 1, 2, 3, -1 } } }
    cases.check { op = "HYPOT", types = { "f64", "f64" }, result = "f64",
      f = function(a, b) return math.sqrt(a * a + b * b) end,
      values = { { 3, 6, 0 }, { 4, 8, 0 } } }
    cases.check { op = "CBRT", types = { "f64" }, result = "f64",
      f = function(a) return a == 27 and 3 or a == -8 and -2 or a end,
      values = { { 27, -8, 0, 1 } } }
    cases.check { op = "LOG2", types = { "f64" }, result = "f64",
      f = function(a) return a == 8 and 3 or a == 0.5 and -1 or 0 end,
      values = { { 8, 0.5, 1 } } }
  end)

  it("float modulo is exact for huge quotients and fractions", function()
    cases.check { op = "MOD", types = { "f64", "f64" }, result = "f64", f = float.MOD,
      values = { { 1e300, 5.3, -5.3, 1e17 + 16, 2 ^ 53 - 1, 0.3, -1e-300 },
        { 0.1, 3, -3, 7, 1e-5, 0.30000000000000004, 1 / 0 } } }
  end)

  it("round goes to decimal digits, half away from zero", function()
    local function check(digits, rows)
      local values = {}
      for a in pairs(rows) do values[#values + 1] = a end
      cases.check { about = "round", types = { "f64", "i64" }, result = "f64", values = { values, { digits } },
        f = function(a) return rows[a] end,
        emit = function(p, a, b) return p:op("ROUND", "f64", a, b) end }
    end
    check(0, { [2.5] = 3, [-2.5] = -3, [0.49999999999999994] = 0, [1e300] = 1e300, [-0.4] = -0.0, [7] = 7,
      [2 ^ 52 + 1] = 2 ^ 52 + 1 })
    check(2, { [2.567] = 2.57, [-1.005e3] = -1005, [0.125] = 0.13, [-0.125] = -0.13, [1e300] = 1e300, [1 / 0] = 1 / 0 })
    check(-2, { [1250] = 1300, [-1250] = -1300, [49] = 0, [1e300] = 1e300 })
    check(400, { [1.5] = 1.5 })
    check(-400, { [1.5] = 0 })
    check(30, { [1.5] = 1.5, [1e-40] = 0 })
  end)
end)

describe("a plain NaN", function()
  local ffi = require "ffi"
  local programs = require "programs"
  for _, kind in ipairs { { "f64", "uint64_t", 8, 0x7ff8000000000000ULL }, { "f32", "uint32_t", 4, 0x7fc00000 } } do
    local name, word, size, plain = unpack(kind)
    it("stands for every NaN of " .. name .. ", and other values stay", function()
      local list = { n = 1100 }
      for i = 1, list.n do list[i] = i % 3 == 0 and -0.0 or i % 3 == 1 and -1 / 0 or i end
      local batch, keep = programs.batch { { name, list } }
      local data = ffi.cast(word .. " *", batch.columns[0].data)
      local want = ffi.new(word .. "[?]", list.n)
      ffi.copy(want, data, size * list.n)
      for i = 0, list.n - 1, 7 do
        data[i] = size == 8 and 0x7ff0000000000001ULL + bit.lshift(0ULL + i % 250, 44) or 0xff800001 + i % 250
        want[i] = plain
      end
      local p = programs.new { name }
      local got = ffi.new(word .. "[?]", list.n)
      p:each({ p:op("PLAIN", name, p:load(0)) }, { batch }, function(out)
        ffi.copy(got, out.columns[0].data, size * list.n)
      end)
      for i = 0, list.n - 1 do assert.equal(want[i], got[i], "row " .. i) end
      assert.truthy(keep)
    end)
  end
end)
