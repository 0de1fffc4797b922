-- Foreign columns of other producers: what the interface shows of them is held against their children.
local ffi = require "ffi"
local arrow = require "arrow"

local function i8(list) return arrow.array_of("int8_t", list) end
local function i32(list) return arrow.array_of("int32_t", list) end
local function i64(list) return arrow.array_of("int64_t", list) end

-- A child of so many numbers, with its schema.
local function numbers(count, options)
  local values = {}
  for i = 1, count do values[i] = i end
  return arrow.schema("i", { name = "item" }), (arrow.array(count, { false, i32(values) }, options))
end

-- A column: format, length, buffers, children as { schema, array } ..., options of the array.
local function column(format, length, buffers, children, options)
  local schemas, arrays = {}, {}
  for i, child in ipairs(children or {}) do schemas[i], arrays[i] = child[1], child[2] end
  options = options or {}
  options.children = arrays
  return { arrow.schema(format, { name = "x", children = schemas, dictionary = options.schema }),
    (arrow.array(length, buffers, options)) }
end

local function import(made, options)
  local result, err, id = arrow.import({ made }, options)
  if result then return "taken" end
  assert.equal(1, arrow.released[id])
  assert.equal("bad-arrow", ffi.string(err.id))
  return ffi.string(err.message)
end

local function three() return { numbers(3) } end
local function texts(offsets)
  local array = arrow.array(#offsets - 1, { false, i32(offsets), "abcdef" })
  return { arrow.schema("u", { name = "item" }), (array) }
end
local function list_of(offsets, child) return column("+l", #offsets - 1, { false, i32(offsets) }, { child or three() }) end

local WHOLE = {
  ["a list"] = function() return list_of { 0, 2, 2, 3 } end,
  ["a list of nothing"] = function() return list_of { 0 } end,
  ["a list whose first offset is not 0"] = function() return list_of { 1, 3 } end,
  ["a large list"] = function() return column("+L", 2, { false, i64 { 0, 1, 3 } }, { three() }) end,
  ["a map"] = function()
    return column("+m", 1, { false, i32 { 0, 3 } }, { column("+s", 3, { false }, { three(), three() }) })
  end,
  ["a list of lists"] = function() return list_of({ 0, 1, 2 }, list_of { 0, 2, 3 }) end,
  ["a list of texts"] = function() return list_of({ 0, 2 }, texts { 0, 3, 6 }) end,
  ["a view of lists, in any order"] = function()
    return column("+vl", 2, { false, i32 { 2, 0 }, i32 { 1, 2 } }, { three() })
  end,
  ["a view of lists with a null that points nowhere"] = function()
    return column("+vl", 2, { arrow.bits { 1, 0 }, i32 { 0, 99 }, i32 { 3, 99 } }, { three() })
  end,
  ["lists of fixed size"] = function() return column("+w:3", 1, { false }, { three() }) end,
  ["a struct"] = function() return column("+s", 3, { false }, { three(), three() }) end,
  ["a struct with an offset"] = function() return column("+s", 2, { false }, { three() }, { offset = 1 }) end,
  ["a dense union"] = function()
    return column("+ud:0,5", 3, { i8 { 0, 5, 0 }, i32 { 2, 0, 1 } }, { three(), three() })
  end,
  ["a sparse union"] = function() return column("+us:0,1", 3, { i8 { 0, 1, 0 } }, { three(), three() }) end,
  ["runs"] = function() return column("+r", 5, {}, { { arrow.schema "i", (arrow.array(2, { false, i32 { 2, 5 } })) }, three() }) end,
}

local BROKEN = {
  { "a list that goes back", "go backwards", function() return list_of { 0, 2, 1 } end },
  { "a list with a negative offset", "negative", function() return list_of { -1, 2 } end },
  { "a list beyond its child", "a child has 3", function() return list_of { 0, 4 } end },
  { "a list without offsets", "missing", function() return column("+l", 1, { false, false }, { three() }) end },
  { "a large list beyond its child", "a child has 3",
    function() return column("+L", 1, { false, i64 { 0, 2 ^ 40 } }, { three() }) end },
  { "a map that goes back", "go backwards", function()
    return column("+m", 2, { false, i32 { 0, 3, 2 } }, { column("+s", 3, { false }, { three(), three() }) })
  end },
  { "lists within lists beyond their child", "a child has 3",
    function() return list_of({ 0, 2 }, list_of { 0, 2, 9 }) end },
  { "texts within lists that go back", "go backwards", function() return list_of({ 0, 2 }, texts { 0, 3, 1 }) end },
  { "a view of lists beyond its child", "outside of its child",
    function() return column("+vl", 1, { false, i32 { 2 }, i32 { 2 } }, { three() }) end },
  { "a view of lists of a negative size", "outside of its child",
    function() return column("+vl", 1, { false, i32 { 2 }, i32 { -1 } }, { three() }) end },
  { "lists of fixed size beyond their child", "a child has 3",
    function() return column("+w:2", 2, { false }, { three() }) end },
  { "a struct longer than its children", "a child has 3", function() return column("+s", 4, { false }, { three() }) end },
  { "a struct with an offset, longer than its children", "a child has 3",
    function() return column("+s", 3, { false }, { three() }, { offset = 1 }) end },
  { "a union of an unknown type", "of type 7",
    function() return column("+us:0,1", 1, { i8 { 7 } }, { three(), three() }) end },
  { "a dense union beyond a child", "outside of its child",
    function() return column("+ud:0", 1, { i8 { 0 }, i32 { 3 } }, { three() }) end },
  { "a dense union with a negative offset", "outside of its child",
    function() return column("+ud:0", 1, { i8 { 0 }, i32 { -1 } }, { three() }) end },
  { "a sparse union longer than its children", "a child has 3",
    function() return column("+us:0", 4, { i8 { 0, 0, 0, 0 } }, { three() }) end },
  { "runs that do not ascend", "do not ascend", function()
    return column("+r", 2, {}, { { arrow.schema "i", (arrow.array(2, { false, i32 { 2, 2 } })) }, three() })
  end },
  { "runs that end too early", "end at row 2", function()
    return column("+r", 3, {}, { { arrow.schema "i", (arrow.array(1, { false, i32 { 2 } })) }, three() })
  end },
  { "runs without values", "a child has 3", function()
    return column("+r", 8, {}, { { arrow.schema "i", (arrow.array(4, { false, i32 { 2, 4, 6, 8 } })) }, three() })
  end },
  { "a key outside of a nested dictionary", "outside its dictionary", function()
    local _, values = numbers(3)
    return list_of({ 0, 2 }, { arrow.schema("c", { dictionary = (numbers(3)) }),
      (arrow.array(2, { false, i8 { 0, 3 } }, { dictionary = values })) })
  end },
}

describe("a foreign column", function()
  for name, make in pairs(WHOLE) do
    it("is taken: " .. name, function() assert.equal("taken", import(make())) end)
  end

  for _, case in ipairs(BROKEN) do
    it("is refused, and released once: " .. case[1], function() assert.matches(case[2], import(case[3]())) end)
  end

  it("is looked at only in the rows that are taken", function()
    local function broken_at_the_end() return list_of { 0, 1, 2, 99 } end
    assert.matches("a child has 3", import(broken_at_the_end()))
    assert.equal("taken", import(broken_at_the_end(), { length = 2 }))
    assert.matches("a child has 3", import(broken_at_the_end(), { length = 2, offset = 1 }))
  end)
end)
