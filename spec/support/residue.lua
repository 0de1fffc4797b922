-- residue - prints a digest of every buffer that pipelines hand out, to the last byte: also what stands in slots that
-- are null, and behind the last bit. Run as a script by the spec that fills memory with one byte and another (MM_FILL):
-- where the digests differ, memory that was never written has left. luajit spec/support/residue.lua [SEED]
package.path = "./spec/support/?.lua;./lua/?.lua;" .. package.path
local ffi = require "ffi"
local bit = require "bit"
local moonmill = require "moonmill.base.ffi"
local columns = require "columns"
local catalogue = require "moonmill.functions.catalogue"
local pipelines = require "pipelines"
local random = require "expr.random"
local C, null = moonmill.C, columns.null

local ROWS, EXPRESSIONS = 9001, 250

-- ---- Digests ----

local function digest(sum, data, bytes)
  local from = ffi.cast("const uint8_t *", data)
  for i = 0, bytes - 1 do sum = bit.bxor(bit.rol(sum, 9), from[i]) * 0x9e3779b97f4a7c15ULL end
  return sum
end

local function bits_bytes(n) return math.ceil(n / 8) end

local function column_digest(sum, c)
  local n = tonumber(c.length)
  if c.valid ~= nil then sum = digest(sum, c.valid, bits_bytes(n)) end
  if c.offsets ~= nil then
    sum = digest(sum, c.offsets, (n + 1) * 4)
    return digest(sum, ffi.cast("const uint8_t *", c.data) + c.offsets[0], c.offsets[n] - c.offsets[0])
  end
  if c.type.id == C.MM_BOOL then return digest(sum, c.data, bits_bytes(n)) end
  if c.data ~= nil and n > 0 then return digest(sum, c.data, n * tonumber(C.mm_type_width(c.type))) end
  return sum
end

local function table_digest(result)
  local sum = 0x2545f4914f6cdd1dULL
  for b = 0, tonumber(result.count) - 1 do
    local batch = result.batches[b]
    sum = bit.bxor(sum, ffi.cast("uint64_t", batch.length)) * 3ULL
    for c = 0, batch.count - 1 do sum = column_digest(sum, batch.columns[c]) end
  end
  return bit.tohex(sum, 16)
end

-- ---- Input: each type with nulls and without ----

