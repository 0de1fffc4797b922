-- sweep - runs every kernel that a program can be bound to over vectors of every length, and compares. Run as a script
-- by the spec that compares instruction sets: luajit spec/support/sweep.lua [PATTERN of operations]
--
-- Which kernels there are is asked of mm_program_new: an operation, types and modes that it accepts have one. Each runs
--   plain     over columns without validity, in the longest vectors that the program allows
--   full      over the same values with a validity bitmap of ones, in vectors of MM_VECTOR rows
--   gaps      with nulls in each operand, at different rows
--   filtered  after a filter that half of the rows pass, and one that few do
--   constant  with each operand in turn the same in all lanes
-- All must agree where they overlap; the line that is printed for a kernel has a digest of every run, for other
-- instruction sets to agree with.
package.path = "./spec/support/?.lua;./lua/?.lua;" .. package.path
local ffi = require "ffi"
local bit = require "bit"
local moonmill = require "moonmill.base.ffi"
local columns = require "columns"
local operations = require "operations"
local programs = require "programs"
local C = moonmill.C
local CAST = operations.number "cast"
local of_numbers = {} -- operations on numbers that are null just where an operand is
for name in ([[add sub mul div floordiv mod neg abs sign min max mul_add mul_sub sub_mul floor ceil trunc round plain
    pow sqrt cbrt exp log log2 log10 sin cos tan asin acos atan atan2 sinh cosh tanh hypot]]):gmatch "%S+" do
  of_numbers[operations.number(name)] = true
end

local M = { ROWS = 2 * 65536 + 1025, kernels = 0 }
local ROWS, WORDS = M.ROWS, math.ceil((2 * 65536 + 1025) / 64)
M.types = { "null", "bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "utf8", "binary",
  "date", "timestamp(s)", "timestamp(ns)", "duration(ms)", "duration(us)" }

-- ---- Columns ----

local texts = {
  bool = { "true", "false" }, date = { "2013-01-05", "1969-12-31", "2000-02-29" }, timestamp = { "2013-01-05T10:00:00",
    "1969-12-31T23:59:59" }, duration = { "PT1H30M", "-PT5S", "P1D" },
  other = { "1", "23", "7", "100", "42", "5", "0", "12" },
}
local nan, inf = 0 / 0, 1 / 0
local wild = { 0, -0.0, 1, -1, 0.5, -2.5, 1e300, -1e300, inf, -inf, nan, 5e-324, 2 ^ 53, 2 ^ 63, -2 ^ 63, 3 }

