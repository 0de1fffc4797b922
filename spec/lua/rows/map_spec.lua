-- map: what a row function reads and what it may give, for every type, at the edges of batches.
local columns = require "columns"
local rowfn = require "rowfn"
local null = columns.null

local function same(expected, actual, note)
  assert.are.equal(#expected, #actual, note)
  for i = 1, #expected do
    local a, b = expected[i], actual[i]
    assert(a == b or a ~= a and b ~= b,
      ("%s: row %d is %s, expected %s"):format(note or "", i, tostring(b), tostring(a)))
  end
end

local function double(v) return type(v) == "number" and v * 2 or v end

describe("map", function()
  local values = {
    i8 = { -64, 0, 63 }, i16 = { -300, 7, 16000 }, i32 = { -1073741824, 0, 1073741823 }, i64 = { -2 ^ 52, 0, 2 ^ 52 },
    u8 = { 0, 1, 127 }, u16 = { 0, 300, 32767 }, u32 = { 0, 2147483647, 1000 }, u64 = { 0, 5, 2 ^ 52 },
    f32 = { -0.5, 0, 1.25 }, f64 = { -1e300, 0 / 0, 1 / 0 }, date = { -1, 0, 20000 }, timestamp = { -5, 0, 1e15 },
    duration = { -5, 0, 1e15 },
  }
  for type_name, list in pairs(values) do
    it(("reads and gives %s, with and without nulls"):format(type_name), function()
      local expected, holed, expected_holed = {}, {}, {}
      for i, v in ipairs(list) do expected[i] = v * 2 end
      for i, v in ipairs { list[1], null, list[2], null, list[3] } do
        holed[i], expected_holed[i] = v, double(v)
      end
      local out = assert(rowfn.map({ { "x", type_name, list } }, "y: " .. type_name, function(r) return r.x * 2 end))
      same(expected, out.y)
      out = assert(rowfn.map({ { "x", type_name, holed } }, "y: " .. type_name .. "?", function(r) return r.x
        and r.x * 2 end))
      same(expected_holed, out.y)
      same(holed, out.x)
    end)
  end

  it("reads and gives booleans and text, empty text and bytes that are not text", function()
    local out = assert(rowfn.map({
      { "b", "bool", { true, false, null } }, { "s", "utf8", { "", "grün", null } },
        { "d", "binary", { "\0\255", "", null } },
    }, "not_b: bool?, t: utf8?, e: binary?", function(r)
      return r.b ~= nil and not r.b or nil, r.s and r.s .. "!", r.d and r.d .. "\254"
    end))
    same({ null, true, null }, out.not_b)
    same({ "!", "grün!", null }, out.t)
    same({ "\0\255\254", "\254", null }, out.e)
  end)

  it("gives false where false is returned", function()
    local out = assert(rowfn.map({ { "x", "i64", { 1, 2, 3 } } }, "b: bool", function(r) return r.x == 2 end))
    same({ false, true, false }, out.b)
  end)

  for _, n in ipairs { 0, 1, 63, 64, 65, 1023, 1024, 1025, 2047, 2048, 2049, 65536, 65537 } do
    it(("gives %d rows, whatever the size of a batch"):format(n), function()
      local fields = {
        { "x", "f64", function(i) return i end, n = n },
        { "s", "utf8", function(i) return i % 3 == 0 and null or ("s"):rep(i % 7) end, true, n = n },
      }
      for _, batch_rows in ipairs { 64, 8192 } do
        local out = assert(rowfn.map(fields, "y: i64, even: bool, t: utf8?, size: i32?", function(r)
          local s = r.s
          return r.x * 3, r.x % 2 == 0, s and s .. r.x, s and #s
        end, { batch_rows = batch_rows, rows = n > 1024 and 1024 or nil }))
        assert.are.equal(n, #(out.y or {}))
        for i = 1, n do
          local s = i % 3 ~= 0 and ("s"):rep(i % 7)
          if out.y[i] ~= i * 3 or out.even[i] ~= (i % 2 == 0) or out.t[i] ~= (s and s .. i or null)
            or out.size[i] ~= (s and #s or null) then
            error(("row %d: %s %s %s %s"):format(i, tostring(out.y[i]), tostring(out.even[i]), tostring(out.t[i]),
              tostring(out.size[i])))
          end
        end
      end
    end)
  end

  it("gives the same with any number of threads", function()
    local fields = { { "x", "f64", function(i) return (i * 7919) % 10007 / 7 end, n = 200000 } }
    local fn = function(r) return math.sin(r.x) + math.random(), tostring(r.x) end
    local one = assert(rowfn.map(fields, "y: f64, t: utf8", fn, { threads = 1, seed = 5 }))
    local four = assert(rowfn.map(fields, "y: f64, t: utf8", fn,
      { threads = 4, batch_rows = 1024, rows = 10000, seed = 5 }))
    same(one.y, four.y)
    same(one.t, four.t)
  end)

  it("takes batches with and without nulls in turn", function()
    local list = function(i) return i % 4096 == 0 and i <= 8192 and null or i end
    local out = assert(rowfn.map({ { "a", "i32", list, true, n = 40000 },
      { "b", "i32", function(i) return i % 1500 == 0 and null or i end, true, n = 40000 } },
      "y: i64?", function(r) return r.a and r.b and r.a + r.b end, { batch_rows = 1024, threads = 1 }))
    for i = 1, 40000 do
      local a, b = i % 4096 ~= 0 or i > 8192, i % 1500 ~= 0
      assert(out.y[i] == (a and b and 2 * i or null), i)
    end
  end)

  it("gives no column's rows twice when a column is named like a word of Lua", function()
    local out = assert(rowfn.map({ { "end", "i64", { 1 } }, { 'a"b\n', "i64", { 2 } } }, "y: i64", function(r)
      return r["end"] + r['a"b\n'] end))
    same({ 3 }, out.y)
  end)

  it("reads columns by computed names", function()
    local out = assert(rowfn.map({ { "a1", "i64", { 1, 2 } }, { "a2", "i64", { 10, 20 } } }, "y: i64", function(r)
      local sum = 0
      for k = 1, 2 do sum = sum + r["a" .. k] end
      return sum
    end))
    same({ 11, 22 }, out.y)
  end)

  it("gives parameters as p.name", function()
    local out = assert(rowfn.map({ { "x", "f64", { 1, 2 } } }, "y: f64, z: utf8", function(r, p)
      return r.x * p.factor, p.name end,
      { params = { factor = 2.5, name = "n", flag = false } }))
    same({ 2.5, 5 }, out.y)
    same({ "n", "n" }, out.z)
  end)

  describe("with 64-bit integers", function()
    local big = 9007199254740993LL

    it("refuses to read one beyond 2^53 as a number, and says how to", function()
      local line = rowfn.line() + 2
      local failure = rowfn.failure(rowfn.map({ { "id", "i64", { 1, 2 ^ 53, big } } }, "y: f64", function(r)
        return r.id + 0 end))
      assert.are.equal(2, failure.row)
      assert(failure.message:find(("map_spec.lua:%d: r.id is 9007199254740993"):format(line), 1, true), failure.message)
      assert.are.equal('read it as r:i64 "id"', failure.hint)
    end)

    it("reads them exactly with r:i64 and gives them exactly", function()
      local out = assert(rowfn.map({ { "id", "i64", { big, null, -5 } },
        { "u", "u64", { 0xffffffffffffffffULL, 1, 2 } } },
        "y: i64?, w: u64", function(r)
          local id = r:i64 "id"
          return id and id + 1LL, r:i64 "u"
        end))
      assert.are.equal("9007199254740994LL", tostring(out.y[1]))
      assert.are.equal(null, out.y[2])
      assert.are.equal(-4, out.y[3])
      assert.are.equal("18446744073709551615ULL", tostring(out.w[1]))
    end)

    it("refuses to give a number beyond 2^53", function()
      local failure = rowfn.failure(rowfn.map({ { "x", "f64", { 1, 2 } } }, "y: i64", function(r) return r.x * 2 ^ 53
        end))
      assert.are.equal(1, failure.row)
      assert(failure.hint:find "int64_t", failure.hint)
    end)
  end)

  describe("refuses a result that", function()
    local cases = {
      { "is nil where null is not declared", "y: f64", function() return nil end,
        "is nil, and it is not declared as nullable" },
      { "is text for a number", "y: f64", function() return "1" end, "which is not f64" },
      { "is a number for text", "y: utf8", function() return 1 end, "which is not text" },
      { "is a number for a boolean", "y: bool", function() return 1 end, "which is not bool" },
      { "has a fraction for an integer", "y: i32", function() return 1.5 end, "result 'y' is 1.5, which is not i32" },
      { "has a fraction for a wide integer", "y: i64", function() return 1.5 end,
        "result 'y' is 1.5, which is not i64" },
      { "is too large for i8", "y: i8", function() return 128 end, "128, which does not fit i8" },
      { "is negative for u8", "y: u8", function() return -1 end, "-1, which does not fit u8" },
      { "is negative for u64", "y: u64", function() return -1 end, "-1, which does not fit u64" },
      { "is too large for u32", "y: u32", function() return 2 ^ 32 end, "does not fit u32" },
      { "is too large for i32", "y: i32", function() return 2 ^ 31 end, "does not fit i32" },
      { "is NaN for an integer", "y: i32", function() return 0 / 0 end, "nan, which" },
      { "is infinite for an integer", "y: i64", function() return 1 / 0 end, "inf, which" },
      { "is a table", "y: f64", function() return {} end, "result 'y' is a table" },
      { "is not valid UTF-8", "y: utf8", function() return "a\255" end, "is not valid UTF-8" },
      { "is one too many", "y: f64", function() return 1, 2 end, "more than the 1 results that are declared" },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        local failure = rowfn.failure(rowfn.map({ { "x", "i64", { 1 } } }, case[2], case[3]))
        assert(failure.message:find(case[4], 1, true), failure.message)
        assert.are.equal(0, failure.row)
        assert.are.equal(7, failure.place)
      end)
    end

    it("is the lowest of several, also when text is checked late", function()
      local out, err = rowfn.map({ { "x", "i64", function(i) return i end, n = 300 } }, "a: utf8, b: i64", function(r)
        return r.x == 101 and "\128" or "ä", r.x == 200 and 0.5 or 1
      end, { threads = 1 })
      assert.are.equal(100, rowfn.failure(out, err).row)
    end)

    it("splits a character between two rows", function()
      local out, err = rowfn.map({ { "x", "i64", { 1, 2, 3, 4 } } }, "a: utf8", function(r) return r.x == 2 and "\195"
        or r.x == 3 and "\164" or "ok" end)
      assert.are.equal(1, rowfn.failure(out, err).row)
    end)
  end)

  it("accepts the limits of each integer type, and an integral -0", function()
    local limits = { i8 = { -128, 127 }, u8 = { 0, 255 }, i16 = { -32768, 32767 }, u16 = { 0, 65535 },
      i32 = { -2 ^ 31, 2 ^ 31 - 1 }, u32 = { 0, 2 ^ 32 - 1 },
      i64 = { -2 ^ 53, 2 ^ 53 }, u64 = { 0, 2 ^ 53 } }
    for type_name, pair in pairs(limits) do
      local out = assert(rowfn.map({ { "x", "f64", { pair[1], pair[2], -0.0 } } }, "y: " .. type_name, function(r)
        return r.x end))
      same({ pair[1], pair[2], 0 }, out.y, type_name)
    end
  end)

  it("agrees with a plain loop on random columns", function()
    local seed = os.time()
    math.randomseed(seed)
    for _ = 1, 20 do
      local n = math.random(0, 3000)
      local xs, ss = { n = n }, { n = n }
      for i = 1, n do
        xs[i] = math.random(5) == 1 and null or math.random(-1000, 1000) / 8
        ss[i] = math.random(5) == 1 and null or ("%x"):format(math.random(0, 99999)):sub(1, math.random(0, 5))
      end
      local out = assert(rowfn.map({ { "x", "f64", xs, true }, { "s", "utf8", ss, true } },
        "a: f64?, b: utf8?, c: bool?", function(r)
        if r.x and r.x > 50 then return r.x - 50, r.s, r.s == "" end
        return nil, r.s and r.s:upper(), r.x and r.x < 0 or nil
      end, { batch_rows = 64 * math.random(1, 20), threads = math.random(1, 3) }))
      for i = 1, n do
        local x, s = xs[i] ~= null and xs[i] or nil, ss[i] ~= null and ss[i] or nil
        local a, b, c
        if x and x > 50 then a, b, c = x - 50, s, s == "" else a, b, c = nil, s and s:upper(), x and x < 0 or nil end
        if a == nil then a = null end
        if b == nil then b = null end
        if c == nil then c = null end
        assert(out.a[i] == a and out.b[i] == b and out.c[i] == c, ("seed %d, row %d of %d"):format(seed, i, n))
      end
    end
  end)
end)
