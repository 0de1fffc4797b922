-- groups - a plain Lua oracle for group and distinct, random values of every type, and group stages out of short texts.
local ffi = require "ffi"
local columns = require "columns"
local C = require("moonmill.base.ffi").C
local null = columns.null

local M = { seed = tonumber(os.getenv "MM_SEED") or os.time() }
math.randomseed(M.seed)

M.kinds = { "bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "utf8", "binary", "date",
  "timestamp", "duration" }

local random = {
  bool = function(v) return v % 2 == 1 end,
  utf8 = function(v) return ("key%d"):format(v):rep(v % 6) end,
  binary = function(v) return string.char(v % 256):rep(v % 20) end,
  f32 = function(v) return v == 3 and 0 / 0 or v == 4 and -0.0 or v == 5 and 0 or v == 6 and -1 / 0 or (v - 20) / 4 end,
  i8 = function(v) return v - 64 end, u8 = function(v) return v * 2 end, u16 = function(v) return v * 300 end,
  u32 = function(v) return v * 20000001 end, u64 = function(v) return v * 2 ^ 40 end,
}
random.f64 = random.f32
local function signed(v) return (v - 20) * 77 end

---A list of n values of a type, about `distinct` different ones, a tenth null.
function M.values(kind, n, distinct)
  local list, make = { n = n }, random[kind:match "^%w+"] or signed
  for i = 1, n do list[i] = math.random() < 0.1 and null or make(math.random(0, distinct - 1)) end
  return list
end

-- ---- Stages ----

local function parse(text)
  local name, argument = text:match "^(%w+[%w_]*)%(([%w_]*)%)$"
  return name, argument ~= "" and argument or nil
end

local result_type = {
  count = "i64", count_null = "i64", n_unique = "i64", mean = "f64", var = "f64", std = "f64", median = "f64",
  quantile = "f64", any = "bool", all = "bool",
}
local function type_of(name, kind)
  if name == "sum" then return kind:match "^f" and "f64" or kind:match "^u" and "u64" or "i64" end
  return result_type[name] or kind
end

M.q = 0.3

