-- One order and one identity of floats: whatever part of the core orders or compares them agrees, pair by pair, with
-- the rule that this file writes down.
local ffi = require "ffi"
local columns = require "columns"
local pipelines = require "pipelines"

local FORMS = {
  f64 = { whole = "u64", float = "double", bits = {
    0xfff0000000000000ULL, 0xffefffffffffffffULL, 0xbff8000000000000ULL, 0x8010000000000000ULL, 0x800fffffffffffffULL,
    0x8000000000000001ULL, 0x8000000000000000ULL, 0x0000000000000000ULL, 0x0000000000000001ULL, 0x000fffffffffffffULL,
    0x0010000000000000ULL, 0x3ff8000000000000ULL, 0x7fefffffffffffffULL, 0x7ff0000000000000ULL,
    0x7ff0000000000001ULL, 0xfff4000000000123ULL, 0x7ff8000000000000ULL, 0xfff8000000abcdefULL,
    0x7fffffffffffffffULL } },
  f32 = { whole = "u32", float = "float", bits = {
    0xff800000, 0xff7fffff, 0xbfc00000, 0x80800000, 0x807fffff, 0x80000001, 0x80000000, 0x00000000, 0x00000001,
    0x007fffff, 0x00800000, 0x3fc00000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0xffa00123, 0x7fc00000, 0xffc0cdef,
    0x7fffffff } },
}

-- The rule. The lists above ascend; their last five are NaN, -0 is the seventh, +0 the eighth.
local NANS, MINUS, PLUS = 15, 7, 8
local function rank(i) return math.min(i, NANS) end
local function is_nan(i) return i >= NANS end
local function key(i) return rank(i) == MINUS and PLUS or rank(i) end
local function equal(i, j) return not is_nan(i) and not is_nan(j) and key(i) == key(j) end
local function less(i, j) return not is_nan(i) and not is_nan(j) and key(i) < key(j) end

-- A table of all pairs: columns p (number of the pair), a and b; `long` is p as a text too long for a packed sort key,
-- so that what stands behind it is compared by value. Two rows a pair, with a in the first and b in the second as x.
local function pairs_of(name)
  local form, pairs_list = FORMS[name], {}
  for i = 1, #form.bits do
    for j = 1, #form.bits do pairs_list[#pairs_list + 1] = { i, j } end
  end
  return form, pairs_list
end