math.randomseed(tonumber(arg[1] or 1))
local fields, names = {}, {}
for _, kind in ipairs(random.types) do
  for _, nullable in ipairs { false, true } do
    local list = {}
    for i = 1, 499 do list[i] = nullable and math.random(4) == 1 and null or random.value(kind) end
    local name = (nullable and "n" or "") .. kind
    names[#names + 1] = name
    fields[#fields + 1] = { name, kind, function(i) return list[i * 7 % 499 + 1] end, nullable, n = ROWS }
  end
end
fields[#fields + 1] = { "k", "i32", function(i) return i * i % 97 end, false, n = ROWS }
fields[#fields + 1] = { "rare", "f64", function(i) return i % 31 == 0 and i or null end, true, n = ROWS }
fields[#fields + 1] = { "ts", "timestamp(us)", function(i) return i % 3 == 0 and null or i * 1e9 end, true, n = ROWS }
fields[#fields + 1] = { "none", "i64", function() return null end, true, n = ROWS }
local source = columns.table(fields, 4096)

local failed, done = 0, 0
local function try(chain)
  for _, threads in ipairs { 1, 2 } do
    local ok, result = pcall(pipelines.result, chain, source, { threads = threads })
    if ok and result then done = done + 1 else failed = failed + 1 end
    print(threads, chain, ok and result and table_digest(result) or "failed")
  end
  collectgarbage "step"
end
local function quoted(text) return ("%q"):format(text) end

-- ---- Pipelines ----

local STAGES = {
  ":derive %s", ":where 'k < 50' :derive %s", ":where 'k < 3' :derive %s", ":derive %s :sort { 'x', '-k' }",
  ":derive %s :drop_null 'x'", ":derive %s :limit(700)", ":derive %s :distinct 'x'", ":derive %s :select { 'x' }",
  ":derive %s :group('k', { 'a = first(x)', 'b = last(x)', 'n = count(x)' })",
  ":derive %s :where 'bool' :select { 'x', 'k' } :sort 'k' :limit(501)",
}
for i = 1, EXPRESSIONS do
  local e = random.expression(random.types[i % #random.types + 1], 3)
  try(STAGES[i % #STAGES + 1]:format(quoted("x = " .. e.text)))
end

-- What is null because it failed, and what has rules of its own.
for _, text in ipairs { "try.i64(nutf8)", "try.f64(utf8)", "try.u64(utf8)", "try.i8(i64)", "try.date(utf8)",
  "try.bool(utf8)", "try.timestamp(utf8)", "try.duration(utf8)", "try.f32(utf8)", "find(utf8, 'a')",
  "find(nutf8, 'oo')",
  "if(nbool, null, ni64 + 0.5)", "if(bool, null, 1)", "if(bool, null, utf8)", "if(bool, null, bool)",
  "coalesce(ni8, nu16)",
  "nf64 % nf32", "nf64 ^ 2", "sqrt(nf64)", "exp(nf64)", "nbool and bool", "not nbool", "hash(nutf8)", "year(ts)",
  "date(ts)", "ts + minutes(ni8)", "nutf8 .. utf8", "upper(nutf8)", "sub(nutf8, 1, ni8)", "replace(nutf8, 'a', nutf8)",
  "rare * 2", "none * 2", "none", "is_in(none, 1)", "round(rare, 1)", "utf8(nf64)", "utf8(rare)", "binary(nutf8)" } do
  for _, stage in ipairs(STAGES) do try(stage:format(quoted("x = " .. text))) end
end

for _, entry in ipairs(catalogue.list) do
  local name, made = entry.group == "aggregate" and entry.name, {}
  for _, column in ipairs(name and names or {}) do
    local call = name == "quantile" and "quantile(%s, 0.3)" or name .. "(%s)"
    local ok = pcall(pipelines.plan, (":group('k', %s)"):format(quoted("x = " .. call:format(column))),
      { fields[1], { column, column:gsub("^n", ""), {}, true }, { "k", "i32", {} } })
    if ok then made[#made + 1] = ("%s%d = %s"):format("a", #made, call:format(column)) end
  end
  assert(#made > 0 or not name, entry.usage)
  for _, text in ipairs(made) do
    for _, keys in ipairs { "{}", "'k'" } do
      try((":group(%s, %s)"):format(keys, quoted(text)))
      try((":where 'none == 1' :group(%s, %s)"):format(keys, quoted(text)))
      try((":where 'k == 11' :group(%s, %s)"):format(keys, quoted(text)))
    end
  end
end

for _, column in ipairs(names) do
  for _, chain in ipairs { ":sort '%s'", ":sort '-%s'", ":distinct '%s'", ":limit(3, { by = '%s' })",
    ":limit(300, { order = '-%s' })", ":where 'k < 9' :sort '%s'", ":drop_null '%s'", ":select { '%s' } :limit(1000)",
    ":where 'bool' :select { '%s', 'ni8', 'nbool', 'nutf8' }" } do
    try(chain:format(column))
  end
end
try ":fill_null { 'ni8 = 1', 'rare = 0', \"nutf8 = 'x'\" }"
try ":cast { 'rare: f32', 'nutf8: binary', 'ni8: utf8' }"
try(":map('x: f64?, t: utf8?, b: bool?, i: i8?', function(r) if r.k > 40 then return nil, nil, nil, nil end "
  .. "return r.rare, r.nutf8, r.nbool, r.ni8 end)")
print(("%d results, %d failures"):format(done, failed))
