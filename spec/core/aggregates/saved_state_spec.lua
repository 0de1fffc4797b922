-- Saved states: combined, they give what all rows give, for every aggregate and type; other bytes are refused.
local ffi = require "ffi"
local columns = require "columns"
local groups = require "groups"
local C = require("moonmill.base.ffi").C
local null = columns.null

local KINDS = { unpack(groups.kinds) }
KINDS[#KINDS + 1] = "timestamp(ms, Europe/Paris)"
KINDS[#KINDS + 1] = "null"

local names = {}
for op = 0, C.MM_AGG_COUNT_OF - 1 do names[#names + 1] = ffi.string(C.mm_aggregate_name(op)) end

local function takes(name, kind)
  return kind == "null" and not name:find "^a" -- the core takes a column in which all is null
    or C.mm_aggregate_type(C.mm_aggregate_find(name), columns.type(kind), ffi.new "mm_type[1]")
end

local function result(source, stage, options)
  local found, err = columns.result(source, { stage }, options)
  return found or error(ffi.string(err.message))
end

-- The rows of several tables as one table.
local function joined(tables)
  local all = tables[1]
  for i = 2, #tables do
    for b = 0, tonumber(tables[i].count) - 1 do
      local batch = ffi.new "mm_batch"
      assert(C.mm_batch_copy(batch, tables[i].batches[b], nil) >= 0)
      assert(C.mm_table_append(all, batch, nil) >= 0)
    end
  end
  return all
end

local function slices(fields, ends)
  local parts, from = {}, 1
  for i, to in ipairs(ends) do
    local part = {}
    for c, field in ipairs(fields) do
      local list = { n = to - from + 1 }
      for row = from, to do list[row - from + 1] = field[3][row] end
      part[c] = { field[1], field[2], list, true, n = list.n }
    end
    parts[i], from = part, to + 1
  end
  return parts
end

local function calls(kind, of, options)
  local list = {}
  for _, name in ipairs(names) do
    if takes(name, kind) then
      local call = { ("%s(%s)"):format(name, of and "o" .. #list + 1 or "x") }
      for key, value in pairs(options) do call[key] = value end
      list[#list + 1] = call
    end
  end
  return list
end

-- States of some parts, joined and loaded, against one run over all rows; `twice`: saved again on the way.
local function check(fields, ends, keys, options)
  local kind, tables = fields[2][2], {}
  for i, part in ipairs(slices(fields, ends)) do
    local source = columns.table(part, 64)
    tables[i] = result(source, groups.stage(source, keys, calls(kind, false, { saves = true })), options)
  end
  local states = joined(tables)
  if options and options.twice then
    states = result(states, groups.stage(states, keys, calls(kind, true, { loads = kind, saves = true })), options)
  end
  local merged = groups.stage(states, keys, calls(kind, true, { loads = kind }))
  local actual = columns.lists(result(states, merged, options), columns.text)
  local source = columns.table(fields, 64)
  local all = calls(kind, false, {})
  local expected = columns.lists(result(source, groups.stage(source, keys, all)), columns.text)
  for i, call in ipairs(all) do
    for g, value in ipairs(expected["o" .. i]) do
      local got = actual["o" .. i][g]
      local a, b = tonumber(value), tonumber(got)
      local near = call[1]:find "^[mvs]" and a and b and math.abs(a - b) <= 1e-12 * math.max(math.abs(a), math.abs(b))
      if value ~= got and not near then
        error(("%s of %s, group %d: %s of states, %s of all rows (seed %d)"):format(call[1], kind, g, got, value,
          groups.seed), 2)
      end
    end
    assert.equal(#expected["o" .. i], #actual["o" .. i])
  end
  assert.same(expected.k, actual.k)
end

local function fields_of(kind, n, distinct)
  local x = kind == "null" and { n = n } or groups.values(kind, n, 40)
  return { { "k", "i32", groups.values("i32", n, distinct), true, n = n }, { "x", kind, x, true, n = n } }
end

describe("saved states", function()
  for _, kind in ipairs(KINDS) do
    it("of every aggregate of " .. kind .. " combine to what all rows give", function()
      for _, keys in ipairs { { "k" }, {} } do
        check(fields_of(kind, 2000, 30), { 700, 700, 701, 2000 }, keys)
        check(fields_of(kind, 300, 5), { 100, 300 }, keys, { twice = true })
        check(fields_of(kind, 0, 5), { 0, 0 }, keys)
        check(fields_of(kind, 70, 3), { 0, 70 }, keys)
      end
    end)
  end

  it("of many groups, cut into partitions, combine too", function()
    for _, kind in ipairs { "i64", "utf8", "f64" } do
      check(fields_of(kind, 60000, 40000), { 30000, 60000 }, { "k" }, { threads = 2 })
    end
  end)

  it("of sums carry more than 64 bits", function()
    local most = 0x7fffffffffffffffLL
    local source = columns.table { { "x", "i64", { most, most, most, -most, -most } } }
    local function saved() return result(source, groups.stage(source, {}, { { "sum(x)", saves = true } })) end
    local load = { { "sum(o1)", loads = "i64" } }
    local once = saved()
    assert.same({ "9223372036854775807" }, columns.lists(result(once, groups.stage(once, {}, load)), columns.text).o1)
    local twice = joined { once, saved() }
    local out, err = columns.run(twice, { groups.stage(twice, {}, load) })
    assert.equal("overflow", not out and ffi.string(err.id))
  end)

  it("have the same bits at any threads and batch size, saved and loaded", function()
    local fields = fields_of("f64", 70000, 200)
    local source = columns.table(fields, 65536)
    local save, load = calls("f64", false, { saves = true }), calls("f64", true, { loads = "f64" })
    local states, bits = result(source, groups.stage(source, { "k" }, save)), {}
    for _, way in ipairs(groups.ways()) do
      local found = {
        groups.bits(source, groups.stage(source, { "k" }, save), way[1], way[2]),
        groups.bits(states, groups.stage(states, { "k" }, load), way[1], way[2]),
      }
      assert.is_true((bits[1] or found[1]) == found[1] and (bits[2] or found[2]) == found[2])
      bits = found
    end
  end)

  it("are read from slices, and a null is none", function()
    local source = columns.table { { "x", "utf8", { "a", "bb", "bb", null }, true } }
    local list = calls("utf8", false, { saves = true })
    local state = columns.lists(result(source, groups.stage(source, {}, list)))
    local fields = {}
    for i = 1, #list do fields[i] = { "o" .. i, "binary", { "?", null, state["o" .. i][1], null }, true } end
    local whole = columns.table(fields)
    local part, batch = ffi.gc(ffi.new "mm_table", C.mm_table_free), ffi.new "mm_batch"
    assert(C.mm_schema_copy(part.schema, whole.schema, nil) >= 0)
    assert(C.mm_batch_slice(batch, whole.batches[0], 1, 3, nil) >= 0)
    assert(C.mm_table_append(part, batch, nil) >= 0)
    local out = columns.lists(result(part, groups.stage(part, {}, calls("utf8", true, { loads = "utf8" }))))
    local expected = columns.lists(result(source, groups.stage(source, {}, calls("utf8", false, {}))))
    assert.same(expected, out)
  end)

  it("have a form that does not change", function()
    local function hex(kind, list, call)
      local source = columns.table { { "x", kind, list, true } }
      local out = columns.lists(result(source, groups.stage(source, {}, { { call, saves = true } })))
      return (out.o1[1]:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
    end
    assert.equal("01736c00" .. "06000000000000000000000000000000", hex("i16", { 1, 2, 3 }, "sum(x)"))
    assert.equal("01736400" .. "ffffffffffffffffffffffffffffffff", hex("duration(s)", { -1 }, "sum(x)"))
    assert.equal("016d6700" .. "0200000000000000" .. "0000000000000840", hex("f32", { 1, 2, null }, "mean(x)"))
    assert.equal("01757500" .. "0200000000000000" .. "0100000002000000" .. "616262", hex("utf8", { "a", "bb", "a" },
      "n_unique(x)"))
    assert.equal("013c4c00" .. "", hex("u64", { null }, "min(x)"))
  end)
end)

describe("bytes that are no saved state", function()
  local function problem(call, kind, bytes)
    local source = columns.table { { "o1", "binary", { bytes } } }
    local out, err = columns.run(source, { groups.stage(source, {}, { { call, loads = kind } }) })
    if not out then return ffi.string(err.id), err.place end
  end

  it("are refused, at the place of the aggregate", function()
    local function head(letter, of) return "\1" .. letter .. of .. "\0" end
    for i, case in ipairs {
      { "sum(o1)", "i64", "" }, { "sum(o1)", "i64", "\1sl" }, { "sum(o1)", "i64", head("s", "l") .. ("\0"):rep(15) },
      { "sum(o1)", "i64", head("s", "l") .. ("\0"):rep(17) }, { "sum(o1)", "i64", "\2sl\0" .. ("\0"):rep(16) },
      { "sum(o1)", "i64", head("s", "g") .. ("\0"):rep(8) }, { "sum(o1)", "i64", head("m", "l") .. ("\0"):rep(24) },
      { "sum(o1)", "i64", head("s", "l") .. ("\0"):rep(15) .. "\127" }, -- more than 2^48 values can be
      { "mean(o1)", "i64", head("m", "l") .. ("\255"):rep(24) },
      { "count(o1)", "i64", head("c", "l") .. ("\255"):rep(8) },
      { "var(o1)", "f64", head("v", "g") .. ("\255"):rep(32) },
      { "min(o1)", "i8", head("<", "c") .. "\128" .. ("\0"):rep(7) },
      { "max(o1)", "u8", head(">", "C") .. ("\255"):rep(8) }, { "first(o1)", "i8", head("f", "c") .. "12" },
      { "first(o1)", "utf8", head("f", "u") .. "\2" }, { "min(o1)", "utf8", head("<", "u") .. "\0" },
      { "min(o1)", "utf8", head("<", "u") .. "\1\255" }, { "median(o1)", "f64", head("q", "g") .. "1234567" },
      { "n_unique(o1)", "i32", head("u", "i") .. "123" }, { "n_unique(o1)", "utf8", head("u", "u") .. "\1" },
      { "n_unique(o1)", "utf8", head("u", "u") .. ("\255"):rep(8) },
      { "n_unique(o1)", "utf8", head("u", "u") .. "\255\255\255\255\255\255\255\127" },
      { "n_unique(o1)", "utf8", head("u", "u") .. "\1\0\0\0\0\0\0\0" .. "\2\0\0\0" .. "a" },
      { "n_unique(o1)", "utf8", head("u", "u") .. "\1\0\0\0\0\0\0\0" .. "\1\0\0\0" .. "ab" },
      { "n_unique(o1)", "utf8", head("u", "u") .. "\1\0\0\0\0\0\0\0" .. "\255\255\255\255" .. "a" },
    } do
      local id, place = problem(unpack(case))
      assert.same({ "bad-state", 1 }, { id, place }, "case " .. i)
    end
  end)

  it("never do harm, cut short or changed anywhere", function()
    for _, kind in ipairs { "i64", "u8", "f64", "bool", "utf8", "binary", "duration" } do
      local source = columns.table { fields_of(kind, 40, 3)[2] }
      local list = calls(kind, false, { saves = true })
      local states = columns.lists(result(source, groups.stage(source, {}, list)))
      for i, call in ipairs(list) do
        local bytes, name = states["o" .. i][1], call[1]:match "^[%w_]+"
        for _ = 1, 40 do
          local at = math.random(#bytes)
          local changed = bytes:sub(1, at - 1) .. string.char(math.random(0, 255)) .. bytes:sub(at + 1)
          problem(name .. "(o1)", kind, math.random() < 0.3 and bytes:sub(1, at) or changed)
        end
      end
    end
  end)

  it("are not even looked for in a column of another type", function()
    local source = columns.table { { "n", "i64", { 1 } } }
    local out, err = columns.run(source, { groups.stage(source, {}, { { "sum(n)", loads = "i64" } }) })
    assert.equal("aggregate-type", not out and ffi.string(err.id))
  end)
end)