-- Row i of a type; `for_type` is what a text is to be read as. Tame values fail in no operation, or in few.
local function value_of(name, for_type, tame)
  local base = name:match "^%w+"
  if base == "null" then return function() return columns.null end end
  if base == "bool" then return function(i) return i % 3 == 0 end end
  if base == "utf8" or base == "binary" then
    local list = texts[for_type:match "^%w+"] or texts.other
    if tame then return function(i) return list[i % #list + 1] end end
    return function(i) return i % 7 == 0 and "" or ("Ünï x"):rep(i % 5) .. list[i % #list + 1] end
  end
  if base == "f64" or base == "f32" then
    if tame then return function(i) return i % 2 + (for_type == "bool" and 0 or i % 50 * 2) end end
    return function(i) return wild[i % #wild + 1] end
  end
  if tame then return function(i) return for_type == "bool" and i % 2 or i % 90 + 1 end end
  local bits = 8 * ffi.sizeof(columns.ctype(name))
  return function(i) return i % 11 == 0 and 2 ^ (bits - 1) - (bits > 53 and 1024 or 1) or i % 100 end
end

-- NaN of every kind among other values: signalling and quiet, of both signs, with payloads; as bits.
local NAN_BITS = {
  f64 = { 0x7ff0000000000001ULL, 0xfff0000000000001ULL, 0x7ff8000000000000ULL, 0xfff8000000000000ULL,
    0x7ff4dead00000000ULL, 0x7ffcbeef12345678ULL, 0x7fffffffffffffffULL, 0x3ff8000000000000ULL, 0x7ff0000000000000ULL,
    0x8000000000000000ULL, 0xbff8000000000000ULL, 0x7fefffffffffffffULL, 1ULL },
  f32 = { 0x7f800001ULL, 0xff800001ULL, 0x7fc00000ULL, 0xffc00000ULL, 0x7fa0dead, 0x7fe1beef, 0x7fffffff, 0x3fc00000,
    0x7f800000, 0x80000000, 0xbfc00000, 0x7f7fffff, 1 },
}

-- Numbers of a float type, of which every two stand side by side somewhere in columns k and l.
local function nan_column(name, k)
  local list, whole = NAN_BITS[name], name == "f64" and "u64" or "u32"
  local made = columns.column(whole, function(i) return list[math.floor(i / (#list) ^ (k - 1)) % #list + 1] end, false,
    ROWS)
  made[0].type = columns.type(name)
  return made
end

local cache, ones, gaps = {}, ffi.new("uint64_t[?]", WORDS + 1), {}
for w = 0, WORDS do ones[w] = -1LL end
for k = 1, 3 do
  gaps[k] = ffi.new("uint64_t[?]", WORDS + 1)
  for i = 0, ROWS - 1 do
    if (i + k) % (4 + k) ~= 0 then gaps[k][bit.rshift(i, 6)] = bit.bor(gaps[k][bit.rshift(i, 6)],
      bit.lshift(1ULL, bit.band(i, 63))) end
  end
end

local column
function column(name, for_type, tame, k)
  if tame == "nan" then
    if not NAN_BITS[name] then return column(name, for_type, true) end
    local key = name .. " nan " .. k
    cache[key] = cache[key] or nan_column(name, k)
    return cache[key][0]
  end
  local text = name == "utf8" or name == "binary"
  local key = ("%s for %s %s"):format(name, text and for_type:match "^%w*" or for_type == "bool" and "bool" or "",
    tostring(tame))
  cache[key] = cache[key] or columns.column(name, value_of(name, for_type, tame), false, ROWS)
  return cache[key][0]
end

-- A batch of columns with validity `valid` (nil: none), the first of which is the filter's.
local function batch_of(list, valid)
  local batch = ffi.gc(ffi.new "mm_batch", C.mm_batch_free)
  assert(C.mm_batch_resize(batch, #list, nil) >= 0)
  for k, from in ipairs(list) do
    batch.columns[k - 1] = from
    C.mm_column_retain(from)
    local bits = valid and from.type.id ~= C.MM_NULL and valid(k)
    if bits then batch.columns[k - 1].valid = bits end
    if not bits and from.type.id ~= C.MM_NULL then batch.columns[k - 1].valid = nil end
  end
  batch.length = ROWS
  return batch
end

-- ---- Results ----

local function digest(sum, data, bytes)
  local words, n = ffi.cast("const uint64_t *", data), math.floor(bytes / 8)
  for i = 0, n - 1 do sum = bit.bxor(bit.rol(sum, 13), words[i]) * 0x9e3779b97f4a7c15ULL end
  local rest = ffi.cast("const uint8_t *", data)
  for i = n * 8, bytes - 1 do sum = (bit.rol(sum, 13) + rest[i]) * 0x9e3779b97f4a7c15ULL end
  return sum
end

-- Bits beyond `n` of a copied bitmap mean nothing.
local function bits_copy(from, n)
  local words = math.ceil(n / 64)
  local to = ffi.new("uint64_t[?]", words + 1)
  ffi.copy(to, from, math.ceil(n / 8))
  if n % 64 ~= 0 then to[words - 1] = bit.band(to[words - 1], bit.lshift(1ULL, n % 64) - 1) end
  return ffi.string(to, words * 8)
end

local function width_of(kind) return tonumber(C.mm_type_width(kind)) end

-- What a run gave: rows, validity, data, offsets as strings, and the failure.
local function snapshot(out, status, err)
  local result = { rows = tonumber(out.length), status = status, failure = "" }
  if status < 0 then result.failure = ("%s at %d"):format(ffi.string(err.message), tonumber(err.row)) end
  local c = out.columns[0]
  local n = result.rows
  if c.valid ~= nil then result.valid = bits_copy(c.valid, n) end
  if c.offsets ~= nil then
    result.offsets = ffi.string(c.offsets, (n + 1) * 4)
    result.data = ffi.string(ffi.cast("const char *", c.data) + c.offsets[0], c.offsets[n] - c.offsets[0])
  elseif c.type.id == C.MM_BOOL then
    result.data = bits_copy(c.data, n)
  elseif c.data ~= nil then
    result.data = ffi.string(c.data, n * width_of(c.type))
  end
  return result
end

local function digest_of(result)
  local sum = 0x2545f4914f6cdd1dULL + result.rows
  for _, part in ipairs { result.valid or "", result.data or "", result.offsets or "", result.failure } do
    sum = digest(sum, part, #part)
  end
  return bit.tohex(sum, 16)
end

local function same(a, b, about)
  for _, part in ipairs { "status", "rows", "failure", "valid", "data", "offsets" } do
    if a[part] ~= b[part] then error(("%s: other %s: %s, %s"):format(about, part, tostring(a[part]):sub(1, 60),
      tostring(b[part]):sub(1, 60)), 0) end
  end
end

-- ---- Programs ----

-- A program of one operation. case: op, t, s, kinds { a, b, c, result }, mode. constant: this operand is one.
local function build(case, options)
  local p = programs.new {}
  local name_of = { T = case.t, S = case.s, B = "bool", I = "i64" }
  p.columns = { "bool" }
  local registers, list = {}, { column("bool", "", true) }
  for k = 1, 3 do
    local kind = case.kinds[k]
    if kind then
      local name = name_of[kind]
      if options.constant == k and name ~= "null" then
        registers[k] = p:const(name, value_of(name, case.kinds[4] == "T" and case.t or "", true)(1))
      else
        p.columns[#p.columns + 1] = name
        list[#list + 1] = column(name, case.op == CAST and case.t or "", kind == "I" and true or case.tame, k)
        registers[k] = p:load(#p.columns - 1)
      end
    end
  end
  if options.filter then p:filter(options.filter(p)) end
  local result = name_of[case.kinds[4]]
  p.types[#p.types + 1] = result
  local dst = p:emit { op = case.op, type = columns.type(case.t).id, type2 = columns.type(case.s).id,
    dst = #p.types - 1, a = registers[1], b = case.mode or registers[2], c = registers[3], place = 1 }
  return p, dst, list
end

local function run(case, options, valid)
  local p, dst, list = build(case, options)
  local result
  p:each({ dst }, { batch_of(list, valid) }, function(out, status, err) result = snapshot(out, status, err) end, true)
  return result
end

local function half(p) return p:load(0) end
local function few(p)
  return p:op("AND", "bool", p:load(0), p:op("IS_NULL", "bool", p:load(0)))
end

-- Rows of values that are valid everywhere do not depend on nulls elsewhere, when the operation is strict.
local function same_where_valid(full, gapped, width, about)
  if not gapped.valid or full.status < 0 or gapped.status < 0 or not full.data or width == 0 then return end
  local valid = ffi.cast("const uint64_t *", gapped.valid)
  for i = 0, full.rows - 1 do
    if bit.band(bit.rshift(valid[bit.rshift(i, 6)], bit.band(i, 63)), 1) == 1
      and full.data:sub(i * width + 1, i * width + width) ~= gapped.data:sub(i * width + 1, i * width + width) then
      error(("%s: row %d differs when others are null"):format(about, i), 0)
    end
  end
end

local function filtered_as(full, got, width, about)
  if full.status < 0 or got.status < 0 or width == 0 or full.valid then return end
  local at = 0
  for i = 2, full.rows - 1, 3 do -- the bools of a column
    if full.data:sub(i * width + 1, i * width + width) ~= got.data:sub(at * width + 1, at * width + width) then
      error(("%s: row %d differs after a filter"):format(about, i), 0)
    end
    at = at + 1
  end
  assert(got.rows == at, about)
end

---Run a kernel in all ways; the line that describes it.
function M.check(case)
  local about = ("%s t=%s s=%s mode=%s %s"):format(ffi.string(C.mm_op_name(case.op)), case.t, case.s,
    tostring(case.mode), case.tame == "nan" and "NaN" or case.tame and "tame" or "wild")
  local plain = run(case, {})
  local full = run(case, {}, function() return ones end)
  same(plain, full, about .. ": long and short vectors")
  local gapped = run(case, {}, function(k) return k > 1 and gaps[k - 1] end)
  local filtered = run(case, { filter = half })
  local none = run(case, { filter = few })
  assert(none.rows == 0 or none.status < 0, about)
  local name = case.kinds[4] == "T" and case.t or case.kinds[4] == "S" and case.s or case.kinds[4] == "I" and "i64"
  local width = name and width_of(columns.type(name)) or 0
  if width > 0 then
    filtered_as(full, filtered, width, about)
    if case.strict then same_where_valid(full, gapped, width, about) end
  end
  local line = { about, digest_of(plain), digest_of(gapped), digest_of(filtered) }
  for k = 1, 3 do
    if case.kinds[k] then
      local long = run(case, { constant = k })
      same(long, run(case, { constant = k }, function() return ones end), about .. ": constant operand " .. k)
      line[#line + 1] = digest_of(long)
    end
  end
  M.kernels = M.kernels + 1
  collectgarbage "step"
  return table.concat(line, " ")
end

-- ---- Which kernels there are ----

local function accepts(case)
  local p, dst = build(case, {})
  local program, err = p:build({ dst })
  if program then
    C.mm_program_free(program)
    return true
  end
  return false, ffi.string(err.message)
end

-- Operands and result of an operation: the fewest operands with which the program is well formed.
local KINDS = { false, "T", "S", "B", "I" }
local function kinds_of(op)
  for _, c in ipairs(KINDS) do
    for _, b in ipairs(KINDS) do
      for _, a in ipairs(KINDS) do
        for _, result in ipairs { "T", "B", "I" } do
          local case = { op = op, t = "f64", s = "f32", kinds = { a, b, c, result }, tame = true }
          local ok, message = accepts(case)
          if ok or message:find "no kernel" then return case.kinds end
        end
      end
    end
  end
end

---Calls each(case) for every kernel; `pattern` limits the operations by name.
function M.each(pattern, each)
  local skipped = {}
  for _, name in ipairs { "load", "const", "filter", "in" } do skipped[operations.number(name)] = true end
  for op = 0, operations.count - 1 do
    local name = ffi.string(C.mm_op_name(op))
    local kinds = not skipped[op] and name:find(pattern) and kinds_of(op)
    assert(skipped[op] or kinds or not name:find(pattern), "no operands found for " .. name)
    for _, t in ipairs(kinds and M.types or {}) do
      local uses_s = kinds[1] == "S" or kinds[2] == "S" or kinds[3] == "S"
      for _, s in ipairs(uses_s and M.types or { t }) do
        for mode = 0, op == CAST and 3 or 0 do
          local case = { op = op, t = t, s = s, kinds = kinds, mode = op == CAST and mode or nil, tame = true,
            strict = op == CAST and mode ~= C.MM_CAST_TRY or of_numbers[op] }
          if accepts(case) then each(case) end
        end
      end
    end
  end
end

if arg and arg[0] and arg[0]:find "sweep%.lua$" then
  for _, tame in ipairs { true, false, "nan" } do
    M.each(arg[1] or ".", function(case)
      case.tame = tame
      if tame ~= "nan" or NAN_BITS[case.t] or NAN_BITS[case.s] then print(M.check(case)) end
    end)
  end
  print(("%s: %d kernels"):format(ffi.string(C.mm_isa_name()), M.kernels))
end

return M
