local texts = require "texts"
local columns = require "columns"
local apply, same, null = texts.apply, texts.same, columns.null

---A list of random texts of n rows, with what f makes of each.
local function compare(op, n, f)
  local list = texts.list(n, function() return texts.random(40) end, true)
  local want = texts.list(n, function(i) return list[i] == null and "null" or f(list[i], i) end)
  same(apply(op, { { "utf8", list } }), want, list)
end

describe("characters", function()
  for _, n in ipairs { 1, 63, 64, 65, 1025 } do
    it(("are counted and reversed over %d rows"):format(n), function()
      math.randomseed(texts.seed + n)
      compare("LEN", n, function(text) return #texts.characters(text) end)
      compare("BYTES", n, function(text) return #text end)
      compare("REVERSE", n, function(text)
        local characters, reversed = texts.characters(text), {}
        for i = #characters, 1, -1 do reversed[#reversed + 1] = characters[i] end
        return table.concat(reversed)
      end)
    end)

    it(("are cut out as Lua's sub does over %d rows"):format(n), function()
      math.randomseed(texts.seed + n)
      local function place()
        local kind = math.random(8)
        return kind == 1 and 0 or kind == 2 and 2 ^ 30 or kind == 3 and -2 ^ 30 or math.random(-45, 45)
      end
      local list = texts.list(n, function() return texts.random(40) end, true)
      local first, last = texts.list(n, place, true), texts.list(n, place, true)
      local want = texts.list(n, function(i)
        if list[i] == null or first[i] == null or last[i] == null then return "null" end
        local characters = texts.characters(list[i])
        local places = {} -- Lua's own sub on one byte a character
        for k = 1, #characters do places[k] = string.char(k) end
        local cut = table.concat(places):sub(first[i], last[i])
        return cut == "" and "" or table.concat(characters, "", cut:byte(1), cut:byte(-1))
      end)
      same(apply("SUB_TEXT", { { "utf8", list }, { "i64", first }, { "i64", last } }), want, list, first, last)
    end)
  end

  it("of binary are bytes", function()
    local list = { "\255\254\0", "", "\195\169" }
    same(apply("LEN", { { "binary", list } }), { 3, 0, 2 })
    same(apply("SUB_TEXT", { { "binary", list }, { "i64", { 2, 1, 1 } }, { "i64", { -1, 1, 1 } } }), { "\254\0", "",
      "\195" })
  end)
end)

describe("case", function()
  it("of every character is Unicode's one-to-one mapping, as in Python", function()
    local points, lower, upper = {}, {}, {}
    for i, line in ipairs(texts.python [[
import unicodedata
for c in range(1, 0x110000):
    if 0xd800 <= c < 0xe000 or unicodedata.category(chr(c)) == "Cn": continue
    s = chr(c)
    low = "i" if c == 0x130 else s.lower()
    up = s.upper() if len(s.upper()) == 1 else s.title() if len(s.title()) == 1 else s
    if low != s or up != s or c < 0x3000: print(c, ord(low), ord(up))]]) do
      local a, b, c = line:match "^(%d+) (%d+) (%d+)$"
      points[i], lower[i], upper[i] = texts.utf8 { tonumber(a) }, texts.utf8 { tonumber(b) }, texts.utf8 { tonumber(c) }
    end
    assert.truthy(#points > 12000)
    same(apply("LOWER", { { "utf8", points } }), lower, points)
    same(apply("UPPER", { { "utf8", points } }), upper, points)
  end)

  it("keeps the characters around, wherever one beyond ASCII stands", function()
    local list, lower, upper = {}, {}, {}
    for n = 0, 40 do
      list[n + 1] = ("Ab"):rep(n) .. "Éß" .. ("yZ@[`{"):rep(n)
      lower[n + 1] = ("ab"):rep(n) .. "éß" .. ("yz@[`{"):rep(n)
      upper[n + 1] = ("AB"):rep(n) .. "Éß" .. ("YZ@[`{"):rep(n)
    end
    same(apply("LOWER", { { "utf8", list } }), lower, list)
    same(apply("UPPER", { { "utf8", list } }), upper, list)
  end)

  it("makes room for texts that become longer", function()
    local list, want = {}, {}
    for n = 1, 300 do
      list[n], want[n] = ("Ⱥ"):rep(n), ("ⱥ"):rep(n)
    end
    same(apply("LOWER", { { "utf8", list } }), want, list)
    same(apply("LOWER", { { "utf8", { "a", null, "ÄÖ" } } }), { "a", "null", "äö" })
  end)
end)

describe("white space", function()
  local blanks = {}
  for _, c in ipairs { 9, 10, 11, 12, 13, 32, 0x85, 0xa0, 0x1680, 0x2000, 0x2005, 0x200a, 0x2028, 0x2029, 0x202f,
    0x205f, 0x3000 } do
    blanks[#blanks + 1] = texts.utf8 { c }
  end

  it("is what Unicode calls so, and is cut off at the ends only", function()
    math.randomseed(texts.seed)
    local function some() return texts.list(math.random(0, 3), function() return blanks[math.random(#blanks)] end) end
    local list, both, left, right = {}, {}, {}, {}
    for i = 1, 2000 do
      local before, after = table.concat(some()), table.concat(some())
      local inner = ({ "", "x", "é", "a" .. blanks[math.random(#blanks)] .. "b", "​", "日 本" })[math.random(6)]
      if inner == "" then after = "" end
      list[i] = before .. inner .. after
      both[i] = inner
      left[i], right[i] = inner .. after, inner == "" and "" or before .. inner
    end
    same(apply("TRIM", { { "utf8", list } }), both, list)
    same(apply("LTRIM", { { "utf8", list } }), left, list)
    same(apply("RTRIM", { { "utf8", list } }), right, list)
  end)
end)

describe("text and binary", function()
  it("turn into each other where the bytes are UTF-8", function()
    local list = { "abc", "\255", "\195\169", "\195", "", "\237\160\128", "\240\159\152\128" }
    same(texts.cast("utf8", "binary", list, "TRY"), { "abc", "null", "\195\169", "null", "", "null",
      "\240\159\152\128" })
    same(texts.cast("binary", "utf8", { "é", "" }), { "\195\169", "" })
  end)
end)
