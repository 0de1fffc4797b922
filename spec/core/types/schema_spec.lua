-- Schemas: names are found among few fields and among many.
local ffi = require "ffi"
local native = require "moonmill.base.ffi"
local types = require "moonmill.base.types"

local C, err = native.C, native.err

local function schema_of(names)
  local schema = ffi.gc(ffi.new "mm_schema", C.mm_schema_free)
  for _, name in ipairs(names) do
    assert(C.mm_schema_add(schema, name, types.to_c(types.i64), true, err) >= 0, ffi.string(err.message))
  end
  return schema
end

local function numbered(count)
  local names = {}
  for i = 1, count do names[i] = "column " .. i end
  return names
end

describe("a schema", function()
  for _, count in ipairs { 0, 1, 8, 9, 32, 33, 63, 64, 65, 5000 } do
    it(("finds each of %d fields by its name, and no other name"):format(count), function()
      local names = numbered(count)
      local schema = schema_of(names)
      for i, name in ipairs(names) do assert.equal(i - 1, C.mm_schema_find(schema, name)) end
      for _, other in ipairs { "", "column", "column 0", "Column 1", "column " .. count + 1 } do
        assert.equal(-1, C.mm_schema_find(schema, other))
      end
    end)
  end

  it("finds the first of equal names, however many fields came later", function()
    local names = numbered(40)
    names[7] = "column 3"
    for i = 41, 400 do names[i] = i % 2 == 0 and "column 5" or "other " .. i end
    local schema = schema_of(names)
    assert.equal(2, C.mm_schema_find(schema, "column 3"))
    assert.equal(4, C.mm_schema_find(schema, "column 5"))
    assert.equal(398, C.mm_schema_find(schema, "other 399"))
  end)

  it("has the same fields when it is copied, and gives all memory back", function()
    local before = C.mm_memory_used()
    local schema, copy = schema_of(numbered(1000)), ffi.new "mm_schema"
    assert(C.mm_schema_copy(copy, schema, err) >= 0)
    assert.equal(999, C.mm_schema_find(copy, "column 1000"))
    C.mm_schema_free(copy)
    C.mm_schema_free(ffi.gc(schema, nil))
    assert.equal(tonumber(before), tonumber(C.mm_memory_used()))
  end)
end)
