-- The store: names for columns that outlive jobs; nothing is copied, and a snapshot never changes.
local ffi = require "ffi"
local columns = require "columns"
local C = require("moonmill.base.ffi").C
local null = columns.null

local err = ffi.new "mm_error"

local function put(name, column) return C.mm_store_put(name, column, err) end

local function get(name)
  local column = ffi.gc(ffi.new "mm_column[1]", C.mm_column_release)
  return C.mm_store_get(name, column) == 1 and column or nil
end

local function snapshot() return ffi.gc(C.mm_store_snapshot(), C.mm_store_release) end

-- What a snapshot holds: { name, length, bytes, users } each.
local function entries(of)
  local list, entry = {}, ffi.new "mm_store_entry"
  for i = 0, tonumber(C.mm_store_count(of)) - 1 do
    C.mm_store_at(of, i, entry)
    local counts = { tonumber(entry.column.length), tonumber(entry.bytes), tonumber(entry.users) }
    list[i + 1] = { ffi.string(entry.name), unpack(counts) }
  end
  return list
end

-- entries of the store now, the snapshot given back at once
local function now()
  local of = C.mm_store_snapshot()
  local list = entries(of)
  C.mm_store_release(of)
  return list
end

local function users(name)
  for _, entry in ipairs(now()) do
    if entry[1] == name then return entry[4] end
  end
end

local function quarters(n) return columns.column("f64", function(i) return i / 4 end, false, n) end

