local ffi = require "ffi"
local texts = require "texts"
local cast, same = texts.cast, texts.same

local limits = {
  i8 = { "-128", "127", "-129", "128" }, i16 = { "-32768", "32767", "-32769", "32768" },
  i32 = { "-2147483648", "2147483647", "-2147483649", "2147483648" },
  i64 = { "-9223372036854775808", "9223372036854775807", "-9223372036854775809", "9223372036854775808" },
  u8 = { "0", "255", "-1", "256" }, u16 = { "0", "65535", "-1", "65536" }, u32 = { "0", "4294967295", "-1",
    "4294967296" },
  u64 = { "0", "18446744073709551615", "-1", "18446744073709551616" },
}

describe("integers from text", function()
  for type, at in pairs(limits) do
    it(("read %s up to its limits and no further"):format(type), function()
      same(cast(type, "utf8", { at[1], at[2], at[3], at[4] }, "TRY"), { at[1], at[2], "null", "null" }, at)
    end)
    it(("of %s are written as they were read"):format(type), function()
      local list = { at[1], at[2], "0", "1", "9", "10", "99", "100" }
      local p = require("programs").new { "utf8" }
      local batch, owner = require("programs").batch { { "utf8", list } }
      local lists = p:run({ p:cast("utf8", type, p:cast(type, "utf8", p:load(0))) }, batch)
      same(lists[1], list, list)
      assert(owner)
    end)
  end

  it("take a sign and zeros in front", function()
    local list = { "+7", "-7", "-0", "007", "-00012", "+0000000000000000000000000000012", "0000000000000000" }
    same(cast("i64", "utf8", list), { 7, -7, 0, 7, -12, 12, 0 }, list)
  end)

  it("refuse whatever is not digits", function()
    local list = { "", "-", "+", "--1", "+-1", "1-", " 1", "1 ", "1.0", "1e3", "0x10", "1,000", "١", "12a45678",
      "1234567890123456x",
      "x1234567890123456", "1234567/", "1234567:", "12345678/", "\0001", "1\0" }
    local got = cast("i64", "utf8", list, "TRY")
    for i, text in ipairs(list) do assert.equal("null", got[i], ("%q"):format(text)) end
    for _, text in ipairs(list) do
      local _, failure = cast("i64", "utf8", { "5", text })
      assert.truthy(failure, ("%q"):format(text))
      assert.equal(1, tonumber(failure.row))
    end
  end)

  it("agree with Python on random texts of every length", function()
    local lines = texts.python [[
for i in range(10000):
    v = random.randrange(-1 << random.randrange(1, 66), 1 << random.randrange(1, 66))
    print(str(v) + " " + (str(v) if -2**63 <= v < 2**63 else "null") + " " + (str(v) if 0 <= v < 2**64 else "null"))]]
    local list, signed, unsigned = {}, {}, {}
    for i, line in ipairs(lines) do list[i], signed[i], unsigned[i] = line:match "^(%S+) (%S+) (%S+)$" end
    local function back(type)
      local programs = require "programs"
      local p = programs.new { "utf8" }
      local batch, owner = programs.batch { { "utf8", list } }
      return p:run({ p:cast("utf8", type, p:cast(type, "utf8", p:load(0), "TRY")) }, batch)[1], owner
    end
    same(back "i64", signed, list)
    same(back "u64", unsigned, list)
  end)
end)

---A list of doubles from their bits in hexadecimal, two words.
local function doubles(highs, lows)
  local box = ffi.new "union { uint32_t u[2]; double f; }"
  local list = {}
  for i = 1, #highs do
    box.u[0], box.u[1] = tonumber(lows[i], 16), tonumber(highs[i], 16)
    list[i] = box.f
  end
  return list
end

local bits_of = [[
def bits(v):
    b = struct.unpack("Q", struct.pack("d", v))[0]
    return "%08x %08x" % (b >> 32, b & 0xffffffff)
]]

