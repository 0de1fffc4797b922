-- mm.sat and mm.wrap: as the casts of expressions, whatever the number.
local ffi = require "ffi"
local expr = require "moonmill.expr.compiler"
local integers = require "moonmill.typed.integers"
local types = require "moonmill.base.types"

local INTEGERS = { "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64" }

-- What the expression gives, by the core's own kernels.
local function by_expression(call, x)
  local text = ("%.17g"):format(x)
  if not text:find "[%.e]" then text = text .. ".0" end
  return expr.constant(expr.parse(("%s(%s)"):format(call, text))).value
end

describe("mm.sat and mm.wrap", function()
  local seed = os.time()
  math.randomseed(seed)
  local numbers = { 0, 0.5, -0.5, 1.99, -1.99, 127, 128, -128, -129, 255, 256, 65535, 65536, 2 ^ 31, 2 ^ 32 - 1, 2 ^ 32,
    -2 ^ 31 - 1, 2 ^ 53, 2 ^ 63 - 1024, 2 ^ 63, 2 ^ 64 - 2048, 2 ^ 64, -2 ^ 63, -2 ^ 63 - 2048, 1e20, -1e20, 1e300 }
  for _ = 1, 300 do numbers[#numbers + 1] = (math.random() - 0.5) * 2 ^ math.random(0, 70) end

  for _, name in ipairs(INTEGERS) do
    it(("agree with the expressions for %s"):format(name), function()
      for _, x in ipairs(numbers) do
        for _, word in ipairs { "sat", "wrap" } do
          local expected = by_expression(word .. "." .. name, x)
          local got = integers[word][name](x)
          assert(got == expected, ("%s.%s(%.17g): %s, expected %s (seed %d)"):format(word, name, x, tostring(got),
            tostring(expected), seed))
          assert.equal(types[name].bits == 64 and "cdata" or "number", type(got))
        end
      end
    end)
  end

  it("take integers of C", function()
    assert.equal(255, integers.sat.u8(0xffffffffffffffffULL))
    assert.equal(0, integers.sat.u8(-1LL))
    assert.equal(255, integers.wrap.u8(-1LL))
    assert.is_true(integers.sat.i64(0xffffffffffffffffULL) == 0x7fffffffffffffffLL)
    assert.is_true(integers.sat.u64(-5LL) == 0ULL)
    assert.is_true(integers.wrap.u64(-1LL) == 0xffffffffffffffffULL)
  end)

  it("refuse what is no number, and NaN; wrap infinities too", function()
    for _, value in ipairs { 0 / 0, "1", {}, true, ffi.new "int[1]" } do
      assert.has_error(function() integers.sat.u8(value) end)
      assert.has_error(function() integers.wrap.i64(value) end)
    end
    assert.equal(255, integers.sat.u8(1 / 0))
    assert.equal(-128, integers.sat.i8(-1 / 0))
    assert.has_error(function() integers.wrap.u8(1 / 0) end)
  end)

  it("have a type each, with did-you-mean", function()
    local ok, problem = pcall(function() return integers.sat.u9 end)
    assert.is_false(ok)
    assert.matches("there is no mm.sat.u9", problem.message)
    assert.matches('did you mean "u8"', problem.hint)
  end)
end)
