-- Nested columns of other producers: every offset, size, type id, run end and key is checked before the column is
-- taken, and each array is released once whatever is found.
local ffi = require "ffi"
local arrow = require "arrow"

local function i8(...) return arrow.array_of("int8_t", { ... }) end
local function i32(...) return arrow.array_of("int32_t", { ... }) end
local function i64(...) return arrow.array_of("int64_t", { ... }) end
local function bytes(text) return ffi.new("char[?]", #text + 1, text) end

---A level: format, rows, buffers, then children, dictionary, offset, null_count as they are.
local function level(format, length, buffers, more)
  more = more or {}
  return { format = format, length = length, buffers = buffers, children = more, dictionary = more.dictionary,
    offset = more.offset, null_count = more.null_count }
end

local function numbers(n, offset) return level("l", n, { false, ffi.new("int64_t[?]", n + 8) }, { offset = offset }) end
local function list(n, ...) return level("+l", n, { false, i32(...) }, { numbers(4) }) end

local function schema_of(part, name)
  if part == "null" then return arrow.schema("l", { name = name }) end
  local children = {}
  for i, child in ipairs(part.children) do children[i] = schema_of(child, "c" .. i) end
  return arrow.schema(part.format, { name = name, children = children,
    dictionary = part.dictionary and schema_of(part.dictionary) })
end

local function array_of(part)
  local children = {}
  for i, child in ipairs(part.children) do children[i] = child ~= "null" and array_of(child) or ffi.new "void *" end
  return (arrow.array(part.length, part.buffers, { children = children, offset = part.offset,
    null_count = part.null_count, dictionary = part.dictionary and array_of(part.dictionary) }))
end

---Import one nested column, or rows [offset, offset + length) of the root. Returns true, or nil and the message.
local function import(part, root)
  local result, err, id = arrow.import({ { schema_of(part, "x"), array_of(part) } }, root)
  if result then
    arrow.C.mm_table_free(ffi.gc(result, nil))
    id = err
  end
  collectgarbage()
  assert.equal(1, arrow.released[id], "the array is released once")
  if result then return true end
  assert.same({ -1, "bad-arrow", "x" }, { err.code, ffi.string(err.id), ffi.string(err.field) })
  return nil, ffi.string(err.message)
end

local function entries(n) return level("+s", n, { false }, { numbers(n), numbers(n) }) end
local function dense(ids, offsets) return level("+ud:0,5", 3, { ids, offsets }, { numbers(2), numbers(2) }) end
local function runs(ends, n, values, length)
  return level("+r", length or 4, {}, { level("i", n, { false, ends }), numbers(values) })
end
local function text(...) return level("u", 2, { false, i32(...), bytes "abcdef" }) end
local function keys(first, second, more)
  return level("+s", 2, { false }, { level("i", 2, { more and more.valid or false, i32(first, second) },
    { dictionary = level("u", 2, { false, i32(0, 1, 2), bytes "ab" }) }) })
end
local function view(size, buffer, offset)
  local views = ffi.new "int32_t[8]"
  views[0], views[2], views[3] = size, buffer, offset
  return level("+l", 1, { false, i32(0, 1) }, { level("vu", 1, { false, views, bytes(("x"):rep(20)), i64(20) }) })
end

local GOOD = {
  ["lists"] = list(3, 0, 2, 2, 4),
  ["lists with an offset"] = level("+l", 2, { false, i32(9, -9, 0, 2, 4) }, { numbers(4), offset = 2 }),
  ["no lists, without a buffer"] = level("+l", 0, { false, false }, { numbers(0) }),
  ["wide lists"] = level("+L", 2, { false, i64(0, 1, 4) }, { numbers(4) }),
  ["views of lists in any order"] = level("+vl", 2, { false, i32(2, 0), i32(2, 3) }, { numbers(4) }),
  ["a null view of a list"] = level("+vl", 2, { arrow.bits { 1, 0 }, i32(2, 99), i32(2, -3) }, { numbers(4) }),
  ["fixed-size lists"] = level("+w:2", 3, { false }, { numbers(6) }),
  ["structs"] = level("+s", 2, { false }, { numbers(4, 1), list(3, 0, 0, 1, 1), offset = 1 }),
  ["maps"] = level("+m", 2, { false, i32(0, 1, 2) }, { entries(2) }),
  ["dense unions, offsets in any order"] = dense(i8(0, 5, 0), i32(1, 1, 0)),
  ["sparse unions"] = level("+us:0,5", 2, { i8(0, 5) }, { numbers(2), numbers(2) }),
  ["runs"] = runs(i32(1, 4), 2, 2),
  ["keys"] = keys(0, 1),
  ["a null key"] = keys(0, 99, { valid = arrow.bits { 1, 0 } }),
  ["lists of views of text"] = view(20, 0, 0),
}

local BAD = {
  ["list offsets that go backwards"] = { list(3, 0, 3, 2, 4), "negative or go backwards" },
  ["a negative list offset"] = { list(3, -1, 2, 3, 4), "negative or go backwards" },
  ["a last list offset beyond the child"] = { list(3, 0, 1, 2, 5), "4 rows at offset 0, but 5 are needed" },
  ["a list without offsets"] = { level("+l", 1, { false, false }, { numbers(1) }), "buffer of values is missing" },
  ["wide list offsets beyond 2^62"] = { level("+L", 1, { false, i64(0, 2LL ^ 62) }, { numbers(4) }), "are needed" },
  ["a list whose child is missing"] = { level("+l", 1, { false, i32(0, 1) }, { "null" }), "released or missing" },
  ["a map of numbers"] = { level("+m", 1, { false, i32(0, 1) }, { numbers(1) }), "struct of two children" },
  ["map offsets that go backwards"] = { level("+m", 2, { false, i32(0, 2, 1) }, { entries(2) }), "go backwards" },
  ["a list view beyond the child"] = { level("+vl", 1, { false, i32(3), i32(2) }, { numbers(4) }), "outside its 4" },
  ["a list view of negative size"] = { level("+vl", 1, { false, i32(3), i32(-1) }, { numbers(4) }), "outside its 4" },
  ["a wide list view whose end overflows"] =
    { level("+vL", 1, { false, i64(1), i64(0x7fffffffffffffffLL) }, { numbers(4) }), "outside its 4" },
  ["list views without sizes"] = { level("+vl", 1, { false, i32(0), false }, { numbers(4) }), "sizes is missing" },
  ["fixed-size lists of too few values"] = { level("+w:2", 3, { false }, { numbers(5) }), "but 6 are needed" },
  ["fixed-size lists of negative size"] = { level("+w:-2", 3, { false }, { numbers(5) }), "from 0 on" },
  ["fixed-size lists of a size that overflows"] =
    { level("+w:4611686018427387904", 3, { false }, { numbers(5) }), "from 0 on" },
  ["structs of a short child"] = { level("+s", 3, { false }, { numbers(2) }), "but 3 are needed" },
  ["structs with an offset, of a short child"] =
    { level("+s", 2, { false }, { numbers(2), offset = 1 }), "but 3 are needed" },
  ["a struct with a null child"] = { level("+s", 1, { false }, { "null" }), "released or missing" },
  ["counted nulls without validity"] =
    { level("+s", 1, { false }, { numbers(1), null_count = 1 }), "no validity buffer" },
  ["a type id that the union lacks"] = { dense(i8(0, 1, 0), i32(0, 0, 0)), "row 2 of a union has type id 1" },
  ["a negative type id"] = { dense(i8(0, 0, -1), i32(0, 0, 0)), "row 3 of a union has type id %-1" },
  ["a negative union offset"] = { dense(i8(0, 5, 0), i32(0, -1, 0)), "row 2 of a union has offset %-1" },
  ["a union offset beyond the child"] = { dense(i8(0, 5, 0), i32(0, 2, 0)), "but 3 are needed" },
  ["a union without type ids"] = { dense(false, i32(0, 0, 0)), "type ids is missing" },
  ["a union without offsets"] = { dense(i8(0, 5, 0), false), "buffer of values is missing" },
  ["a union of fewer children than ids"] =
    { level("+us:0,5,7", 1, { i8(0) }, { numbers(1), numbers(1) }), "must have 3 children" },
  ["a union of ids that are no numbers"] =
    { level("+us:0,x", 1, { i8(0) }, { numbers(1), numbers(1) }), "different numbers" },
  ["sparse unions of a short child"] =
    { level("+us:0,5", 3, { i8(0, 0, 0) }, { numbers(3), numbers(2) }), "but 3 are needed" },
  ["runs that end backwards"] = { runs(i32(3, 2), 2, 2), "positive and ascending" },
  ["a run that ends at 0"] = { runs(i32(0, 4), 2, 2), "positive and ascending" },
  ["runs that end too early"] = { runs(i32(1, 3), 2, 2), "after 3 rows, but 4" },
  ["more runs than values"] = { runs(i32(1, 4), 2, 1), "but 2 are needed" },
  ["run ends of text"] = { level("+r", 1, {}, { text(0, 1, 2), numbers(2) }), "run ends must be" },
  ["a key beyond the dictionary"] = { keys(0, 2), "row 2 points outside" },
  ["a negative key"] = { keys(-1, 0), "row 1 points outside" },
  ["text offsets in a list that go backwards"] =
    { level("+l", 1, { false, i32(0, 2) }, { text(0, 3, 2) }), "go backwards" },
  ["text without bytes"] =
    { level("+l", 1, { false, i32(0, 1) }, { level("u", 1, { false, i32(0, 3), false }) }), "text buffer is missing" },
  ["a text view of no buffer"] = { view(20, 1, 0), "names buffer 1 of 1" },
  ["a text view beyond its buffer"] = { view(20, 0, 1), "outside its buffer" },
  ["numbers without a buffer"] =
    { level("+l", 1, { false, i32(0, 1) }, { level("l", 1, { false, false }) }), "buffer of values is missing" },
  ["lists of lists of lists"] =
    { level("+l", 1, { false, i32(0, 1) }, { level("+l", 1, { false, i32(0, 1) }, { list(1, 0, 5) }) }), "but 5 are" },
}

describe("nested columns", function()
  for name, part in pairs(GOOD) do
    it("are taken: " .. name, function() assert(import(part)) end)
  end

  for name, case in pairs(BAD) do
    it("are refused: " .. name, function()
      local taken, message = import(case[1])
      assert.is_nil(taken)
      assert.matches(case[2], message)
    end)
  end

  it("are checked in the rows that a slice refers to", function()
    local part = list(4, 0, 1, 2, 3, 9)
    assert(import(part, { offset = 1, length = 2 }))
    assert.is_nil((import(part, { offset = 1, length = 3 })))
    assert.is_nil((import(part, { offset = 3, length = 2 })))
    part = dense(i8(1, 5, 0), i32(0, 1, 1))
    assert(import(part, { offset = 1, length = 2 }))
    assert.is_nil((import(part, { offset = 0, length = 2 })))
    part = level("+w:2", 3, { false }, { numbers(4) })
    assert(import(part, { length = 2 }))
    assert.is_nil((import(part, { offset = 1, length = 2 })))
  end)
end)