---Texts read as doubles must have these bits (or be null for "- -").
local function reads(lines)
  local list, highs, lows, null_at = {}, {}, {}, {}
  for i, line in ipairs(lines) do
    highs[i], lows[i], list[i] = line:match "^(%S+) (%S+) (.*)$"
    null_at[i] = highs[i] == "-"
    if null_at[i] then highs[i], lows[i] = "0", "0" end
  end
  local programs, columns = require "programs", require "columns"
  local p = programs.new { "utf8" }
  local batch, owner = programs.batch { { "utf8", list } }
  local want, box = doubles(highs, lows), ffi.new "union { uint32_t u[2]; double f; }"
  p:each({ p:cast("f64", "utf8", p:load(0), "TRY") }, { batch }, function(out, status)
    assert.equal(0, status)
    local data = ffi.cast("const double *", out.columns[0].data)
    for i = 1, #list do
      local is_null = columns.value(out.columns[0], i - 1) == columns.null
      assert(is_null == null_at[i], ("%q is%s read; seed %d"):format(list[i], is_null and " not" or "", texts.seed))
      if not is_null then
        box.f = data[i - 1]
        local got_high, got_low = box.u[1], box.u[0]
        box.f = want[i]
        assert(got_high == box.u[1] and got_low == box.u[0] or want[i] ~= want[i] and data[i - 1] ~= data[i - 1],
          ("%q is read as %.17g, not %.17g; seed %d"):format(list[i], data[i - 1], want[i], texts.seed))
      end
    end
  end)
  assert(owner)
end

