-- Columns of other producers, whose memory may end with the last value: nothing reads beyond, whatever the length.
local ffi = require "ffi"
local arrow = require "arrow"
local pipelines = require "pipelines"
local columns = require "columns"
local fence = require "fence"
local files = require "files"
local groups = require "groups"

local FORMATS = {
  bool = "b", i8 = "c", i16 = "s", i32 = "i", i64 = "l", u8 = "C", u16 = "S", u32 = "I", u64 = "L", f32 = "f",
  f64 = "g", utf8 = "u", binary = "z", date = "tdD", timestamp = "tsu:", duration = "tDu",
}

-- Columns of every type, with nulls and without.
local function fields_of(n)
  local fields = {}
  for _, kind in ipairs(groups.kinds) do
    fields[#fields + 1] = { kind, kind, groups.values(kind, n, 20), true }
  end
  local row = {}
  for i = 1, n do row[i] = i end
  fields[#fields + 1] = { "row", "i64", row }
  fields[#fields + 1] = { "code", "utf8", function(i) return ("%02d"):format(i % 7) end, false, n = n }
  return fields
end

-- The table again, over memory that ends with each buffer.
local function fenced(t)
  local imported, batch, n = {}, t.batches[0], tonumber(t.rows)
  for i = 0, t.schema.count - 1 do
    local column, field = batch.columns[i], t.schema.fields[i]
    local kind = columns.type_name(field.type):match "^%w+"
    local bytes = math.ceil(n / 8)
    local buffers = { column.valid ~= nil and fence.copy(column.valid, bytes) or false }
    if column.offsets ~= nil then
      buffers[2] = fence.copy(column.offsets, (n + 1) * 4)
      buffers[3] = fence.copy(column.data, column.offsets[n])
    else
      buffers[2] = fence.copy(column.data, kind == "bool" and bytes or n * ffi.sizeof(columns.ctype(kind)))
    end
    local schema = arrow.schema(FORMATS[kind], { name = ffi.string(field.name), flags = field.nullable and 2 or 0 })
    imported[#imported + 1] = { schema, (arrow.array(n, buffers)) }
  end
  return assert(arrow.import(imported))
end

local CHAINS = {
  derive = [[:derive { "a = i64 // 3 + row", "b = f64 * 2", "c = utf8 .. code", "d = u8 + i8", "e = not bool",
    "f = len(utf8)", "g = coalesce(f32, 1)", "h = year(date) + month(timestamp)", "i = try.i64(utf8)",
    "j = try.f64(utf8)", "k = upper(utf8)", "l = is_in(u16, {1, 2})", "m = contains(utf8, '1')", "n = i16 < i32",
    "o = utf8 < code", "p = trim(utf8)", "q = try.date(utf8)", "r = utf8(f64)" }]],
  filter = ':where "row % 3 ~= 0 and (coalesce(bool, true) or i32 == null)"',
  ["filter of few"] = ':where "row % 29 == 1"',
  ["filter, then derive"] =
    ':where "row % 5 < 2" :derive { "x = i32 + 1", "y = lower(utf8)", "z = row > 3 or coalesce(bool, false)" }',
  sort = ':sort { "utf8", "-f64", "u8", "bool", "-date", "binary", "row" }',
  distinct = ':distinct { "code", "bool" }',
  limit = ':limit(7, { order = { "-timestamp", "row" } })',
}
for _, kind in ipairs(groups.kinds) do
  CHAINS["group by " .. kind] = (':group("%s", { "n = count()", "lo = min(row)", "hi = max(utf8)", "f = first(f32)" })')
    :format(kind)
  CHAINS["aggregates of " .. kind] = (':group("code", { "n = count(%s)", "lo = min(%s)", "hi = max(%s)", ' ..
    '"last = last(%s)", "u = n_unique(%s)" })'):gsub("%%s", kind)
end

describe("foreign memory is read to its end and not further", function()
  after_each(fence.free)

  for _, n in ipairs { 1, 63, 64, 65, 1000 } do
    it(("by chains over %d rows of every type"):format(n), function()
      local own = columns.table(fields_of(n))
      local foreign = fenced(own)
      for name, chain in pairs(CHAINS) do
        local options = { as = columns.text, threads = 1 }
        local expected = assert(pipelines.over(chain, own, options))
        local got = assert(pipelines.over(chain, foreign, options))
        assert.same(expected, got, ("%s (seed %d)"):format(name, groups.seed))
      end
    end)

    it(("by the CSV sink over %d rows of every type"):format(n), function()
      local own = columns.table(fields_of(n))
      assert.equal(assert(files.save { table = own }), assert(files.save { table = fenced(own) }))
    end)
  end
end)

describe("text of other producers", function()
  local function import(format, rows, valid)
    local offsets, text = { 0 }, table.concat(rows)
    for i, row in ipairs(rows) do offsets[i + 1] = offsets[i] + #row end
    local ctype = format == "U" and "int64_t" or "int32_t"
    local buffers = { valid and arrow.bits(valid) or false, arrow.array_of(ctype, offsets),
      ffi.new("char[?]", #text + 1, text) }
    return arrow.import { { arrow.schema(format, { name = "city" }), (arrow.array(#rows, buffers)) } }
  end

  it("is refused where it is not UTF-8, with the column's name and the row", function()
    for _, format in ipairs { "u", "U" } do
      for _, rows in ipairs { { "a", "\255" }, { "ok", "b\195", "\164c" }, { ("x"):rep(100), "\237\160\128", "y" } } do
        local result, err = import(format, rows)
        assert.is_nil(result)
        assert.same({ -1, "bad-utf8", "city" }, { err.code, ffi.string(err.id), ffi.string(err.field) })
        assert.matches("row 2 ", ffi.string(err.message))
      end
    end
  end)

  it("may hold anything where it is null, and is not looked at when it is binary", function()
    local result = assert(import("u", { "ä", "\255\254", "ö" }, { 1, 0, 1 }))
    assert.same({ x = nil, city = { "ä", columns.null, "ö" } }, columns.lists(result))
    assert(import("z", { "a", "\255" }))
  end)
end)