local function table_of(form, name, floats, lists)
  for _, float in ipairs(floats) do lists[#lists + 1] = { float[1], form.whole, float[2] } end
  local made = columns.table(lists, 1024)
  for f = #lists - #floats, #lists - 1 do
    made.schema.fields[f].type = columns.type(name)
    for b = 0, tonumber(made.count) - 1 do made.batches[b].columns[f].type = columns.type(name) end
  end
  return made
end

-- Each pair as one row: columns p, a, b.
local function wide(name)
  local form, list = pairs_of(name)
  local p, a, b = {}, {}, {}
  for k, pair in ipairs(list) do p[k], a[k], b[k] = k, form.bits[pair[1]], form.bits[pair[2]] end
  return table_of(form, name, { { "a", a }, { "b", b } }, { { "p", "i64", p } }), list
end

-- Each pair as two rows: columns p, long, i (1 for a, 2 for b), x.
local function tall(name)
  local form, list = pairs_of(name)
  local p, long, i, x = {}, {}, {}, {}
  for k, pair in ipairs(list) do
    for half = 1, 2 do
      local at = 2 * k - 2 + half
      p[at], long[at], i[at] = k, ("a text of many bytes that ends in %06d"):format(k), half
      x[at] = form.bits[pair[half]]
    end
  end
  return table_of(form, name, { { "x", x } }, { { "p", "i64", p }, { "long", "utf8", long }, { "i", "i64", i } }), list
end

-- One pair alone, as column x of two rows beside i.
local function alone(name, pair)
  local form = FORMS[name]
  return table_of(form, name, { { "x", { form.bits[pair[1]], form.bits[pair[2]] } } }, { { "i", "i64", { 1, 2 } } })
end

local function number(value) return tonumber(value) end

for _, name in ipairs { "f64", "f32" } do
  describe("special values of " .. name, function()
    it("compare as IEEE says, and hash as keys", function()
      local source, list = wide(name)
      local got = assert(pipelines.over(':select { "p", "eq = a == b", "ne = a ~= b", "lt = a < b", "le = a <= b", '
        .. '"gt = a > b", "ge = a >= b", "same = hash(a) == hash(b)", "differ = is_distinct(a, b)" }', source))
      for k, pair in ipairs(list) do
        local i, j = pair[1], pair[2]
        local about = ("pair %d %d"):format(i, j)
        assert.equal(equal(i, j), got.eq[k], about)
        assert.equal(not equal(i, j), got.ne[k], about)
        assert.equal(not equal(i, j), got.differ[k], about)
        assert.equal(less(i, j), got.lt[k], about)
        assert.equal(less(i, j) or equal(i, j), got.le[k], about)
        assert.equal(less(j, i), got.gt[k], about)
        assert.equal(less(j, i) or equal(i, j), got.ge[k], about)
        assert.equal(key(i) == key(j), got.same[k], about)
      end
    end)

    it("sort in the total order, by packed keys and by values, and min and max agree", function()
      local source, list = tall(name)
      local function expect(chain, descending)
        local got = assert(pipelines.over(chain, source))
        for k, pair in ipairs(list) do
          local before = rank(pair[2]) < rank(pair[1])
          if descending then before = rank(pair[1]) < rank(pair[2]) end
          assert.equal(before and 2 or 1, number(got.i[2 * k - 1]), ("%s pair %d %d"):format(chain, pair[1], pair[2]))
        end
      end
      expect ':sort { "p", "x" } :select { "i" }'
      expect ':sort { "long", "x" } :select { "i" }'
      expect(':sort { "p", "-x" } :select { "i" }', true)
      expect(':sort { "long", "-x" } :select { "i" }', true)
      for _, case in ipairs { { "first", ":limit(1, { by = 'p', order = 'x' })" },
        { "min", ":group('p', { 'm = min(x)', 'a = first(x)', 'b = last(x)' })" },
        { "max", ":group('p', { 'm = max(x)', 'a = first(x)', 'b = last(x)' })" } } do
        local what, chain = case[1], case[2]
        if what == "first" then
          local got = assert(pipelines.over(chain .. ' :sort "p" :select { "i" }', source))
          for k, pair in ipairs(list) do
            assert.equal(rank(pair[2]) < rank(pair[1]) and 2 or 1, number(got.i[k]))
          end
        else
          -- The one that was chosen hashes as the rule's does; which zero it is tells 1 / m.
          local got = assert(pipelines.over(chain .. ' :select { "a_same = hash(m) == hash(a)", '
            .. '"b_same = hash(m) == hash(b)", "minus = 1 / m < 0 and m == 0" }', source))
          for k, pair in ipairs(list) do
            local i, j = pair[1], pair[2]
            local chosen = (rank(j) < rank(i)) == (what == "min") and rank(i) ~= rank(j) and j or i
            local about = ("%s of pair %d %d"):format(what, i, j)
            assert.equal(key(chosen) == key(i), got.a_same[k], about)
            assert.equal(key(chosen) == key(j), got.b_same[k], about)
            assert.equal(chosen == MINUS, got.minus[k], about)
          end
        end
      end
    end)

    it("min(a, b) and max(a, b) of a row choose in the total order", function()
      local source, list = wide(name)
      local got = assert(pipelines.over(':select { "low_a = hash(min(a, b)) == hash(a)", '
        .. '"high_a = hash(max(a, b)) == hash(a)", "low_minus = 1 / min(a, b) < 0 and min(a, b) == 0", '
        .. '"high_minus = 1 / max(a, b) < 0 and max(a, b) == 0" }', source))
      for k, pair in ipairs(list) do
        local i, j = pair[1], pair[2]
        local low, high = rank(i) <= rank(j) and i or j, rank(i) >= rank(j) and i or j
        assert.equal(key(low) == key(i), got.low_a[k])
        assert.equal(key(high) == key(i), got.high_a[k])
        assert.equal(low == MINUS, got.low_minus[k])
        assert.equal(high == MINUS, got.high_minus[k])
      end
    end)

    it("are one key where the rule says so, beside other keys", function()
      local source, list = tall(name)
      local function counts(chain)
        return assert(pipelines.over(chain .. ' :group("p", "rows = count()") :sort "p"', source)).rows
      end
      local n_unique = assert(pipelines.over(':group("p", "rows = n_unique(x)") :sort "p"', source)).rows
      local group = counts ':group({ "p", "x" }, "n = count()")'
      local distinct, limit = counts ':distinct { "p", "x" }', counts ':limit(1, { by = { "p", "x" } })'
      for k, pair in ipairs(list) do
        local expected, about = key(pair[1]) == key(pair[2]) and 1 or 2, ("pair %d %d"):format(pair[1], pair[2])
        for _, got in ipairs { n_unique, group, distinct, limit } do assert.equal(expected, number(got[k]), about) end
      end
    end)

    it("are one key where the rule says so, alone", function()
      local _, list = pairs_of(name)
      for _, pair in ipairs(list) do
        local source, expected = alone(name, pair), key(pair[1]) == key(pair[2]) and 1 or 2
        for _, chain in ipairs { ':group("x", "n = count()") :select { "n" }', ':distinct "x" :select { "i" }',
          ':limit(1, { by = "x" }) :select { "i" }', ':limit(1, { by = "x", order = "i" }) :select { "i" }' } do
          local got = assert(pipelines.over(chain, source))
          assert.equal(expected, #(got.n and type(got.n) == "table" and got.n or got.i),
            ("%s of pair %d %d"):format(chain, pair[1], pair[2]))
        end
        assert.equal(expected, number(assert(pipelines.over(':group({}, "u = n_unique(x)")', source)).u[1]))
      end
    end)

    it("are in a set as they are equal", function()
      local source, list = wide(name)
      local sets = { few = { "0.0", "1.5" }, zero = { "-0.0", "1.5" } }
      local many = {} -- hashed
      for i = 1, 40 do many[i] = ("%d.25"):format(i) end
      many[41], many[42] = "-0.0", "1.5"
      sets.many = many
      for _, set in pairs(sets) do
        local got = assert(pipelines.over((':select { "in_set = is_in(a, {%s})" }'):format(table.concat(set, ", ")),
          source)).in_set
        for k, pair in ipairs(list) do
          assert.equal(key(pair[1]) == PLUS or pair[1] == 12, got[k], ("value %d"):format(pair[1]))
        end
      end
    end)
  end)
end

it("has the lists in the order of the rule", function()
  for _, form in pairs(FORMS) do
    local before
    for i, bits in ipairs(form.bits) do
      local box = ffi.new(form.float .. "[1]")
      ffi.copy(box, ffi.new((form.whole == "u64" and "uint64_t" or "uint32_t") .. "[1]", bits), ffi.sizeof(form.float))
      if i < NANS then
        assert.truthy(box[0] == box[0])
        assert.truthy(not before or before <= box[0])
        before = box[0]
      end
    end
  end
end)
