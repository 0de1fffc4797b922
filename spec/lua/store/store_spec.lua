-- mm.store in scripts and row functions: read-only views by name; a job sees what was there when it started.
local ffi = require "ffi"
local bit = require "bit"
local columns = require "columns"
local rowfn = require "rowfn"
local mm = require "moonmill"
local C = require("moonmill.base.ffi").C
local null = columns.null

local function put(name, kind, list, nullable, n)
  local err = ffi.new "mm_error"
  local column = columns.column(kind, list, nullable, n)
  assert(C.mm_store_put(name, column, err) == 0, ffi.string(err.message))
  C.mm_column_release(column)
end

local function collect()
  collectgarbage()
  collectgarbage()
end

local function values(view)
  local list = {}
  for i = 0, #view - 1 do
    local value = view[i]
    list[i + 1] = value == nil and null or value
  end
  return list
end

local function message_of(fn, ...)
  local ok, problem = pcall(fn, ...)
  assert(not ok, "it did not fail")
  return problem.message, problem.hint, problem
end

local one = { { "k", "i64", { 0, 1, 2 } } }

before_each(function() mm.store.clear() end)
after_each(function()
  mm.store.clear()
  collect()
end)

describe("a view of the store", function()
  local lists = {
    bool = { true, false, true }, i8 = { -128, 127 }, i16 = { -5 }, i32 = { -2 ^ 31, 2 ^ 31 - 1 }, i64 = { -2 ^ 53, 7 },
    u8 = { 255 }, u16 = { 65535 }, u32 = { 2 ^ 32 - 1 }, u64 = { 2 ^ 53 }, f32 = { 0.5, 1 / 0 }, f64 = { 0.1, -1 / 0 },
    utf8 = { "", "aé", "x" }, binary = { "\0\255" }, date = { -1 }, timestamp = { 12345678901 }, duration = { -3 },
  }
  for kind, list in pairs(lists) do
    it(("shows %s, from 0"):format(kind), function()
      put("x", kind, list)
      local view = mm.store.get "x"
      assert.same(list, values(view))
      assert.equal(("%s[%d]"):format(kind, #list), tostring(view))
    end)

    it(("shows nulls among %s as nil"):format(kind), function()
      for _, n in ipairs { 1, 7, 8, 9, 64, 65, 1000 } do
        local function value(i) return i % 3 == 0 and null or list[i % #list + 1] end
        put("x", kind, value, true, n)
        local expected = {}
        for i = 1, n do expected[i] = value(i) end
        assert.same(expected, values(mm.store.get "x"))
      end
    end)
  end

  it("of nothing but nulls shows nil", function()
    put("x", "null", { null, null })
    assert.same({ null, null }, values(mm.store.get "x"))
  end)

  it("shows every NaN as the plain one", function()
    local bits = { 0xfff80000, 0xffffffff, 0x7ff00001, 0xfff90000, 0xfffe7fff, 0x7fffffff }
    put("d", "f64", {}, false, #bits)
    put("d", "f64", function() return 0 end, false, #bits)
    put("f", "f32", function() return 0 end, false, #bits)
    local double, single = ffi.new "mm_column[1]", ffi.new "mm_column[1]"
    C.mm_store_get("d", double)
    C.mm_store_get("f", single)
    local words = ffi.cast("uint32_t *", C.mm_block_data(double[0].data_block))
    local floats = ffi.cast("uint32_t *", C.mm_block_data(single[0].data_block))
    for i, high in ipairs(bits) do
      words[2 * i - 2], words[2 * i - 1] = 0xffffffff, high
      floats[i - 1] = bit.bor(high, 0x7f800001)
    end
    for _, name in ipairs { "d", "f" } do
      local view = mm.store.get(name)
      for _ = 1, 200 do -- interpreted, then compiled
        for i = 0, #view - 1 do
          local x = view[i]
          assert(type(x) == "number" and x ~= x)
        end
      end
    end
    C.mm_column_release(double)
    C.mm_column_release(single)
  end)

  it("refuses indexes that are none of its own", function()
    put("x", "f64", { 1, 2 })
    local view = mm.store.get "x"
    local function at(i) return function() return view[i] end end
    assert.equal("index 2 is outside a column of 2 values", (message_of(at(2))))
    assert.equal("index -1 is outside a column of 2 values", (message_of(at(-1))))
    assert.equal("index NaN is not a whole number", (message_of(at(0 / 0))))
    assert.equal("index inf is outside a column of 2 values", (message_of(at(1 / 0))))
    assert.equal("index 0.5 is not a whole number", (message_of(at(0.5))))
    assert.equal('a column has no field "length"', (message_of(at "length")))
    assert.equal("a column has no field nil", (message_of(at(nil))))
  end)

  it("cannot be written", function()
    put("x", "f64", { 1 })
    put("y", "utf8", { "a", null })
    for _, name in ipairs { "x", "y" } do
      local view = mm.store.get(name)
      assert.equal("the values of the store are read-only: v[0] cannot be assigned",
        (message_of(function() view[0] = 2 end)))
    end
  end)

  it("refuses whole numbers that a Lua number cannot hold, and gives them as v:i64(i)", function()
    put("x", "i64", { 2LL ^ 53 + 1, 2LL ^ 53, -(2LL ^ 53) - 1, null })
    local view = mm.store.get "x"
    local message, hint = message_of(function() return view[0] end)
    assert.equal("9007199254740993 cannot be held exactly by a Lua number", message)
    assert.equal("read it as v:i64(i)", hint)
    assert.equal(2 ^ 53, view[1])
    assert.equal(2LL ^ 53 + 1, view:i64(0))
    assert.equal(-(2LL ^ 53) - 1, view:i64(2))
    assert.is_nil(view:i64(3))
    put("y", "f64", { 1 })
    assert.equal("values of type f64 are no integers", (message_of(function() return mm.store.get("y"):i64(0) end)))
  end)

  it("keeps its values when the name is given to others, and frees them when it is collected", function()
    collect()
    local start = columns.memory_used()
    put("x", "f64", function(i) return i end, false, 100000)
    local view = mm.store.get "x"
    put("x", "f64", { 7 })
    assert.equal(100000, view[99999])
    assert.equal(7, mm.store.get("x")[0])
    view = nil -- luacheck: ignore
    mm.store.clear()
    assert.equal(start, columns.memory_used())
  end)
end)

describe("asked again", function()
  it("the store shows the same view while the value is the same", function()
    put("x", "f64", { 1, 2 })
    local view = mm.store.get "x"
    assert.is_true(rawequal(view, mm.store.get "x"))
    put("x", "f64", { 1, 2 })
    assert.is_false(rawequal(view, mm.store.get "x"))
  end)

  it("the store does not gather views of values that are gone", function()
    collect()
    local start, most = columns.memory_used(), 0
    for i = 1, 300 do
      put("x", "f64", function() return i end, false, 100000)
      assert(mm.store.get("x")[0] == i)
      most = math.max(most, tonumber(C.mm_memory_used()))
    end
    assert.is_true(most - start < 100 * 2 ^ 20)
    assert.is_true(columns.memory_used() - start < 2e6)
  end)
end)

describe("mm.store", function()
  it("lists names, types, rows, bytes and users", function()
    put("b", "utf8", { "ab", null })
    put("a", "f64", { 1, 2, 3 })
    collect()
    local view = mm.store.get "a"
    assert.same({
      { name = "a", type = "f64", rows = 3, bytes = 24, users = 1 },
      { name = "b", type = "utf8?", rows = 2, bytes = 15, users = 0 },
    }, mm.store.list())
    assert.equal(3, #view)
  end)

  it("gives views without fields that a script could reach", function()
    mm.store.put("a", mm.array("f64", { 1, 2, 3 }))
    local view = mm.store.get "a"
    for _, name in ipairs { "_count", "_data", "_column", "_valid", "_bits", "_halves", "_offsets", "count" } do
      assert.matches("a column has no field", (message_of(function() return view[name] end)))
      assert.matches("read%-only", (message_of(function() view[name] = 2 ^ 30 end)))
    end
  end)

  it("takes over arrays that a script made, without a copy", function()
    local array = mm.array("f64", { 1, 2, 3 })
    local address = array[require("moonmill.base.ffi").private "data"]
    mm.store.put("a", array)
    local column = ffi.gc(ffi.new "mm_column[1]", C.mm_column_release)
    assert.equal(1, C.mm_store_get("a", column))
    assert.equal(ffi.cast("const void *", address), ffi.cast("const void *", column[0].data))
    assert.same({ 1, 2, 3 }, values(mm.store.get "a"))
    assert.matches("handed over", (message_of(function() array[0] = 7 end)))
    assert.matches("handed over", (message_of(mm.store.put, "b", array)))
    for _, list in ipairs { {}, { 5 }, { 1, 2, 3, 4, 5, 6, 7, 8, 9 } } do
      mm.store.put("a", mm.array("i16", list))
      assert.same(list, values(mm.store.get "a"))
    end
    mm.store.put("bools", mm.array("bool", { true, false, true }))
    assert.same({ true, false, true }, values(mm.store.get "bools"))
  end)

  it("gives a value a second name", function()
    put("a", "utf8", { "x", null })
    mm.store.put("b", mm.store.get "a")
    mm.store.drop "a"
    assert.same({ "x", null }, values(mm.store.get "b"))
  end)

  it("frees an array that it took over when it is dropped", function()
    collect()
    local start = columns.memory_used()
    mm.store.put("a", mm.array("f64", 100000))
    collect()
    assert.is_true(columns.memory_used() >= start + 800000)
    mm.store.drop "a"
    assert.equal(start, columns.memory_used())
  end)

  it("keeps nothing else", function()
    local message, hint = message_of(mm.store.put, "a", { 1, 2 })
    assert.equal("the store keeps arrays, not a table", message)
    assert.equal('as in mm.store.put("weights", mm.array("f64", { 0.5, 0.25 }))', hint)
    assert.equal("the store keeps arrays, not nil", (message_of(mm.store.put, "a")))
  end)

  it("tells whether a name is there, and forgets it", function()
    put("a", "f64", { 1 })
    assert.is_true(mm.store.has "a")
    assert.is_false(mm.store.has "b")
    assert.is_true(mm.store.drop "a")
    assert.is_false(mm.store.drop "a")
    assert.is_false(mm.store.has "a")
  end)

  it("says what there is when a name is missing", function()
    local message, hint = message_of(mm.store.get, "weights")
    assert.equal('nothing is named "weights" in the store', message)
    assert.equal('the store is empty; it is filled from Python, mm.store["name"] = array, or by mm.store.put', hint)
    put("wieghts", "f64", { 1 })
    put("other", "f64", { 1 })
    assert.equal('did you mean "wieghts"?', select(2, message_of(mm.store.get, "weights")))
    assert.equal("the names are other, wieghts", select(2, message_of(mm.store.get, "zzz")))
  end)

  it("refuses names that are no text, and functions that it does not have", function()
    assert.equal("a name in the store is a text, not 1", (message_of(mm.store.get, 1)))
    local message, hint = message_of(function() return mm.store.gte end)
    assert.equal('mm.store has no "gte"', message)
    assert.equal('did you mean "get"?', hint)
  end)
end)

describe("a row function", function()
  it("reads the store by name, on every worker", function()
    put("weights", "f64", { 0.5, 0.25, 0.125 })
    local n = 200000
    local out = assert(rowfn.map({ { "k", "i64", function(i) return i % 3 end, n = n } }, "w: f64",
      function(r) return mm.store.get("weights")[r.k] end, { threads = 4, rows = 1024 }))
    for i = 1, n do assert(out.w[i] == 0.5 ^ (i % 3 + 1)) end
  end)

  it("may capture the store, its functions and views of it", function()
    put("weights", "f64", { 5, 6, 7 })
    put("names", "utf8", { "a", null, "c" })
    local store, get, weights = mm.store, mm.store.get, mm.store.get "weights"
    local tables = { inner = { names = mm.store.get "names" } }
    local out = assert(rowfn.map(one, "a: f64, b: f64, c: f64, d: utf8?, n: i64", function(r)
      return store.get("weights")[r.k], get("weights")[r.k], weights[r.k], tables.inner.names[r.k], #weights
    end))
    assert.same({ 5, 6, 7 }, out.a)
    assert.same({ 5, 6, 7 }, out.b)
    assert.same({ 5, 6, 7 }, out.c)
    assert.same({ "a", null, "c" }, out.d)
    assert.same({ 3, 3, 3 }, out.n)
  end)

  it("sees what is there when the job starts, also through a view that the script took before", function()
    put("weights", "f64", { 1, 1, 1 })
    local weights = mm.store.get "weights"
    local function read(r) return weights[r.k] + mm.store.get("weights")[r.k] end
    put("weights", "f64", { 2, 3, 4 })
    assert.same({ 4, 6, 8 }, rowfn.map(one, "y: f64", read).y)
  end)

  it("may list and ask, but not change", function()
    put("weights", "f64", { 1 })
    local out = assert(rowfn.map(one, "n: i64, has: bool, hasnt: bool", function()
      return #mm.store.list(), mm.store.has "weights", mm.store.has "x"
    end))
    assert.same({ 1, 1, 1 }, out.n)
    assert.same({ true, true, true }, out.has)
    assert.same({ false, false, false }, out.hasnt)
    local changes = {
      function() mm.store.drop "weights" return 1 end, function() mm.store.clear() return 1 end,
      function() mm.store.put("x", mm.array("f64", 1)) return 1 end,
    }
    for _, change in ipairs(changes) do
      local failure = rowfn.failure(rowfn.map(one, "y: f64", change))
      assert.equal("store-change", failure.id)
      assert.matches("a row function may not change the store", failure.message, 1, true)
    end
    assert.is_true(mm.store.has "weights")
  end)

  it("fails at the line and the row where it asks for what is not there", function()
    put("weights", "f64", { 1, 2 })
    local function read(r) return mm.store.get("weights")[r.k] end
    local line = rowfn.line() - 1
    local failure = rowfn.failure(rowfn.map(one, "y: f64", read))
    assert.equal("bad-index", failure.id)
    assert.equal(2, failure.row)
    assert.matches(("store_spec.lua:%d: index 2 is outside"):format(line), failure.message, 1, true)
    assert.equal("a column is indexed from 0 to #v - 1", failure.hint)
  end)

  it("cannot take along a view whose name is gone when the job starts", function()
    put("weights", "f64", { 1, 2, 3 })
    local weights = mm.store.get "weights"
    local function read(r) return weights[r.k] end
    mm.store.drop "weights"
    local failure = rowfn.failure(rowfn.map(one, "y: f64", read))
    assert.equal('the row function captures "weights" of the store, which has no such name any more',
      failure.message)
  end)

  it("stays compiled", function()
    put("weights", "f64", function(i) return i end, false, 1000)
    put("some", "f64", function(i) return i % 2 == 0 and null or i end, true, 1000)
    local source = columns.table({ { "k", "i64", function(i) return i % 1000 end, n = 30000 } })
    local read = {
      function(r) return mm.store.get("weights")[r.k] end, function(r) return mm.store.get("some")[r.k] or 0 end,
    }
    for _, fn in ipairs(read) do
      local inputs = { { name = "k", type = "i64", nullable = false } }
      local bytes = require "moonmill.rows.serialize"(fn, { kind = "map", inputs = inputs,
        outputs = rowfn.outputs "y: f64", params = {}, place = 0, label = "spec:map" })
      local out, err = ffi.gc(ffi.new "mm_schema", C.mm_schema_free), ffi.new "mm_error"
      C.mm_schema_add(out, "k", columns.type "i64", false, err)
      C.mm_schema_add(out, "y", columns.type "f64", false, err)
      local text = ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free)
      assert(C.mm_rows_try(bytes, #bytes, out, source, text, err) == 0, ffi.string(err.message))
      assert.equal("compiled", ffi.string(text.data, text.size))
    end
  end)

  it("that does not look into the store does not hold it", function()
    put("weights", "f64", { 1 })
    local factor = 2
    local _, uses = require "moonmill.rows.serialize"(function(r) return r.k * factor end,
      { kind = "map", inputs = {}, outputs = {}, params = {}, place = 0, label = "spec:map" })
    assert.is_false(uses)
  end)
end)

describe("a mistake in the use of the store", function()
  local function problem_of(body)
    local fn = assert(loadstring("local mm = ... " .. body, "=script"))
    return message_of(fn, mm)
  end

  it("is to walk over a column, which says how it is done", function()
    put("x", "i64", { 1, 2 })
    for _, walk in ipairs { "pairs", "ipairs" } do
      local message, hint = problem_of(("for i in %s(mm.store.get 'x') do end"):format(walk))
      assert.equal("a column has no pairs: it is indexed from 0", message)
      assert.equal("for i = 0, #v - 1 do ... v[i]", hint)
    end
  end)

  it("is a name with a NUL", function()
    assert.matches("no NUL", (problem_of "mm.store.get 'a\\0b'"))
    assert.matches("no NUL", (problem_of "mm.store.has 'a\\0b'"))
  end)
end)
