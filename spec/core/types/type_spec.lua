local ffi = require "ffi"
local columns = require "columns"
local C = require("moonmill.base.ffi").C

local function parse(text)
  local kind, err = ffi.new "mm_type", ffi.new "mm_error"
  if C.mm_type_parse(text, kind, err) < 0 then return nil, ffi.string(err.id), ffi.string(err.message) end
  return columns.type_name(kind), kind
end

describe("a type", function()
  it("has a name that is read back", function()
    for _, name in ipairs { "null", "bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64",
      "utf8", "binary", "date",
      "timestamp(s)", "timestamp(ms)", "timestamp(us)", "timestamp(ns)", "timestamp(us, Europe/Paris)",
        "duration(ns)" } do
      assert.equal(name, (parse(name)))
    end
  end)

  it("is microseconds unless said otherwise", function()
    assert.equal("timestamp(us)", (parse "timestamp"))
    assert.equal("duration(us)", (parse " duration "))
    assert.equal("timestamp(ms, UTC)", (parse "timestamp( ms , UTC )"))
  end)

  it("is refused by the name that was given", function()
    for _, text in ipairs { "", "i128", "I64", "i64x", "i64(ms)", "timestamp(", "timestamp()", "timestamp(min)",
      "timestamp(us", "timestamp(us,)",
      "timestamp(us) x", "duration(us, UTC)", "opaque", "utf8 utf8" } do
      local name, id, message = parse(text)
      assert.is_nil(name, text)
      assert.equal("unknown-type", id)
      assert.matches(text, message, 1, true)
    end
  end)

  it("has a width", function()
    for name, width in pairs { bool = 0, i8 = 1, u16 = 2, f32 = 4, date = 4, i64 = 8, timestamp = 8, duration = 8,
      utf8 = 0, null = 0 } do
      assert.equal(width, tonumber(C.mm_type_width(columns.type(name))))
    end
  end)

  it("numbers each zone once", function()
    local a, b = C.mm_zone_intern("Asia/Tokyo", nil), C.mm_zone_intern("Asia/Kolkata", nil)
    assert.is_true(a > 0 and b > 0 and a ~= b)
    assert.equal(a, C.mm_zone_intern("Asia/Tokyo", nil))
    assert.equal("Asia/Kolkata", ffi.string(C.mm_zone_name(b)))
    assert.equal(0, C.mm_zone_intern("", nil))
    assert.equal("", ffi.string(C.mm_zone_name(0)))
    assert.equal("", ffi.string(C.mm_zone_name(9999)))
  end)
end)

describe("a schema", function()
  it("finds its fields and is copied with them", function()
    local schema, copy, err = ffi.new "mm_schema", ffi.new "mm_schema", ffi.new "mm_error"
    for i = 1, 30 do assert.equal(0, C.mm_schema_add(schema, "c" .. i, columns.type "i64", i % 2 == 0, err)) end
    assert.equal(0, C.mm_schema_copy(copy, schema, err))
    C.mm_schema_free(schema)
    assert.equal(0, schema.count)
    assert.equal(29, C.mm_schema_find(copy, "c30"))
    assert.equal(-1, C.mm_schema_find(copy, "c31"))
    assert.same({ "c2", "i64", true }, columns.schema(copy)[2])
    C.mm_schema_free(copy)
  end)
end)
