-- distance(a, b) against the plain table of Wagner and Fischer: over characters, around the edges of blocks.
local pipelines = require "pipelines"
local null = pipelines.null

local function characters(text)
  local list = {}
  for character in text:gmatch "[%z\1-\127\194-\244][\128-\191]*" do list[#list + 1] = character end
  return list
end

local function distance(a, b)
  local x, y, row = characters(a), characters(b), {}
  for j = 0, #y do row[j] = j end
  for i = 1, #x do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #y do
      local best = math.min(diagonal + (x[i] == y[j] and 0 or 1), row[j] + 1, row[j - 1] + 1)
      diagonal, row[j] = row[j], best
    end
  end
  return row[#y]
end

local ALPHABETS = { { "a", "b" }, { "a", "b", "c", "d", "e", "f" }, { "ä", "ö", "a" }, { "日", "本", "語", "x" },
  { "😀", "😁", "é", "z", "ß" } }
local LENGTHS = { 0, 1, 2, 5, 17, 62, 63, 64, 65, 127, 128, 129, 200 }

local function random_text(random, alphabet, length)
  local list = {}
  for i = 1, length do list[i] = alphabet[random(#alphabet)] end
  return table.concat(list)
end

describe("distance", function()
  local seed = os.time()
  math.randomseed(seed)
  local a, b = { "", "", "kitten", "flaw", null, "x", null }, { "", "abc", "sitting", "lawn", "x", null, null }
  local expected = { 0, 3, 3, 2, null, null, null }
  for _, alphabet in ipairs(ALPHABETS) do
    for _, m in ipairs(LENGTHS) do
      for _ = 1, 4 do
        local n = LENGTHS[math.random(#LENGTHS)]
        local i = #a + 1
        a[i], b[i] = random_text(math.random, alphabet, m), random_text(math.random, alphabet, n)
        if i % 3 == 0 then b[i] = a[i] .. b[i] end
        if i % 5 == 0 then b[i] = b[i] .. a[i] end
        expected[i] = distance(a[i], b[i])
      end
    end
  end
  local lists = { { "a", "utf8", a }, { "b", "utf8", b } }

  it("is that of the table, of seed " .. seed, function()
    assert.same(expected, pipelines.run(':derive "d = distance(a, b)"', lists).d)
    assert.same(expected, pipelines.run(':derive "d = distance(b, a)"', lists).d)
  end)

  it("is the same after a filter, and in small batches on several threads", function()
    local chain = ':where "a ~= null and b ~= null and len(a) > 1" :derive "d = distance(a, b)"'
    local one = pipelines.run(chain, lists).d
    assert.same(one, pipelines.run(chain, lists, { threads = 3, batch_rows = 64, piece = 64 }).d)
    local at = 0
    for i = 1, #a do
      if a[i] ~= null and b[i] ~= null and #characters(a[i]) > 1 then
        at = at + 1
        assert.equal(expected[i], one[at])
      end
    end
    assert.equal(at, #one)
  end)

  it("takes a literal, and bytes only as text", function()
    assert.equal(3, pipelines.run(":derive \"d = distance(a, 'sitting')\"", { { "a", "utf8", { "kitten" } } }).d[1])
    assert.equal("type", pipelines.problem(':derive "d = distance(a, b)"',
      { { "a", "binary", { "x" } }, { "b", "binary", { "y" } } }).id)
  end)
end)
