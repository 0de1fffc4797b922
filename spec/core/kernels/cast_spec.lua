-- Casts among numbers and bool, in all four modes, against naive Lua; units of durations and timestamps.
local ffi = require "ffi"
local cases = require "kernel_cases"
local columns = require "columns"
local programs = require "programs"
local null = columns.null

local types = { "bool", unpack(cases.numbers) }
local bits = { i8 = 8, i16 = 16, i32 = 32, i64 = 64, u8 = 8, u16 = 16, u32 = 32, u64 = 64 }
local ctype = { i8 = "int8_t", i16 = "int16_t", i32 = "int32_t", i64 = "int64_t", u8 = "uint8_t", u16 = "uint16_t",
  u32 = "uint32_t",
  u64 = "uint64_t" }
local function is_float(name) return name == "f32" or name == "f64" end

-- A value as a whole number in two halves: sign and magnitude as uint64_t; nil for fractions, NaN, infinity and 2^64
-- on.
local function whole(v)
  if v == true or v == false then return false, v and 1ULL or 0ULL end
  if type(v) == "number" then
    if v ~= v or math.abs(v) >= 2 ^ 64 or v ~= math.floor(v) then return nil end
    local magnitude, m = 0ULL, math.abs(v)
    if m >= 2 ^ 63 then magnitude, m = 0x8000000000000000ULL, m - 2 ^ 63 end
    return v < 0, magnitude + ffi.cast("uint64_t", ffi.cast("int64_t", m))
  end
  local negative = ffi.istype("int64_t", v) and v < 0
  return negative, negative and 0ULL - ffi.cast("uint64_t", v) or ffi.cast("uint64_t", v)
end

local function bounds(name)
  if name == "bool" then return 0ULL, 1ULL end
  local n = bits[name]
  if name:sub(1, 1) == "u" then return 0ULL, n == 64 and 0xffffffffffffffffULL or ffi.cast("uint64_t", 2 ^ n - 1) end
  return n == 64 and 0x8000000000000000ULL or ffi.cast("uint64_t", 2 ^ (n - 1)), n == 64 and 0x7fffffffffffffffULL
    or ffi.cast("uint64_t", 2 ^ (n - 1) - 1)
end

local function signed(negative, magnitude, name)
  if name == "bool" then return magnitude == 1ULL end
  if negative then return ffi.cast("int64_t", 0ULL - magnitude) end
  return name == "u64" and magnitude or ffi.cast(name == "u64" and "uint64_t" or "int64_t", magnitude)
end

local function to_float(v, name)
  if v == true or v == false then return v and 1 or 0 end
  if name == "f32" and type(v) ~= "number" then
    return tonumber(ffi.istype("int64_t", v) and ffi.new("float[1]", v)[0] or ffi.new("float[1]", v)[0])
  end
  v = tonumber(v)
  if name ~= "f32" then return v end
  return tonumber(ffi.cast("float", v))
end

local function expected(v, to, mode)
  if is_float(to) then
    local result = to_float(v, to)
    local lost = to == "f32" and math.abs(result) == 1 / 0
      and math.abs(tonumber(v == true and 1 or v == false and 0 or v)) ~= 1 / 0
    if not lost or mode == "WRAP" then return result end
    if mode == "SATURATE" then return result > 0 and 3.4028234663852886e38 or -3.4028234663852886e38 end
    return nil
  end
  if mode ~= "CHECK" and type(v) == "number" then -- drop the fraction
    if v ~= v or mode == "WRAP" and math.abs(v) == 1 / 0 then return nil end
    v = v < 0 and math.ceil(v) or math.floor(v)
    if mode == "WRAP" then v = math.fmod(v, 2 ^ 64) end
  end
  local low, high = bounds(to)
  local negative, magnitude = whole(v)
  if mode == "WRAP" then
    local word = negative and 0ULL - magnitude or magnitude
    if to == "bool" then return word % 2 == 1ULL end
    return ffi.cast(ctype[to], word)
  end
  if magnitude == nil then
    if mode == "SATURATE" then return signed(v < 0, v < 0 and low or high, to) end
    return nil
  end
  if magnitude == 0ULL then negative = false end
  if not negative and magnitude <= high or negative and magnitude <= low then return signed(negative, magnitude, to) end
  if mode == "SATURATE" then return signed(negative, negative and low or high, to) end
  return nil
