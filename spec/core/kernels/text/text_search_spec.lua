local texts = require "texts"
local columns = require "columns"
local apply, same, null = texts.apply, texts.same, columns.null

local function utf8(list) return { "utf8", list } end

local function plain_find(text, part, from) return text:find(part, from, true) end

---A list of wanted values: null where an input is null.
local function expect(n, f, ...)
  local lists, want = { ... }, {}
  for i = 1, n do
    local values, any_null = {}, false
    for k, list in ipairs(lists) do
      values[k] = list[i]
      any_null = any_null or list[i] == null
    end
    local value = nil
    if not any_null then value = f(unpack(values)) end
    if value == nil then value = "null" end
    want[i] = tostring(value)
  end
  return want
end

---Pairs of texts of which the second often has to do with the first.
local function pairs_of(n, nulls)
  local a = texts.list(n, function() return texts.random(40) end, nulls)
  local b = texts.list(n, function(i)
    local text, kind = a[i], math.random(6)
    if text == null or kind == 1 then return texts.random(4) end
    local characters = texts.characters(text)
    local first = math.random(0, #characters)
    if kind == 2 then return text end
    if kind == 3 then return table.concat(characters, "", 1, first) end
    if kind == 4 then return table.concat(characters, "", first + 1) end
    if kind == 5 then return text .. "x" end
    return table.concat(characters, "", first + 1, math.min(#characters, first + math.random(0, 5)))
  end, nulls)
  return a, b
end

---Texts by their bytes; LuaJIT's own < may follow a locale.
local function before(a, b)
  for i = 1, math.min(#a, #b) do
    if a:byte(i) ~= b:byte(i) then return a:byte(i) < b:byte(i) end
  end
  return #a < #b
end

local tests = {
  EQ = function(a, b) return a == b end, NE = function(a, b) return a ~= b end,
  LT = before, LE = function(a, b) return not before(b, a) end,
  GT = function(a, b) return before(b, a) end, GE = function(a, b) return not before(a, b) end,
  STARTS_WITH = function(a, b) return a:sub(1, #b) == b end,
  ENDS_WITH = function(a, b) return b == "" or a:sub(-#b) == b and #a >= #b end,
  CONTAINS = function(a, b) return plain_find(a, b) ~= nil end,
  FIND = function(a, b)
    local at = plain_find(a, b)
    return at and #texts.characters(a:sub(1, at - 1)) + 1
  end,
}

describe("two texts", function()
  for name, test in pairs(tests) do
    for _, n in ipairs { 1, 63, 64, 65, 1023, 1024, 1025, 2047, 2048, 2049 } do
      it(("%s over %d rows, with and without nulls"):format(name:lower(), n), function()
        math.randomseed(texts.seed + n)
        for _, nulls in ipairs { false, true } do
          local a, b = pairs_of(n, nulls)
          same(apply(name, { utf8(a), utf8(b) }), expect(n, test, a, b), a, b)
        end
      end)
    end
  end

  it("compare by bytes, so that a text comes before its continuations", function()
    local a = { "", "a", "a", "ab", "é", "Z", "a\0", "12345678", "12345678", "123456789abcdefgh" }
    local b = { "a", "a", "ab", "a", "z", "a", "a", "12345679", "123456780", "123456789abcdefgi" }
    same(apply("LT", { utf8(a), utf8(b) }), expect(#a, before, a, b), a, b)
    same(apply("LT", { { "binary", { "\255", "\0" } }, { "binary", { "\254\1", "\0\0" } } }), { "false", "true" })
  end)

  it("differ where one is null, and only then are distinct from null", function()
    same(apply("IS_DISTINCT", { utf8 { "a", null, null, "a" }, utf8 { "a", "a", null, "b" } }), { "false", "true",
      "false", "true" })
  end)

  it("are found at every place of a long text", function()
    local rows, parts, want = {}, {}, {}
    for n = 0, 70 do
      rows[#rows + 1] = ("-"):rep(n) .. "needle" .. ("-"):rep(70 - n)
      parts[#parts + 1] = "needle"
      want[#want + 1] = n + 1
      rows[#rows + 1] = ("need"):rep(n) .. "nlle"
      parts[#parts + 1] = "needle"
      want[#want + 1] = "null"
    end
    same(apply("FIND", { utf8(rows), utf8(parts) }), want, rows)
  end)
end)

describe("is_in", function()
  for _, count in ipairs { 1, 2, 8, 9, 300 } do
    it(("finds the members of a set of %d texts, and no others"):format(count), function()
      math.randomseed(texts.seed)
      local programs = require "programs"
      local set, members = {}, {}
      for i = 1, count do
        set[i] = texts.random(i % 20)
        members[set[i]] = true
      end
      local list = texts.list(1025,
        function() return math.random(2) == 1 and set[math.random(count)] or texts.random(6) end, true)
      local p = programs.new { "utf8" }
      local column, first = p:load(0), nil
      for _, text in ipairs(set) do
        local at = p:value("utf8", text)
        first = first or at
      end
      p:value("utf8", null)
      local batch, owner = programs.batch { utf8(list) }
      local lists = p:run({ p:op("IN", "utf8", column, first, count + 1) }, batch)
      same(lists[1], expect(#list, function(text) return members[text] or false end, list), list)
      assert(owner)
    end)
  end
end)

local function replaced(text, part, by)
  if part == "" then return text end
  local parts, from = {}, 1
  while true do
    local at = plain_find(text, part, from)
    if not at then break end
    parts[#parts + 1] = text:sub(from, at - 1) .. by
    from = at + #part
  end
  return table.concat(parts) .. text:sub(from)
end

describe("texts made of texts", function()
  for _, n in ipairs { 1, 64, 1024, 1025, 2048, 2049 } do
    it(("are joined, replaced in and repeated over %d rows"):format(n), function()
      math.randomseed(texts.seed + n)
      for _, nulls in ipairs { false, true } do
        local a, b = pairs_of(n, nulls)
        local c = texts.list(n, function() return texts.random(5) end, nulls)
        local times = texts.list(n, function() return math.random(-1, 9) end, nulls)
        same(apply("CONCAT", { utf8(a), utf8(b) }), expect(n, function(x, y) return x .. y end, a, b), a, b)
        same(apply("REPLACE", { utf8(a), utf8(b), utf8(c) }), expect(n, replaced, a, b, c), a, b, c)
        same(apply("REPEAT", { utf8(a), { "i64", times } }), expect(n, function(x, y) return x:rep(y) end, a, times),
          a, times)
      end
    end)
  end

  it("replace occurrences from the left that do not overlap, and nothing for an empty text", function()
    same(apply("REPLACE", { utf8 { "aaaaa", "abc", "" }, utf8 { "aa", "", "" }, utf8 { "b", "x", "x" } }), { "bba",
      "abc", "" })
  end)

  it("fail the row whose text would be longer than a column can hold", function()
    local rows, count = { "a", "0123456789abcdef", "" }, { 3, 2 ^ 40, 2 ^ 62 }
    local _, failure = apply("REPEAT", { utf8(rows), { "i64", count } })
    assert.equal(1, tonumber(failure.row))
    same(apply("REPEAT", { utf8 { "", "ab" }, { "i64", { 2 ^ 62, 0 } } }), { "", "" })
  end)
end)
