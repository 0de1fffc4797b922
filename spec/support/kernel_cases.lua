-- kernel_cases - checks kernels against naive Lua functions: in columns with and without nulls, of awkward lengths,
-- against
-- constants on either side, and folded.
local assert = require "luassert"
local columns = require "columns"
local programs = require "programs"
local null = columns.null

local cases = {}

local low = { i8 = -128, i16 = -32768, i32 = -2147483648, i64 = -0x7fffffffffffffffLL - 1, u8 = 0, u16 = 0, u32 = 0,
  u64 = 0ULL }
local high = { i8 = 127, i16 = 32767, i32 = 2147483647, i64 = 0x7fffffffffffffffLL, u8 = 255, u16 = 65535,
  u32 = 4294967295,
  u64 = 0xffffffffffffffffULL }
cases.low, cases.high = low, high
cases.numbers = { "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64" }
cases.lengths = { 65, 1025, 2049 }
local nan = 0 / 0

---Values of a type that are likely to be wrong.
function cases.values(name)
  if name == "bool" then return { true, false } end
  if name == "f64" then return { -1 / 0, -1e300, -2 ^ 63, -2.5, -1, -0.5, -0.0, 0, 5e-324, 0.5, 1, 2, 2.5, 7, 2 ^ 53,
    2 ^ 63, 1e300, 1 / 0, nan } end
  if name == "f32" then return { -1 / 0, -0x1.8p127, -2.5, -1, -0.5, -0.0, 0, 0.5, 1, 2, 2.5, 7, 16777216, 0x1.8p127,
    1 / 0, nan } end
  local one = name == "i64" and 1LL or name == "u64" and 1ULL or 1
  local list = { low[name], low[name] + one, one * 0, one, one * 2, one * 3, one * 7, one * 100, high[name] - one,
    high[name] }
  if low[name] < 0 then
    for _, value in ipairs { -1, -2, -3, -7 } do list[#list + 1] = one * value end
  end
  if name == "i64" or name == "u64" then list[#list + 1] = one * 0x100000001LL end
  return list
end

---Values as columns.text shows them in a column of a type.
function cases.text(name, list, n)
  list.n = n
  return columns.text(columns.column(name, list, true))
end

local function same(program, outputs, batch, name, expected, about)
  local result, failure = program:run(outputs, batch)
  assert.is_nil(failure and require "ffi".string(failure.message), about)
  local shown = cases.text(name, expected, expected.n)
  for i, got in ipairs(result[1]) do
    if got ~= shown[i] then error(("%s: row %d of %d: %s instead of %s"):format(about, i - 1, expected.n, got,
      shown[i]), 0) end
  end
  assert.equal(expected.n, result.rows)
end

-- n rows that repeat the given ones; every gap-th is null in each operand (not in the same rows).
local function repeated(rows, arity, n, gap)
  local lists, expected = {}, { n = n }
  for k = 1, arity do lists[k] = { n = n } end
  for i = 1, n do
    local row = rows[(i - 1) % #rows + 1]
    expected[i] = row.result
    for k = 1, arity do
      lists[k][i] = row[k]
      if gap and (i + k) % (gap + k) == 0 then lists[k][i], expected[i] = null, null end
    end
  end
  return lists, expected
end

---Check an operation. case: op, types (operands), result (type), f(values...) giving a value, or nil where it fails;
---strict nulls.
---emit(program, registers...) appends it; default: program:op(op, types[1], ...). lengths, values: defaults as above.
function cases.check(case)
  local types, arity = case.types, #case.types
  local values = {}
  for k, name in ipairs(types) do values[k] = case.values and case.values[k] or cases.values(name) end
  local rows, failing = {}, {}
  for i, a in ipairs(values[1]) do
    for j, b in ipairs(values[2] or { false }) do
      local row = arity == 1 and { a } or { a, b }
      row.at = { i, j }
      if arity == 1 then row.result = case.f(a) else row.result = case.f(a, b) end
      if row.result == nil then failing[#failing + 1] = row else rows[#rows + 1] = row end
    end
  end
  local emit = case.emit or function(p, ...)
    local registers = { ... }
    return p:op(case.op, types[1], registers[1], registers[2], nil, { result = case.result, type2 = types[2] })
  end
  local about = case.about or ("%s of %s"):format(case.op, table.concat(types, ", "))
  local function run(lists, expected, constant)
    local fields, program, registers = {}, programs.new {}, {}
    for k, name in ipairs(types) do
      if k == constant then registers[k] = program:const(name, lists[k])
      else
        fields[#fields + 1] = { name, lists[k] }
        program.columns[#fields] = name
        registers[k] = program:load(#fields - 1)
      end
    end
    local batch, keep = programs.batch(fields)
    same(program, { emit(program, unpack(registers)) }, batch, case.result, expected, about .. (constant
      and (", constant " .. constant) or ""))
    return keep
  end
  for _, n in ipairs(case.lengths or cases.lengths) do
    for _, gap in ipairs { false, 5 } do run(repeated(rows, arity, n, gap)) end
  end
  for constant = 1, arity == 2 and 2 or 0 do
    for at = 1, #values[constant], 3 do
      local value, matching = values[constant][at], {}
      for _, row in ipairs(rows) do
        if row.at[constant] == at then matching[#matching + 1] = row end
      end
      if #matching > 0 then
        local lists, expected = repeated(matching, arity, #matching * 3)
        lists[constant] = value
        run(lists, expected, constant)
      end
    end
  end
  cases.check_folded(types, case.result, rows, failing, emit, about)
end

local function folded(types, row, emit)
  local program, registers = programs.new {}, {}
  for k, name in ipairs(types) do registers[k] = program:const(name, row[k]) end
  return program:eval(emit(program, unpack(registers)))
end

local FOLDED = 40 -- rows of each kind, about

function cases.check_folded(types, result, rows, failing, emit, about)
  for i = 1, #rows, math.ceil(#rows / FOLDED) do
    local row = rows[i]
    local expected = cases.text(result, { row.result }, 1)[1]
    assert.equal(expected, (folded(types, row, emit)), about .. ", folded")
  end
  for i = 1, #failing, math.ceil(#failing / FOLDED) do
    local row = failing[i]
    local value, failure = folded(types, row, emit)
    if value then error(("%s: %s, %s gives %s instead of an error"):format(about, tostring(row[1]), tostring(row[2]),
      value), 0) end
    assert.equal(-1, failure.code, about)
  end
end

return cases