---A group stage over a source; aggregates as "sum(x)", their results named o1, o2, ... Or as
---{ "sum(x)", saves = true }, whose result is states, or { "sum(o1)", loads = "i16" }, of states of values of a type.
function M.stage(source, keys, aggregates)
  local err, out = ffi.new "mm_error", ffi.gc(ffi.new "mm_schema", C.mm_schema_free)
  local function find(name) return C.mm_schema_find(source.schema, name) end
  local numbers, list = ffi.new("int32_t[?]", #keys + 1), ffi.new("mm_aggregate[?]", #aggregates + 1)
  for i, key in ipairs(keys) do
    numbers[i - 1] = find(key)
    assert(C.mm_schema_add(out, key, source.schema.fields[find(key)].type, true, err) >= 0)
  end
  for i, item in ipairs(aggregates) do
    if type(item) == "string" then item = { item } end
    local name, argument = parse(item[1])
    local column = argument and find(argument) or -1
    local slot = list[i - 1]
    slot.op, slot.column, slot.q, slot.place = C["MM_AGG_" .. name:upper()], column, M.q, i
    local kind = item.loads or argument and columns.type_name(source.schema.fields[column].type) or "i64"
    if item.loads then
      slot.flags = C.MM_AGG_LOADS
      if not C.mm_aggregate_state_type(slot.op, columns.type(kind), slot.of) then slot.of = columns.type(kind) end
    end
    if item.saves then slot.flags = slot.flags + C.MM_AGG_SAVES end
    kind = item.saves and "binary" or type_of(name, kind)
    assert(C.mm_schema_add(out, "o" .. i, columns.type(kind), true, err) >= 0)
  end
  return assert(C.mm_stage_group(numbers, #keys, list, #aggregates, out, err))
end

---The bytes of all columns of a stage's result, so that two runs can be compared bit for bit.
function M.bits(source, stage, threads, batch_rows)
  local result, err = columns.result(source, { stage }, { threads = threads, batch_rows = batch_rows })
  assert(result, err and ffi.string(err.message))
  local parts = {}
  for c = 0, result.schema.count - 1 do
    for b = 0, tonumber(result.count) - 1 do
      local column = result.batches[b].columns[c]
      local n = tonumber(column.length)
      local width = tonumber(C.mm_type_width(column.type))
      if width > 0 then parts[#parts + 1] = ffi.string(column.data, n * width)
      else parts[#parts + 1] = table.concat(columns.text(column), "\0") .. "\0" end
    end
    local nulls = 0
    for b = 0, tonumber(result.count) - 1 do
      nulls = nulls + tonumber(C.mm_column_null_count(result.batches[b].columns + c))
    end
    parts[#parts + 1] = "nulls " .. nulls
  end
  return table.concat(parts)
end

---Threads and batch rows to compare: all pairs, or the few that differ most.
function M.ways(all)
  if not all then return { { 1, 65536 }, { 2, 8192 }, { 5, 1024 }, { 2, 64 } } end
  local ways = {}
  for _, threads in ipairs { 1, 2, 5 } do
    for _, batch_rows in ipairs { 64, 1024, 8192, 65536 } do ways[#ways + 1] = { threads, batch_rows } end
  end
  return ways
end

-- ---- The oracle ----

local function same(value) -- what makes two values one key
  if type(value) ~= "number" then return tostring(value) .. type(value) end
  if value ~= value then return "nan" end
  return value == 0 and "0" or ("%.17g"):format(value)
end

---Places (from 1) of the rows of each group, in order of first appearance.
function M.places(fields, keys)
  local lists, groups, found = {}, {}, {}
  for i, key in ipairs(keys) do
    for _, field in ipairs(fields) do
      if field[1] == key then lists[i] = field[3] end
    end
  end
  local n = fields[1].n or fields[1][3].n or #fields[1][3]
  for row = 1, n do
    local parts = {}
    for i, list in ipairs(lists) do
      local value = type(list) == "function" and list(row) or list[row]
      parts[i] = same(value == nil and null or value)
    end
    local id = table.concat(parts, "\1")
    if not found[id] then
      found[id] = {}
      groups[#groups + 1] = found[id]
    end
    table.insert(found[id], row)
  end
  if #keys == 0 and #groups == 0 then groups[1] = {} end
  return groups
end

local function before(a, b) -- the one order
  if type(a) == "boolean" then return not a and b end
  if type(a) == "number" then
    if a ~= a then return false end
    if b ~= b then return true end
    if a == 0 and b == 0 then return 1 / a < 1 / b end
  end
  return a < b
end

local function quantile(list, q)
  table.sort(list, before)
  local at = q * (#list - 1)
  local low, high = list[math.floor(at) + 1], list[math.floor(at) + 2]
  if at == math.floor(at) or low == high then return low end
  return low + (at - math.floor(at)) * (high - low)
end

local of = {}
function of.count(list) return #list end
function of.count_null(list, all) return #all - #list end
function of.sum(list, _, kind)
  local total = kind:match "^f" and 0 or 0LL
  for _, value in ipairs(list) do total = total + value end
  return total
end
function of.mean(list)
  local total = 0
  for _, value in ipairs(list) do total = total + tonumber(value) end
  return #list > 0 and total / #list or null
end
function of.min(list)
  local best = null
  for _, value in ipairs(list) do if best == null or before(value, best) then best = value end end
  return best
end
function of.max(list)
  local best = null
  for _, value in ipairs(list) do if best == null or before(best, value) then best = value end end
  return best
end
function of.var(list)
  local mean, total = of.mean(list), 0
  for _, value in ipairs(list) do total = total + (value - mean) ^ 2 end
  return #list > 1 and total / (#list - 1) or null
end
function of.std(list)
  local variance = of.var(list)
  return variance == null and null or math.sqrt(variance)
end
function of.first(_, all) return all[1] == nil and null or all[1] end
function of.last(_, all) return all[#all] == nil and null or all[#all] end
function of.median(list) return #list > 0 and quantile(list, 0.5) or null end
function of.quantile(list) return #list > 0 and quantile(list, M.q) or null end
function of.n_unique(list)
  local found, n = {}, 0
  for _, value in ipairs(list) do
    if not found[same(value)] then found[same(value)], n = true, n + 1 end
  end
  return n
end
function of.any(list)
  for _, value in ipairs(list) do if value then return true end end
  return false
end
function of.all(list)
  for _, value in ipairs(list) do if not value then return false end end
  return true
end

local function single(list, i) return type(list) == "function" and list(i) or list[i] end

---Lists of text by name, as columns.text shows them; sums of floats are of values that add exactly.
function M.expect(fields, keys, aggregates)
  local by_name, lists = {}, {}
  for _, field in ipairs(fields) do by_name[field[1]] = field end
  local places = M.places(fields, keys)
  local function show(name, kind, values)
    values.n = #places
    lists[name] = columns.text(columns.column(kind, values, true))
  end
  for _, key in ipairs(keys) do
    local values = {}
    for g, rows in ipairs(places) do values[g] = single(by_name[key][3], rows[1]) end
    show(key, by_name[key][2], values)
  end
  for i, text in ipairs(aggregates) do
    local name, argument = parse(text)
    local field, values = by_name[argument], {}
    for g, rows in ipairs(places) do
      local present, all = {}, {}
      for _, row in ipairs(rows) do
        local value = field and single(field[3], row)
        if not field then value = true end
        if value == nil then value = null end
        all[#all + 1] = value
        if value ~= null then present[#present + 1] = value end
      end
      values[g] = of[name](present, all, field and field[2] or "")
    end
    show("o" .. i, type_of(name, field and field[2] or "i64"), values)
  end
  return lists
end

return M
