local ffi = require "ffi"
local arrow = require "arrow"
local columns = require "columns"
local C, null = arrow.C, columns.null

local function named(name, format, options)
  options = options or {}
  options.name = name
  return arrow.schema(format, options)
end

---Import one column and give its values.
local function import(format, length, buffers, options)
  local result, err, id = arrow.import({ { named("x", format, options and options.schema),
    (arrow.array(length, buffers, options)) } },
    options and options.root)
  if not result then return nil, ffi.string(err.id), ffi.string(err.message), err, id end
  return columns.lists(result).x, columns.schema(result.schema)[1][2], result, err
end

local function export(t, index)
  local err = ffi.new "mm_error"
  local schema, array = ffi.new "struct ArrowSchema[1]", ffi.new "struct ArrowArray[1]"
  assert(C.mm_arrow_export_schema(t.schema, schema, err) >= 0, ffi.string(err.message))
  assert(C.mm_arrow_export_batch(t.schema, t.batches[index or 0], array, err) >= 0, ffi.string(err.message))
  return schema, array
end

---Import what was exported (the array is emptied), release the schema.
local function import_back(schema, array)
  local err = ffi.new "mm_error"
  local result, batch = ffi.gc(ffi.new "mm_table", C.mm_table_free), ffi.new "mm_batch"
  assert(C.mm_arrow_import_schema(schema, result.schema, err) >= 0, ffi.string(err.message))
  assert(C.mm_arrow_import_batch(schema, array, batch, err) >= 0, ffi.string(err.message))
  C.mm_table_append(result, batch, err)
  schema[0].release(schema)
  return result
end

local all = {
  { "n", "null", { null, null, null } }, { "b", "bool", { true, null, false } }, { "i8", "i8", { -128, null, 127 } },
  { "i16", "i16", { -32768, 0, 32767 } }, { "i32", "i32", { -2147483648, null, 2147483647 } },
  { "i64", "i64", { -9223372036854775807LL - 1, null, 9223372036854775807LL } }, { "u8", "u8", { 0, null, 255 } },
  { "u16", "u16", { 0, 1, 65535 } }, { "u32", "u32", { 0, null, 4294967295 } },
    { "u64", "u64", { 0, 1, 18446744073709551615ULL } },
  { "f32", "f32", { -0.5, null, 1 / 0 } }, { "f64", "f64", { 0 / 0, null, -1 / 0 } },
    { "s", "utf8", { "", null, "añb" } },
  { "z", "binary", { "\0\255", "", "x" } }, { "d", "date", { -1, null, 20000 } },
    { "t", "timestamp(ms)", { -1, 0, 1 } },
  { "tz", "timestamp(ns, Europe/Paris)", { 1, null, 2 } }, { "tu", "timestamp(us, UTC)", { 1, 2, 3 } },
  { "dur", "duration(s)", { 1, null, -3 } }, { "dn", "duration(ns)", { 1, 2, 3 } },
}

