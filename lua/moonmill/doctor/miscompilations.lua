-- moonmill.doctor.miscompilations - programs that some releases of LuaJIT compile wrongly. A linked LuaJIT that fails
-- one gives wrong answers.
--
-- DESIGN. Each case runs the same code cold (interpreted) and hot (compiled) and looks for a difference, or for a
-- result that is plainly wrong. A case returns true, or false and what it saw.
local bit = require "bit"
local ffi = require "ffi"

local HOT = 200 -- calls after which a loop is compiled

-- The inner loop makes the outer one give up being compiled; then its walk over the table must still be complete.
local function nested_pairs()
  local inner = { 1, 2, 3, 4, 5 }
  local outer = { a = inner, b = inner, c = inner, d = inner, e = inner }
  local function busy(...) -- luacheck: ignore
    for _ = 1, 100 do end
  end
  for round = 1, 100000 do
    busy()
    local seen = 0
    for _, list in pairs(outer) do
      for _ in pairs(list) do end
      seen = seen + 1
    end
    if seen ~= 5 then return false, ("round %d walked %d of 5 keys"):format(round, seen) end
  end
  return true
end

-- A true or false that a table constructor holds, read back in the next round of the loop.
local function constant_booleans()
  local slot, wrong = {}, 0
  local read
  for i = 1, 60 do
    read = slot[1] -- luacheck: ignore
    if i > 1 and read ~= ((i - 1) % 2 ~= 0) then wrong = wrong + 1 end
    slot = i % 2 ~= 0 and { true } or { false }
  end
  return wrong == 0, wrong .. " of 60 booleans were wrong"
end

local U32 = { 3341494851, 1, 4294967295, 2147483648, 2643763630, 7 }

-- An unsigned 32-bit value of 2^31 or more, widened to 64 bits.
local function widened_u32()
  local values, n = ffi.new("uint32_t[?]", #U32, U32), #U32
  local i64 = ffi.typeof "int64_t"
  local function total()
    local sum = 0LL
    for i = 0, n - 1 do sum = sum + i64(values[i]) end
    return sum
  end
  local cold = total()
  for _ = 1, HOT do total() end
  local hot = total()
  return cold == hot, ("the sum is %s, compiled %s"):format(tostring(cold), tostring(hot))
end

-- Comparing such values as 64-bit integers.
local function compared_u32()
  local a = ffi.new("uint32_t[4]", { 3341494851, 1, 4294967295, 1 })
  local b = ffi.new("uint32_t[4]", { 411539894, 2643763630, 1032702654, 529748659 })
  local function smaller()
    local picked = {}
    for i = 0, 3 do
      local x, y = ffi.cast("int64_t", a[i]), ffi.cast("int64_t", b[i])
      picked[i] = tonumber(x < y and x or y)
    end
    return picked
  end
  for _ = 1, HOT do smaller() end
  local hot = smaller()
  for i = 0, 3 do
    if hot[i] ~= math.min(a[i], b[i]) then return false, ("the smaller of two is %.0f"):format(hot[i]) end
  end
  return true
end

-- Shifts and rotations of 64-bit values by a constant.
local function wide_shifts()
  local wrong = 0
  for i = 1, 60 do
    if bit.rol(bit.band(i, 127LL), 32) ~= i * 2LL ^ 32 then wrong = wrong + 1 end
    if bit.rshift(bit.band(98LL * 2LL ^ 40, i * 2LL ^ 40), 40) ~= bit.band(98, i) then wrong = wrong + 1 end
    if bit.arshift(i * -(2LL ^ 35), 34) ~= i * -2LL then wrong = wrong + 1 end
  end
  return wrong == 0, wrong .. " of 180 shifts were wrong"
end

-- Dividing unsigned 64-bit values.
local function unsigned_division()
  local values = ffi.new("uint64_t[4]", { 0xffffffffffffffffULL, 0x8000000000000001ULL, 10ULL, 0x7fffffffffffffffULL })
  local function total(divisor)
    local sum = 0ULL
    for i = 0, 3 do sum = sum + values[i] / divisor + values[i] % divisor end
    return sum
  end
  for _, divisor in ipairs { 3ULL, 7ULL, 10ULL, 1000000007ULL, 0x8000000000000000ULL } do
    local cold = total(divisor)
    for _ = 1, HOT do total(divisor) end
    local hot = total(divisor)
    if hot ~= cold then
      return false, ("by %s: %s, compiled %s"):format(tostring(divisor), tostring(cold), tostring(hot))
    end
  end
  return true
end

-- math.min and math.max where one argument is not a number.
local function extremes_of_nan()
  local nan = 0 / 0
  local function pick(a, b) return math.max(a, b), math.min(a, b) end
  for _, pair in ipairs { { 16.5, nan }, { nan, 16.5 } } do
    local high, low = pick(pair[1], pair[2])
    local function differs(a, b) return a ~= b and (a == a or b == b) end
    for _ = 1, HOT do
      local hot_high, hot_low = pick(pair[1], pair[2])
      if differs(high, hot_high) or differs(low, hot_low) then
        return false, ("max and min of %s and %s are %s and %s, compiled %s and %s"):format(
          pair[1], pair[2], high, low, hot_high, hot_low)
      end
    end
  end
  return true
end

---@type { name: string, means: string, run: fun(): boolean, string? }[]
return {
  { name = "nested pairs", means = "loops over tables end early", run = nested_pairs },
  { name = "booleans in tables", means = "true and false are mixed up", run = constant_booleans },
  { name = "u32 to i64", means = "unsigned values of 2^31 and more become negative", run = widened_u32 },
  { name = "comparing u32 as i64", means = "unsigned values of 2^31 and more compare wrongly", run = compared_u32 },
  { name = "64-bit shifts", means = "shifts of 64-bit integers are wrong", run = wide_shifts },
  { name = "u64 division", means = "division of unsigned 64-bit integers is wrong", run = unsigned_division },
  { name = "min and max of NaN", means = "math.min and math.max change their answer when compiled",
    run = extremes_of_nan },
}