describe("the store", function()
  before_each(function() C.mm_store_clear() end)
  after_each(function()
    C.mm_store_clear()
    collectgarbage()
  end)

  it("is empty at first", function()
    assert.same({}, now())
    assert.equal(0, tonumber(C.mm_store_bytes()))
    assert.is_nil(get "weights")
    assert.equal(-1, tonumber(C.mm_store_find(nil, "weights")))
  end)

  for _, n in ipairs { 0, 1, 63, 64, 65, 1023, 1024, 1025, 65536 } do
    it(("gives back %d rows as they were put, at the same address"):format(n), function()
      local column = quarters(n)
      assert.equal(0, put("weights", column))
      local found = get "weights"
      assert.equal(n, tonumber(found[0].length))
      assert.equal(column[0].data, found[0].data)
      assert.same(columns.values(column), columns.values(found))
    end)
  end

  it("keeps every type, nulls too", function()
    local lists = {
      bool = { true, null, false }, i8 = { -1, 2 }, u64 = { 2 ^ 53, null }, f32 = { 0.5 }, utf8 = { "", null, "aé" },
      binary = { "\0\255" }, date = { 1, null }, timestamp = { 5, 6 }, duration = { null, 7 }, null = { null, null },
    }
    for kind, list in pairs(lists) do assert.equal(0, put("a " .. kind, columns.column(kind, list))) end
    for kind, list in pairs(lists) do
      local found = get("a " .. kind)
      assert.same(list, columns.values(found))
      assert.equal(kind, (columns.type_name(found[0].type):match "^%w+"))
    end
  end)

  it("says what it holds, in order of names", function()
    put("b", columns.column("i32", { 1, 2, 3 }))
    put("é", columns.column("utf8", { "ab", "c" }))
    put("a", columns.column("bool", { true, null, false }))
    collectgarbage()
    collectgarbage()
    assert.same({ { "a", 3, 2, 0 }, { "b", 3, 12, 0 }, { "é", 2, 15, 0 } }, now())
    assert.equal(29, tonumber(C.mm_store_bytes()))
  end)

  it("counts the rows of a slice, not of what it was cut from", function()
    local whole, part = quarters(1000), ffi.gc(ffi.new "mm_column[1]", C.mm_column_release)
    assert.equal(0, C.mm_column_slice(part, whole, 990, 5, err))
    put("part", part)
    assert.same({ "part", 5, 40 }, { unpack(now()[1], 1, 3) })
    assert.same({ 247.75, 248, 248.25, 248.5, 248.75 }, columns.values(get "part"))
  end)

  it("counts who else holds a value", function()
    local column = quarters(10)
    put("weights", column)
    assert.equal(1, users "weights")
    local first, second = get "weights", get "weights"
    assert.equal(3, users "weights")
    C.mm_column_release(first)
    C.mm_column_release(second)
    C.mm_column_release(column)
    assert.equal(0, users "weights")
    local one, two = snapshot(), snapshot()
    assert.equal(2, users "weights")
    put("other", quarters(1)) -- the snapshots keep their version
    assert.equal(2, users "weights")
    C.mm_store_release(ffi.gc(one, nil))
    C.mm_store_release(ffi.gc(two, nil))
    assert.equal(0, users "weights")
  end)

  it("counts a holder once where one block holds validity, text and offsets", function()
    local column = columns.column("utf8", { "a", null })
    local shared = ffi.new("mm_column[1]", column)
    for _, field in ipairs { "valid_block", "offsets_block" } do
      C.mm_block_retain(column[0].data_block)
      shared[0][field] = column[0].data_block
    end
    C.mm_block_retain(column[0].data_block)
    put("text", shared)
    C.mm_column_release(shared)
    C.mm_store_get("text", shared)
    local two = users "text"
    C.mm_column_release(shared)
    assert.same({ 2, 1 }, { two, users "text" })
  end)

  it("replaces and drops by name; who holds the old value keeps it", function()
    put("weights", columns.column("i32", { 1, 2 }))
    local old = get "weights"
    put("weights", columns.column("utf8", { "new" }))
    assert.same({ 1, 2 }, columns.values(old))
    assert.same({ "new" }, columns.values(get "weights"))
    assert.equal(1, C.mm_store_drop("weights", err))
    assert.equal(0, C.mm_store_drop("weights", err))
    assert.is_nil(get "weights")
    assert.same({ 1, 2 }, columns.values(old))
  end)

  it("takes no memory when it is empty again", function()
    local start = columns.memory_used()
    for i = 1, 20 do put("name " .. i, quarters(1)) end
    for i = 1, 20 do C.mm_store_drop("name " .. i, err) end
    assert.equal(start, columns.memory_used())
  end)

  it("shows a snapshot what was there, whatever comes later", function()
    put("a", columns.column("i32", { 1 }))
    put("b", columns.column("i32", { 2 }))
    local before = snapshot()
    put("a", columns.column("i32", { 10 }))
    C.mm_store_drop("b", err)
    put("c", columns.column("i32", { 3 }))
    local after = snapshot()
    C.mm_store_clear()
    local function values_of(of)
      local found, entry = {}, ffi.new "mm_store_entry"
      for i = 0, tonumber(C.mm_store_count(of)) - 1 do
        C.mm_store_at(of, i, entry)
        found[ffi.string(entry.name)] = columns.values(entry.column)
      end
      return found
    end
    assert.same({ a = { 1 }, b = { 2 } }, values_of(before))
    assert.same({ a = { 10 }, c = { 3 } }, values_of(after))
    assert.same({}, now())
    assert.equal(1, tonumber(C.mm_store_find(before, "b")))
    assert.equal(-1, tonumber(C.mm_store_find(after, "b")))
  end)

  it("frees a value when its last user lets go", function()
    local start = columns.memory_used()
    put("weights", quarters(100000))
    assert.is_true(columns.memory_used() >= start + 800000)
    local view, before = get "weights", snapshot()
    C.mm_store_drop("weights", err)
    C.mm_store_clear()
    C.mm_column_release(view)
    assert.is_true(columns.memory_used() >= start + 800000)
    C.mm_store_release(ffi.gc(before, nil))
    assert.equal(start, columns.memory_used())
  end)

  it("holds many names", function()
    local start, n = columns.memory_used(), 2000
    local column = quarters(1)
    for i = 1, n do put(("name %d"):format(i * 7919 % n), column) end
    assert.equal(n, #now())
    assert.equal(n, users "name 5") -- the other names and this variable
    local before = snapshot()
    for i = 0, n - 1, 2 do C.mm_store_drop(("name %d"):format(i), err) end
    assert.equal(n / 2, #now())
    assert.equal(n, #entries(before))
    C.mm_store_release(ffi.gc(before, nil))
    C.mm_store_clear()
    C.mm_column_release(column)
    assert.equal(start, columns.memory_used())
  end)

  it("refuses names and columns that it cannot keep", function()
    local function refused(name, column)
      assert.is_true(put(name, column) < 0)
      return ffi.string(err.id)
    end
    assert.equal("store-name", refused("", quarters(1)))
    assert.equal("store-name", refused("a\255", quarters(1)))
    local borrowed = ffi.new("mm_column[1]", quarters(1))
    borrowed[0].data_block = nil
    assert.equal("store-borrowed", refused("a", borrowed))
    local opaque = ffi.new "mm_column[1]"
    opaque[0].type.id = C.MM_OPAQUE
    assert.equal("store-type", refused("a", opaque))
    assert.same({}, now())
  end)

  it("may be changed and read by many threads at once", function()
    local build = os.getenv "MM_BUILD" or "build"
    local path = build .. "/spec/store_threads.so"
    local compile = "mkdir -p %s/spec && gcc -std=gnu11 -O1 -g -Wall -Werror -shared -fPIC -Icore -o %s "
      .. "spec/core/engine/store_threads.c -L%s -lmoonmill"
    assert(os.execute(compile:format(build, path, build)) == 0)
    pcall(ffi.cdef, "int store_storm(int threads, int rounds, int seed);")
    local storm = ffi.load("./" .. path)
    local seed, start = os.time() % 100000, columns.memory_used()
    assert.equal(0, storm.store_storm(8, 3000, seed), "seed " .. seed)
    C.mm_store_clear()
    assert.equal(start, columns.memory_used())
  end)
end)