describe("Arrow export and import", function()
  it("bring back every type with its nulls", function()
    local t = columns.table(all)
    local back = import_back(export(t))
    assert.same(columns.lists(t, columns.text), columns.lists(back, columns.text))
    local want = columns.schema(t.schema)
    want[1][3] = true -- a column of nulls is nullable outside
    assert.same(want, columns.schema(back.schema))
  end)

  for _, n in ipairs { 0, 1, 63, 64, 65, 1023, 1024, 1025, 65536 } do
    it(("bring back %d rows"):format(n), function()
      local function every(k, f) return function(i) return i % k == 0 and null or f(i) end end
      local fields = {
        { "a", "i64", every(3, function(i) return i end), true, n = n },
        { "b", "bool", every(5, function(i) return i % 2 == 0 end), true, n = n },
        { "c", "utf8", every(7, function(i) return ("x"):rep(i % 11) end), true, n = n },
      }
      local t = columns.table(fields)
      if n == 0 then
        C.mm_table_free(t)
        t = columns.table { { "a", "i64", {} }, { "b", "bool", {} }, { "c", "utf8", {} } }
        local batch, err = ffi.new "mm_batch", ffi.new "mm_error"
        C.mm_batch_resize(batch, 3, err)
        for i, kind in ipairs { "i64", "bool", "utf8" } do C.mm_column_make(batch.columns + i - 1,
          columns.type(kind), 0, 0, false, err) end
        C.mm_table_append(t, batch, err)
      end
      assert.same(columns.lists(t), columns.lists(import_back(export(t))))
    end)
  end

  it("share memory in both directions, but for the offsets of text, which are copied on the way in", function()
    local t = columns.table { { "a", "f64", { 1, 2, 3 } }, { "s", "utf8", { "x", "y", "z" } } }
    local back = import_back(export(t))
    assert.equal(t.batches[0].columns[0].data, back.batches[0].columns[0].data)
    assert.equal(t.batches[0].columns[1].data, back.batches[0].columns[1].data)
    assert.not_equal(t.batches[0].columns[1].offsets, back.batches[0].columns[1].offsets)
  end)

  it("keep the memory alive when the exporter is gone, and give it back in the end", function()
    collectgarbage()
    local before = columns.memory_used()
    local t = columns.table { { "a", "i64", { 1, null, 3 } }, { "s", "utf8", { "x", "y", "z" } } }
    local schema, array = export(t)
    C.mm_table_free(t)
    local back = import_back(schema, array)
    assert.same({ a = { 1, null, 3 }, s = { "x", "y", "z" } }, columns.lists(back))
    C.mm_table_free(back)
    assert.equal(before, columns.memory_used())
  end)

  it("let a consumer move a child away before it releases the parent", function()
    collectgarbage()
    local before = columns.memory_used()
    local schema, array = export(columns.table { { "a", "i64", { 7 } }, { "b", "i64", { 8 } } })
    local moved, moved_schema = ffi.new "struct ArrowArray[1]", ffi.new "struct ArrowSchema[1]"
    ffi.copy(moved, array[0].children[1], ffi.sizeof "struct ArrowArray")
    array[0].children[1].release = nil
    ffi.copy(moved_schema, schema[0].children[1], ffi.sizeof "struct ArrowSchema")
    schema[0].children[1].release = nil
    array[0].release(array)
    schema[0].release(schema)
    collectgarbage()
    assert.equal(8, tonumber(ffi.cast("int64_t *", moved[0].buffers[1])[0]))
    assert.equal("b", ffi.string(moved_schema[0].name))
    moved[0].release(moved)
    moved_schema[0].release(moved_schema)
    assert.equal(before, columns.memory_used())
  end)

  it("export slices from any row", function()
    local t = columns.table({ { "a", "i64", function(i) return i end, n = 200 },
      { "b", "bool", function(i) return i % 3 == 0 end, n = 200 },
      { "s", "utf8", function(i) return i % 5 == 0 and null or tostring(i) end, n = 200 } })
    local err = ffi.new "mm_error"
    for _, start in ipairs { 1, 7, 8, 63, 64, 65, 128 } do
      local part = ffi.new "mm_table"
      C.mm_schema_copy(part.schema, t.schema, err)
      local batch = ffi.new "mm_batch"
      assert(C.mm_batch_slice(batch, t.batches[0], start, 70, err) >= 0)
      C.mm_table_append(part, batch, err)
      local want = columns.lists(part)
      assert.equal(start + 1, want.a[1])
      assert.equal((start + 70) % 3 == 0, want.b[70])
      assert.same(want, columns.lists(import_back(export(part))))
      C.mm_table_free(part)
    end
  end)
end)

