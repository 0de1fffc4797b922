-- moonmill.doctor.differential - random expressions over typed arrays, interpreted and compiled: both must agree.
local bit = require "bit"
local ffi = require "ffi"

local differential = {}

local ROWS = 128
local TYPES = { "int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t", "int64_t", "uint64_t", "float",
  "double",
}
local NUMBER_ARRAYS = { 1, 2, 3, 4, 5, 6, 9, 10 } -- elements of these become Lua numbers
local SIGNED64, UNSIGNED64 = 7, 8

-- Random numbers of our own, so that a seed means the same everywhere.
local Random = {}
Random.__index = Random

function Random:below(n)
  self.state = (self.state * 16807) % 2147483647
  return self.state % n
end

function Random:pick(list) return list[self:below(#list) + 1] end

function Random:value(index)
  local kind = self:below(5)
  local value
  if kind == 0 then value = self:below(7) - 3
  elseif kind == 1 then value = self:below(400) - 200
  elseif kind == 2 then value = self:below(2147483647)
  elseif kind == 3 then value = self:below(1000000) / 7 - 5e4
  else value = self:below(2147483647) - 2 ^ 30
  end
  if index <= 4 then return value % 120 end
  if index == 6 then return math.floor(math.abs(value)) * (self:below(3) == 0 and 2 or 1) end
  if index == SIGNED64 or index == UNSIGNED64 then
    return ffi.cast("int64_t", math.floor(math.abs(value))) * (self:below(2) == 0 and 1LL or 4294967311LL)
  end
  return index <= 5 and math.floor(value) or value
end

local Generator = {}
Generator.__index = Generator

function Generator:number_leaf()
  local kind = self.random:below(6)
  if kind < 4 then return ("a%d[i]"):format(self.random:pick(NUMBER_ARRAYS)) end
  if kind == 4 then return ("(%d)"):format(self.random:below(109) - 9) end
  return ("%.2f"):format((self.random:below(99) + 1) / 4)
end

function Generator:number(depth)
  if depth == 0 then return self:number_leaf() end
  local random, a, b = self.random, self:number(depth - 1), self:number(depth - 1)
  local kind = random:below(10)
  if kind < 5 then return ("(%s %s %s)"):format(a, random:pick { "+", "-", "*", "/" }, b) end
  if kind == 5 then return ("floor(%s)"):format(a) end
  if kind == 6 then return ("%s(%s, %s)"):format(random:pick { "min", "max" }, a, b) end
  if kind == 7 then return ("(%s %% %d)"):format(a, random:below(16) + 2) end
  if kind == 8 then return ("band(a%d[i], %d)"):format(random:below(5) + 1, random:below(65536)) end
  return ("(%s %s %s and %s or %s)"):format(a, random:pick { "<", ">", "<=", ">=", "==", "~=" }, b, a,
    self:number_leaf())
end

function Generator:wide_leaf()
  local random, kind = self.random, self.random:below(8)
  if kind < 3 then return ("a%d[i]"):format(random:below(4) == 0 and UNSIGNED64 or SIGNED64) end
  if kind == 3 then return ("%dLL"):format(random:below(99) + 1) end
  if kind == 4 then return ("%dULL"):format(random:below(2147483647)) end
  return ("%s(a%d[i])"):format(random:pick { "i64", "u64" }, random:pick { 2, 4, 5, 6, 6 })
end

function Generator:wide(depth)
  if depth == 0 then return self:wide_leaf() end
  local random, a, b = self.random, self:wide(depth - 1), self:wide(depth - 1)
  local kind = random:below(9)
  if kind < 4 then return ("(%s %s %s)"):format(a, random:pick { "+", "-", "*" }, b) end
  if kind == 4 then return ("(%s %s %dLL)"):format(a, random:pick { "/", "%" }, random:below(98) + 2) end
  if kind == 5 then return ("%s(%s, %s)"):format(random:pick { "band", "bor", "bxor" }, a, b) end
  if kind == 6 then
    return ("%s(%s, %d)"):format(random:pick { "lshift", "rshift", "arshift", "rol", "ror" }, a, random:below(64))
  end
  return ("(%s %s %s and %s or %s)"):format(a, random:pick { "<", ">", "<=", "==", "~=" }, b, a, b)
end

local PROGRAM = [[
local a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, out, n = ...
local floor, min, max = math.floor, math.min, math.max
local band, bor, bxor, lshift, rshift = bit.band, bit.bor, bit.bxor, bit.lshift, bit.rshift
local arshift, rol, ror = bit.arshift, bit.rol, bit.ror
local i64, u64 = i64, u64
return function() for i = 0, n - 1 do out[i] = %s end end
]]

local function compile(text, arrays, out)
  local chunk = assert(loadstring(PROGRAM:format(text), "=differential"))
  setfenv(chunk, { math = math, bit = bit, i64 = ffi.typeof "int64_t", u64 = ffi.typeof "uint64_t" })
  arrays[11], arrays[12] = out, ROWS
  return chunk(unpack(arrays, 1, 12))
end

local function difference(a, b)
  for i = 0, ROWS - 1 do
    if a[i] ~= b[i] and not (a[i] ~= a[i] and b[i] ~= b[i]) then return i end
  end
end

---Compare so many random expressions.
---@param seed integer 1 to 2147483646
---@param count integer
---@return string[] wrong expressions whose compiled result differs from the interpreted one
function differential.run(seed, count)
  local random = setmetatable({ state = seed }, Random)
  local generator = setmetatable({ random = random }, Generator)
  local arrays, wrong = {}, {}
  for index, name in ipairs(TYPES) do
    arrays[index] = ffi.new(name .. "[?]", ROWS)
    for i = 0, ROWS - 1 do arrays[index][i] = random:value(index) end
  end
  for _ = 1, count do
    local wide = random:below(2) == 1
    local depth = random:below(3) + 1
    local text = wide and ("i64(%s)"):format(generator:wide(depth)) or generator:number(depth)
    local kind = wide and "int64_t[?]" or "double[?]"
    local cold, hot = ffi.new(kind, ROWS), ffi.new(kind, ROWS)
    local interpreted, compiled = compile(text, arrays, cold), compile(text, arrays, hot)
    jit.off(interpreted)
    interpreted()
    for _ = 1, 3 do compiled() end
    local row = difference(cold, hot)
    if row then
      wrong[#wrong + 1] = ("%s: row %d is %s, compiled %s"):format(text, row, tostring(cold[row]), tostring(hot[row]))
    end
  end
  return wrong
end

return differential
