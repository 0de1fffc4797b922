local ffi = require "ffi"
local types = require "moonmill.base.types"
local C = require("moonmill.base.ffi").C

describe("types", function()
  it("parses every name, with and without a question mark, to one table per spelling", function()
    for _, name in ipairs(types.names) do
      local type, nullable = types.parse(" " .. name .. " ? ")
      assert.equal(name, type.name)
      assert.is_true(nullable)
      assert.equal(type, (types.parse(name)))
      assert.is_false(select(2, types.parse(name)))
    end
  end)
  it("parses units and zones; microseconds need not be said", function()
    assert.equal("timestamp(ms)", types.parse("timestamp(ms)").name)
    assert.equal(types.timestamp, (types.parse "timestamp( us )"))
    local zoned = types.parse "timestamp(ns, Europe/Paris)?"
    assert.same({ "ns", "Europe/Paris" }, { zoned.unit, zoned.zone })
    assert.equal("duration(s)", types.parse("duration(s)").name)
  end)
  it("refuses what is not a type, at its place, with a suggestion", function()
    for _, case in ipairs {
      { "flot", 'there is no type "flot"', 'did you mean "f64"?' },
      { "String", 'there is no type "String"', 'did you mean "utf8"?' },
      { "i46", 'there is no type "i46"', 'did you mean "i16"?' }, { "f64(ms)", 'type "f64" takes no unit' },
      { "timestamp(m)", '"m" is not a unit of timestamp', 'the units are s ms us ns, as in "timestamp(ms)"' },
      { "duration(ms, UTC)", "a duration has no zone" }, { "", 'there is no type ""' },
    } do
      local ok, err = pcall(types.parse, case[1], { file = "a.lua", line = 3, column = 7 })
      assert.is_false(ok)
      assert.same({ "usage", "type", case[2], "a.lua", 3, 7 },
        { err.code, err.id, err.message, err.file, err.line, err.column })
      if case[3] then assert.equal(case[3], err.hint) end
    end
  end)
  it("goes to the core's form and back", function()
    for _, text in ipairs { "bool", "i8", "u64", "f32", "utf8", "date", "timestamp(ms)", "timestamp(us, Europe/Paris)",
      "duration(ns)" } do
      assert.equal(types.parse(text), types.from_c(types.to_c(types.parse(text))))
    end
    assert.equal(types.opaque, types.from_c(ffi.new("mm_type", C.MM_OPAQUE)))
  end)
  it("knows the range of integers", function()
    assert.is_true(types.holds(-128LL, types.i8) and types.holds(127LL, types.i8))
    assert.is_false(types.holds(-129LL, types.i8) or types.holds(128LL, types.i8))
    assert.is_false(types.holds(-1LL, types.u64) or types.holds(256ULL, types.u8))
    assert.is_true(types.holds(0xFFFFFFFFFFFFFFFFULL, types.u64))
    assert.is_false(types.holds(0x8000000000000000ULL, types.i64))
    assert.equal(-9223372036854775807LL - 1, (types.range(types.i64)))
  end)
end)