describe("Arrow import", function()
  it("takes slices with an offset, of the root and of the column", function()
    local numbers = arrow.array_of("int32_t", { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 })
    local valid = arrow.bits { 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0 }
    assert.same({ 3, null, 5 }, (import("i", 3, { valid, numbers }, { offset = 3 })))
    assert.same({ 6, null, 8, 9, 10, null },
      (import("i", 9, { valid, numbers }, { offset = 3, root = { offset = 3, length = 6 } })))
  end)

  it("reads bits at any offset and no byte beyond the last one", function()
    local seed = os.time()
    math.randomseed(seed)
    for _ = 1, 100 do
      local n, offset = math.random(0, 200), math.random(0, 70)
      local want = {}
      for i = 1, n do want[i] = math.random() < 0.5 end
      local got = import("b", n, { false, arrow.bits(want, offset) }, { offset = offset })
      assert.same(want, got, "seed " .. seed)
    end
  end)

  it("takes large text, text views and binary", function()
    local text = ffi.new("char[6]", "abcdef")
    local large = arrow.array_of("int64_t", { 1, 2, 2, 5 })
    assert.same({ "b", "", "cde" }, (import("U", 3, { false, large, text })))
    local got, kind = import("Z", 2, { false, large, text }, { offset = 1 })
    assert.same({ "", "cde" }, got)
    assert.equal("binary", kind)
    local views = ffi.new "int32_t[12]"
    local bytes = ffi.cast("char *", views)
    views[0] = 3
    ffi.copy(bytes + 4, "one", 3)
    views[4], views[6], views[7] = 13, 0, 2
    views[8] = 99 -- null: not looked at
    local long = ffi.new("char[20]", "__thirteen byte____")
    assert.same({ "one", "thirteen byte", null },
      (import("vu", 3, { arrow.bits { 1, 1, 0 }, views, long, arrow.array_of("int64_t", { 19 }) })))
  end)

  it("decodes dictionaries of every index type", function()
    local words = ffi.new("char[7]", "redblue")
    for format, ctype in pairs { c = "int8_t", C = "uint8_t", s = "int16_t", S = "uint16_t", i = "int32_t",
      I = "uint32_t", l = "int64_t", L = "uint64_t" } do
      local dictionary = arrow.array(3, { arrow.bits { 1, 1, 0 }, arrow.array_of("int32_t", { 0, 3, 7, 7 }), words })
      local got, kind = import(format, 5, { arrow.bits { 1, 1, 0, 1, 1 }, arrow.array_of(ctype, { 1, 0, 100, 1, 2 }) },
        { dictionary = dictionary, schema = { dictionary = arrow.schema "u" } })
      assert.same({ "blue", "red", null, "blue", null }, got)
      assert.equal("utf8", kind)
    end
  end)

  it("turns dates of milliseconds into dates, and refuses parts of days", function()
    local got, kind = import("tdm", 2, { false, arrow.array_of("int64_t", { -86400000, 172800000 }) })
    assert.same({ -1, 2 }, got)
    assert.equal("date", kind)
    local _, id, message = import("tdm", 1, { false, arrow.array_of("int64_t", { 5 }) })
    assert.equal("bad-arrow", id)
    assert.matches("whole day", message)
  end)

  it("copies values that are not aligned", function()
    local bytes = ffi.new "uint8_t[33]"
    for i = 0, 2 do ffi.copy(bytes + 1 + i * 8, ffi.new("double[1]", i + 0.5), 8) end
    assert.same({ 0.5, 1.5, 2.5 }, (import("g", 3, { false, bytes + 1 })))
  end)

  it("accepts empty arrays without buffers", function()
    for _, format in ipairs { "l", "b", "u", "U", "vu", "tdm" } do
      local buffers = ({ u = { false, false, false }, U = { false, false, false },
        vu = { false, false, false } })[format] or { false, false }
      assert.same({}, (import(format, 0, buffers)))
    end
  end)

  it("gives a zone its name back", function()
    local _, kind = import("tsm:America/New_York", 1, { false, arrow.array_of("int64_t", { 5 }) })
    assert.equal("timestamp(ms, America/New_York)", kind)
    _, kind = import("tsn:", 1, { false, arrow.array_of("int64_t", { 5 }) })
    assert.equal("timestamp(ns)", kind)
  end)

  it("releases the array exactly once, after its last column", function()
    local result, id = arrow.import { { named("a", "l"), (arrow.array(1,
      { false, arrow.array_of("int64_t", { 1 }) })) },
      { named("b", "u"), (arrow.array(1, { false, arrow.array_of("int32_t", { 0, 1 }), ffi.new("char[1]", "x") })) } }
    local kept, err = ffi.new "mm_column[1]", ffi.new "mm_error"
    C.mm_column_slice(kept, result.batches[0].columns[1], 0, 1, err)
    C.mm_table_free(result)
    assert.is_nil(arrow.released[id])
    C.mm_column_release(kept)
    assert.equal(1, arrow.released[id])
  end)
end)

