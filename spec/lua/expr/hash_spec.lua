-- hash(x): stored hashes are those of Python's xxhash, xxh3_64_intdigest, over struct.pack("<q", x), ("<d", x) or the
-- bytes of a text.
local ffi = require "ffi"
local pipelines = require "pipelines"
local null = pipelines.null

local HASHES = {
  { "i64", 0, 14374147212387527897ULL }, { "i64", 1, 3439722301264460078ULL }, { "i64", -1, 5841669975847748627ULL },
  { "i64", 9007199254740993LL, 1150741463690763472ULL }, { "u64", 18446744073709551615ULL, 5841669975847748627ULL },
  { "f64", 1.5, 2693614958850487384ULL }, { "f64", 0, 14374147212387527897ULL },
  { "f64", 0 / 0, 767333564151873895ULL }, { "f64", math.huge, 3862676201523092338ULL },
  { "utf8", "", 3244421341483603138ULL }, { "utf8", "moonmill", 10176078037783267676ULL },
  { "utf8", "é", 17839895020865391795ULL }, { "utf8", ("a"):rep(300), 13966073120003161633ULL },
}

local function hashes(type, values, chain) return pipelines.run(chain or ':select "h = hash(x)"', {
  { "x", type, values } }).h end

local function hash_of(type, value) return hashes(type, { value })[1] end

describe("hash", function()
  for _, case in ipairs(HASHES) do
    it(("of %s %s is that of XXH3"):format(case[1], #tostring(case[2]) > 30 and "long text" or tostring(case[2])),
      function() assert.equal(case[3], ffi.cast("uint64_t", hash_of(case[1], case[2]))) end)
  end

  it("of null is null, and of a column of nulls too", function()
    assert.same({ null }, hashes("i64", { null }))
    assert.same({ null, null }, hashes("null", { null, null }, ':derive "h = hash(x)"'))
    assert.same({ null }, hashes("i64", { 1 }, ':derive "h = hash(null)"'))
  end)

  it("is never null where its argument is not, and is a u64", function()
    local _, shape = pipelines.run(':select { "x", "h = hash(x)" }', { { "x", "i64", { 1, null } } })
    assert.same({ { "x", "i64?" }, { "h", "u64?" } }, shape)
    _, shape = pipelines.run(':drop_null "x" :select "h = hash(x)"', { { "x", "i64", { 1 } } })
    assert.same({ { "h", "u64" } }, shape)
  end)

  it("is equal for values that are equal as keys: -0 and 0, all NaN", function()
    assert.equal(hash_of("f64", 0), hash_of("f64", -0))
    assert.equal(hash_of("f64", 0 / 0), hash_of("f64", -(0 / 0)))
    assert.equal(hash_of("f32", 0 / 0), hash_of("f64", 0 / 0))
    assert.equal(hash_of("f32", -0), hash_of("f32", 0))
  end)

  it("is equal for equal numbers of any width", function()
    for _, value in ipairs { 0, 1, 100 } do
      for _, type in ipairs { "i8", "i16", "i32", "u8", "u16", "u32", "u64" } do
        assert.equal(hash_of("i64", value), hash_of(type, value), type)
      end
    end
    for _, type in ipairs { "i8", "i16", "i32" } do assert.equal(hash_of("i64", -7), hash_of(type, -7), type) end
    assert.equal(hash_of("f64", 0.5), hash_of("f32", 0.5))
  end)

  it("of times is that of their count, and of a bool that of 1 or 0", function()
    assert.equal(hash_of("i64", 15000), hash_of("date", 15000))
    assert.equal(hash_of("i64", 86400000), hash_of("timestamp(ms)", 86400000))
    assert.equal(hash_of("i64", -3), hash_of("duration", -3))
    assert.same({ hash_of("i64", 1), hash_of("i64", 0) }, hashes("bool", { true, false }))
    assert.equal(hash_of("utf8", "a\0b"), hash_of("binary", "a\0b"))
  end)

  it("is the same folded, in any vector, and behind a filter", function()
    for _, n in ipairs { 0, 1, 63, 64, 65, 1023, 1024, 1025, 2049, 65537 } do
      local values, texts = {}, {}
      for i = 1, n do
        values[i] = i % 7 == 0 and null or i % 100
        texts[i] = i % 5 == 0 and null or ("t"):rep(i % 40)
      end
      local one = pipelines.run([[:where "x == 42 and t ~= null"
        :derive { "same = hash(x) == hash(42)", "texts = hash(t) == hash(repeat('t', len(t)))" }
        :group({}, { "s = all(same)", "t = all(texts)" })]],
        { { "x", "i64", values }, { "t", "utf8", texts } }, { piece = 127 })
      assert.same({ { true }, { true } }, { one.s, one.t }, tostring(n))
    end
  end)

  it("of random texts differ, whatever their length", function()
    local seed, values = os.time(), {}
    math.randomseed(seed)
    for i = 1, 2000 do
      local bytes = {}
      for k = 1, math.random(0, 300) do bytes[k] = string.char(math.random(97, 122)) end
      values[i] = i .. ":" .. table.concat(bytes)
    end
    local seen = {}
    for i, hash in ipairs(hashes("utf8", values)) do
      local key = tostring(hash)
      assert.is_nil(seen[key], ("texts %s and %d (seed %d)"):format(seen[key], i, seed))
      seen[key] = i
    end
  end)

  it("groups rows into as many buckets as one likes", function()
    local values = {}
    for i = 1, 10000 do values[i] = i end
    local out = pipelines.run(':group("bucket = hash(x) % 8", "n = count()") :sort "bucket"',
      { { "x", "i64", values } })
    assert.same({ 0, 1, 2, 3, 4, 5, 6, 7 }, out.bucket)
    for _, n in ipairs(out.n) do assert.is_true(n > 1100 and n < 1400) end
  end)

  it("takes one argument", function()
    assert.equal("argument-count", pipelines.problem(':derive "h = hash(x, 1)"', { { "x", "i64", { 1 } } }).id)
  end)
end)