end

local function plain(v, to) -- as a column takes it
  if v == nil or type(v) == "boolean" or is_float(to) then return v end
  return (to == "i64" or to == "u64") and v or tonumber(v)
end

describe("casts", function()
  for _, from in ipairs(types) do
    it(("from %s to every number, checked, modular and saturating"):format(from), function()
      for _, to in ipairs(types) do
        for _, mode in ipairs { "CHECK", "WRAP", "SATURATE" } do
          local values = cases.values(from)
          if is_float(from) then
            for _, v in ipairs { 127, 128, 255, 256, -128, -129, 32768, 65536, 2 ^ 31, 2 ^ 32, -2 ^ 31 - 256,
              2 ^ 40 + 3 } do values[#values + 1] = tonumber(ffi.cast(from == "f32" and "float" or "double", v)) end
          end
          cases.check {
            about = ("%s of %s to %s"):format(mode, from, to), types = { from }, result = to, values = { values },
              lengths = { 65 },
            f = function(v) return plain(expected(v, to, mode), to) end,
            emit = function(p, a) return p:cast(to, from, a, mode) end,
          }
        end
      end
    end)
  end

  it("that are tried give null where checked ones fail", function()
    for _, n in ipairs { 1, 64, 1025 } do
      local batch, keep = programs.batch { { "f64", function(i) return i % 7 == 0 and null or i % 3 == 0 and i + 0.5
        or i % 5 == 0 and 1e10 or i end, n = n } }
      local p = programs.new { "f64" }
      local result, failure = p:run({ p:cast("i32", "f64", p:load(0), "TRY") }, batch)
      assert.is_nil(failure)
      for i = 1, n do
        local bad = i % 7 == 0 or i % 3 == 0 or i % 5 == 0
        assert.equal(bad and "null" or tostring(i), result[1][i])
      end
      assert.truthy(keep)
    end
  end)
end)

describe("units", function()
  local function convert(from, to, value, mode)
    local p = programs.new {}
    local a = p:const(from, value)
    local value_text, failure = p:eval(p:op("CAST", to, a, { type2 = from,
      b = require "moonmill.base.ffi".C["MM_CAST_" .. (mode or "CHECK")] }))
    return value_text or ffi.string(failure.id)
  end
  it("of durations become finer exactly, or overflow", function()
    assert.equal("-5000000", convert("duration(s)", "duration(us)", -5LL))
    assert.equal("bad-cast", convert("duration(s)", "duration(ns)", 10000000000LL))
    assert.equal("null", convert("duration(s)", "duration(ns)", 10000000000LL, "TRY"))
    assert.equal("9223372036854775807", convert("duration(s)", "duration(ns)", 10000000000LL, "SATURATE"))
  end)
  it("of timestamps become coarser when nothing is lost, floored when asked", function()
    assert.equal("-2", convert("timestamp(ms)", "timestamp(s)", -2000LL))
    assert.equal("bad-cast", convert("timestamp(ms)", "timestamp(s)", -1LL))
    assert.equal("-1", convert("timestamp(ms)", "timestamp(s)", -1LL, "WRAP"))
    assert.equal("null", convert("timestamp(ms)", "timestamp(s)", 1LL, "TRY"))
  end)
  it("are the numbers they hold", function()
    assert.equal("7", convert("duration(s)", "i64", 7LL))
    assert.equal("7", convert("i64", "timestamp(ms)", 7LL))
    assert.equal("7", convert("i64", "date", 7LL))
    assert.equal("bad-cast", convert("i64", "date", 7000000000LL))
  end)
end)