describe("Arrow columns of foreign types", function()
  -- lists of i32: { 1, 2 }, {}, null, { 3 }
  local function lists()
    local item = arrow.array(3, { false, arrow.array_of("int32_t", { 1, 2, 3 }) })
    local array, id = arrow.array(4, { arrow.bits { 1, 1, 0, 1 }, arrow.array_of("int32_t", { 0, 2, 2, 2, 3 }) },
      { children = { item } })
    return named("x", "+l", { children = { arrow.schema("i", { name = "item" }) } }), array, id
  end

  it("pass through untouched, with nulls that can be seen", function()
    local result, id = arrow.import { { lists() } }
    assert.equal("list<i32>", columns.schema(result.schema)[1][2])
    assert.equal(1, tonumber(C.mm_column_null_count(result.batches[0].columns[0])))
    local schema, array = export(result)
    assert.equal("+l", ffi.string(schema[0].children[0].format))
    assert.equal("item", ffi.string(schema[0].children[0].children[0].name))
    C.mm_table_free(result)
    local list = array[0].children[0]
    assert.equal(4, tonumber(list.length))
    assert.equal(3, ffi.cast("int32_t *", list.children[0].buffers[1])[2])
    assert.is_nil(arrow.released[id])
    array[0].release(array)
    schema[0].release(schema)
    assert.equal(1, arrow.released[id])
  end)

  it("are sliced by offset, by the engine too", function()
    local result = arrow.import { { lists() } }
    local batch, err = ffi.new "mm_batch", ffi.new "mm_error"
    assert(C.mm_batch_slice(batch, result.batches[0], 2, 2, err) >= 0)
    assert.equal(1, tonumber(C.mm_column_null_count(batch.columns[0])))
    local part = ffi.gc(ffi.new "mm_table", C.mm_table_free)
    C.mm_schema_copy(part.schema, result.schema, err)
    C.mm_table_append(part, batch, err)
    local schema, array = export(part)
    assert.equal(2, tonumber(array[0].children[0].offset))
    assert.equal(2, tonumber(array[0].children[0].length))
    array[0].release(array)
    schema[0].release(schema)
    local same = columns.result(result, {})
    assert.equal(4, tonumber(same.rows))
  end)

  it("are equal types when their schemas are", function()
    local a, b = arrow.import { { lists() } }, arrow.import { { lists() } }
    local c = arrow.import { { named("x", "d:10,2"), (arrow.array(1, { false, ffi.new "int64_t[2]" })) } }
    assert.equal(a.schema.fields[0].type.zone, b.schema.fields[0].type.zone)
    assert.not_equal(a.schema.fields[0].type.zone, c.schema.fields[0].type.zone)
  end)

  it("have names, by which those that were met are found again", function()
    local formats = {
      ["d:38,2"] = "decimal128(38, 2)", ["d:40,-2,256"] = "decimal256(40, -2)", ["w:16"] = "fixed_binary(16)",
      tts = "time(s)", ttn = "time(ns)", e = "f16", tiM = "interval", ["x?y"] = "arrow(x?y)",
    }
    local err, text, found = ffi.new "mm_error", ffi.new "char[64]", ffi.new "mm_type[1]"
    for format, name in pairs(formats) do
      local result = arrow.import { { named("x", format), (arrow.array(0, { false, ffi.new "int64_t[1]" })) } }
      local type = result.schema.fields[0].type
      assert.equal(name, ffi.string(C.mm_type_name(type, text, 64)))
      assert.equal(0, C.mm_type_parse(name, found, err))
      assert.equal(type.zone, found[0].zone)
    end
    assert.is_true(C.mm_type_parse("decimal128(37, 2)", found, err) < 0)
    local unsaid = ffi.new("mm_type", C.MM_OPAQUE)
    assert.equal("opaque", ffi.string(C.mm_type_name(unsaid, text, 64)))
  end)

  it("have names that are cut where they are nested too deep to be read", function()
    local schema, array = arrow.schema("i", { name = "item" }), (arrow.array(0, { false, ffi.new "int32_t[1]" }))
    for level = 1, 20 do
      schema = arrow.schema("+l", { name = level < 20 and "item" or "x", children = { schema } })
      array = (arrow.array(0, { false, ffi.new "int32_t[1]" }, { children = { array } }))
    end
    local err, type, text = ffi.new "mm_error", ffi.new "mm_type[1]", ffi.new "char[64]"
    local result = assert(arrow.import { { schema, array } })
    local name = ffi.string(C.mm_type_name(result.schema.fields[0].type, text, 64))
    assert.equal(63, #name)
    assert.matches("^list<list<", name)
    assert.equal(0, C.mm_type_parse(name, type, err))
  end)

  it("refuse to be computed with", function()
    local result = arrow.import { { lists() } }
    local to, err = ffi.new "mm_column[1]", ffi.new "mm_error"
    assert.is_true(C.mm_column_take(to, result.batches[0].columns[0], ffi.new("int64_t[1]", 0), 1, err) < 0)
    assert.equal("opaque-column", ffi.string(err.id))
  end)
end)

describe("Arrow import refuses", function()
  local text = ffi.new("char[4]", "abcd")
  local cases = {
    { "offsets that go backwards", "u", 2, { false, arrow.array_of("int32_t", { 0, 3, 1 }), text } },
    { "negative offsets", "u", 1, { false, arrow.array_of("int32_t", { -1, 1 }), text } },
    { "a missing text buffer", "u", 1, { false, arrow.array_of("int32_t", { 0, 1 }), false } },
    { "a missing value buffer", "l", 1, { false, false } },
    { "too few buffers", "u", 1, { false, arrow.array_of("int32_t", { 0, 1 }) } },
    { "too many buffers", "l", 1, { false, arrow.array_of("int64_t", { 0 }), false } },
    { "nulls without a validity buffer", "l", 1, { false, arrow.array_of("int64_t", { 0 }) }, { null_count = 1 } },
    { "a negative offset", "l", 1, { false, arrow.array_of("int64_t", { 0 }) }, { offset = -1 } },
    { "a column shorter than the batch", "l", 1, { false, arrow.array_of("int64_t", { 0 }) },
      { root = { length = 2 } } },
    { "a negative length", "l", -1, { false, arrow.array_of("int64_t", { 0 }) }, { root = { length = 0 } } },
    { "a key outside its dictionary", "c", 1, { false, arrow.array_of("int8_t", { 1 }) },
      { dictionary = true, schema = { dictionary = true } } },
    { "a negative key", "c", 1, { false, arrow.array_of("int8_t", { -1 }) },
      { dictionary = true, schema = { dictionary = true } } },
    { "a missing dictionary", "c", 1, { false, arrow.array_of("int8_t", { 0 }) }, { schema = { dictionary = true } } },
    { "a view outside its buffer", "vu", 1, { false, arrow.array_of("int32_t", { 20, 0, 0, 1 }), text,
      arrow.array_of("int64_t", { 4 }) } },
    { "a view of a buffer that is not there", "vu", 1, { false, arrow.array_of("int32_t", { 20, 0, 5, 0 }),
      arrow.array_of("int64_t", { 4 }) } },
    { "a null row", "l", 1, { false, arrow.array_of("int64_t", { 0 }) },
      { root = { buffers = { arrow.bits { 0 } }, null_count = 1 } } },
  }
  for _, case in ipairs(cases) do
    it(case[1] .. ", and releases the array once", function()
      local options = case[5] or {}
      if options.dictionary then options.dictionary = arrow.array(1, { false, arrow.array_of("int64_t", { 5 }) }) end
      if options.schema and options.schema.dictionary then options.schema.dictionary = arrow.schema "l" end
      local before = columns.memory_used()
      local got, id, message, _, root = import(case[2], case[3], case[4], options)
      assert.is_nil(got)
      assert.equal("bad-arrow", id, message)
      assert.equal(1, arrow.released[root])
      collectgarbage()
      assert.is_true(columns.memory_used() <= before)
    end)
  end

  it("text of more than 2 GiB, by name", function()
    local got, id = import("U", 1, { false, arrow.array_of("int64_t", { 0, 2 ^ 31 }), text })
    assert.is_nil(got)
    assert.equal("limit", id)
  end)

  it("types nested without end", function()
    local schema = arrow.schema "i"
    for _ = 1, 70 do schema = arrow.schema("+l", { children = { schema } }) end
    local got, id = import("+l", 0, { false, false }, { schema = { children = { schema } } })
    assert.is_nil(got)
    assert.equal("limit", id)
  end)

  it("data that is not a struct", function()
    local to, err = ffi.new "mm_schema", ffi.new "mm_error"
    assert.is_true(C.mm_arrow_import_schema(arrow.schema "l", to, err) < 0)
    assert.equal("bad-arrow", ffi.string(err.id))
  end)
end)