describe("floats as text", function()
  it("read back to the same value and are the shortest, as Python's repr: 100000 doubles of all kinds", function()
    local lines = texts.python(bits_of .. [[
def value():
    k = random.random()
    if k < 0.4:
        v = struct.unpack("d", struct.pack("Q", random.getrandbits(64)))[0]
        return math.nan if math.isnan(v) else v # LuaJIT takes other NaN for its tags
    if k < 0.6: return round(random.uniform(-10 ** random.randrange(1, 12), 10 ** random.randrange(1, 12)),
      random.randrange(0, 9))
    if k < 0.7: return float(random.randrange(-10 ** random.randrange(1, 18), 10 ** random.randrange(1, 18)))
    if k < 0.8: return struct.unpack("d", struct.pack("Q", random.getrandbits(random.randrange(1, 53))))[0]
    v = 10.0 ** random.randrange(-8, 18)
    for _ in range(random.randrange(3)): v = math.nextafter(v, random.choice([0, math.inf]))
    return v
edges = [0.0, -0.0, 1e-4, 1e-5, 1e15, 1e16, 2.0**53, 2.0**53 - 1, 5e-324, 2.2250738585072014e-308,
  1.7976931348623157e308, 1e22, 1e23, math.inf, -math.inf, math.nan]
for v in edges + [value() for _ in range(100000)]: print(bits(v), repr(v))]])
    local highs, lows, want = {}, {}, {}
    for i, line in ipairs(lines) do highs[i], lows[i], want[i] = line:match "^(%S+) (%S+) (.*)$" end
    local values = doubles(highs, lows)
    same(cast("utf8", "f64", values), want, want)
    reads(lines)
  end)

  it("show a point or an exponent", function()
    local list = { 1024, 0, -0.0, 1e16, 1e300, 0.1, 1e-7, 1.5e-7, 123456789012345680, 1 / 0, -1 / 0, 0 / 0 }
    same(cast("utf8", "f64", list), { "1024.0", "0.0", "-0.0", "1e+16", "1e+300", "0.1", "1e-07", "1.5e-07",
      "1.2345678901234568e+17",
      "inf", "-inf", "nan" }, list)
  end)

  it("of 32 bits are the shortest that read back to 32 bits", function()
    local list = { 0.1, 3e10, 16777216, 1e-10, 3.4028234663852886e38, 123456792, 0.3, 1e16, 1.1754943508222875e-38 }
    same(cast("utf8", "f32", list), { "0.1", "30000000000.0", "16777216.0", "1e-10", "3.4028235e+38", "123456790.0",
      "0.3", "1e+16",
      "1.1754944e-38" }, list)
    local lines = texts.python [[
for i in range(10000):
    v = struct.unpack("f", struct.pack("I", random.getrandbits(32)))[0]
    while math.isnan(v) or math.isinf(v): v = struct.unpack("f", struct.pack("I", random.getrandbits(32)))[0]
    print(repr(v))]]
    local values = {}
    for i, line in ipairs(lines) do values[i] = tonumber(line) end
    local written = cast("utf8", "f32", values)
    same(cast("f32", "utf8", written), texts.list(#values, function(i) return ("%.17g"):format(values[i]) end), written)
  end)

  it("are rounded correctly: halfway cases and long texts, as Python reads them", function()
    reads(texts.python(bits_of .. [[
for i in range(1000):
    m, e = 2 * (random.getrandbits(53) | 1 << 52) + 1, random.randrange(-1074, 970) # between two doubles: m * 2^(e - 1)
    digits, exponent = (str(m << e - 1), 0) if e >= 1 else (str(m * 5 ** (1 - e)), e - 1)
    for t in [digits + "e%d" % exponent, digits + "1e%d" % (exponent - 1),
      digits[:-1] + "4" + "9" * 30 + "e%d" % (exponent - 30),
              digits[:1] + "." + digits[1:] + "e%d" % (exponent + len(digits) - 1)]:
        v = float(t)
        print("- -" if math.isinf(v) else bits(v), t)
for i in range(10000):
    digits = lambda n: "".join(random.choice("0123456789") for _ in range(n))
    t = random.choice(["", "-", "+"]) + random.choice(["", "0", "000", "00000000"]) + digits(random.choice([1, 2, 3,
      4, 8, 9, 16, 17, 20, 30, 400]))
    if random.random() < 0.7: t += "." + random.choice(["", "0000", "00000000000000"]) + digits(random.choice([0, 1,
      2, 3, 4, 8, 9, 15, 20, 30]))
    if random.random() < 0.3: t += random.choice("eE") + random.choice(["", "-", "+"]) + digits(random.choice([1, 2,
      3, 3, 5, 25]))
    v = float(t)
    print("- -" if math.isinf(v) else bits(v), t)]]))
  end)

  it("may be inf, nan, without digits on one side of the point, in any letter case", function()
    local list = { "inf", "-INF", "Infinity", "NaN", "-nan", ".5", "5.", "-.5", "1E5", "+1e-2", "1e-999", "0e99999" }
    same(cast("f64", "utf8", list), { "inf", "-inf", "inf", "nan", "nan", "0.5", "5", "-0.5", "100000", "0.01", "0",
      "0" }, list)
  end)

  it("are refused when they are something else, or too large", function()
    local list = { "", ".", "-", "-.", "e5", ".e5", "1e", "1e+", "0x10", "nan(1)", "infin", "1 ", " 1", "1..2",
      "1.2.3", "1,5", "--1", "1_0",
      "1e999", "-1e309", "1" .. ("0"):rep(400), "12345678.", "1234567.8.9", "123456789012345.6.7" }
    local want = texts.list(#list, function() return "null" end)
    want[22] = "12345678"
    same(cast("f64", "utf8", list, "TRY"), want, list)
  end)
end)

describe("bools as text", function()
  it("are true and false, read in any letter case", function()
    same(cast("utf8", "bool", { true, false }), { "true", "false" })
    same(cast("bool", "utf8", { "true", "FALSE", "True", "t", "1", "yes", "", "truex", "fals\5" }, "TRY"),
      { "true", "false", "true", "null", "null", "null", "null", "null", "null" })
  end)
end)
