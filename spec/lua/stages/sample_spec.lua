-- sample: so many rows, a share, so many per group; the same rows for the same seed, in the order of the input.
local pipelines = require "pipelines"
local null = pipelines.null

local function numbers(n)
  local list, keys, words = {}, {}, {}
  for i = 1, n do list[i], keys[i], words[i] = i, i % 7 < 3 and null or "k" .. i % 7, "w" .. i end
  return { { "i", "i64", list }, { "k", "utf8", keys }, { "w", "utf8", words } }
end

local function rows(chain, lists, options) return pipelines.run(chain, lists, options).i end

local function assert_rising(list)
  for i = 2, #list do assert.is_true(list[i - 1] < list[i]) end
end

describe("sample of a number of rows", function()
  local lists = numbers(3000)

  it("is that many different rows in the order of the input, whole", function()
    local out = pipelines.run(":sample(100)", lists)
    assert.equal(100, #out.i)
    assert_rising(out.i)
    for row, i in ipairs(out.i) do assert.equal("w" .. i, out.w[row]) end
  end)

  it("is all rows where there are no more", function()
    assert.equal(3000, #rows(":sample(3000)", lists))
    assert.equal(3000, #rows(":sample(9007199254740992)", lists))
    assert.same({ 1 }, rows(":sample(5)", numbers(1)))
    assert.same({}, rows(':where "i < 0" :sample(5)', lists))
  end)

  it("is the same for one seed, whatever the threads and batches, and another for another", function()
    local chain = ':where "i %% 3 > 0" :sample(200, { seed = %d })'
    local one = rows(chain:format(4), lists)
    for _, options in ipairs { { threads = 1, batch_rows = 64, piece = 64 }, { threads = 3, piece = 500 } } do
      assert.same(one, rows(chain:format(4), lists, options))
    end
    assert.are_not.same(one, rows(chain:format(5), lists))
    assert.are_not.same(one, rows(chain:format(-4), lists))
    assert.same(rows(":sample(9)", lists), rows(":sample(9, { seed = 0 })", lists))
  end)

  it("takes each row as often as any other", function()
    local few, seen, rounds = numbers(20), {}, 2000
    for seed = 1, rounds do
      for _, i in ipairs(rows((":sample(5, { seed = %d })"):format(seed), few)) do seen[i] = (seen[i] or 0) + 1 end
    end
    local chi = 0 -- of 20 cells, 19 degrees of freedom: above 43.8 once in a thousand times; these seeds are fixed
    for i = 1, 20 do chi = chi + (seen[i] - rounds / 4) ^ 2 / (rounds / 4) end
    assert.is_true(chi < 43.8, chi)
  end)

  it("is that many of each group, null being one, or all that it has", function()
    local out = pipelines.run(':sample(4, { by = "k", seed = 1 })', lists)
    local count = {}
    for row in ipairs(out.i) do count[tostring(out.k[row])] = (count[tostring(out.k[row])] or 0) + 1 end
    assert.same({ [tostring(null)] = 4, k3 = 4, k4 = 4, k5 = 4, k6 = 4 }, count)
    assert_rising(out.i)
    assert.equal(3000, #rows(':sample(3000, { by = { "k" } })', lists))
  end)

  it("leaves columns that are called as its own would be", function()
    local own = { { "(row)", "i64", { 7, 7, 7 } }, { "(drawn)", "i64", { 8, 8, 8 } } }
    local out, shape = pipelines.run(":sample(2)", own)
    assert.same({ 7, 7 }, out["(row)"])
    assert.same({ 8, 8 }, out["(drawn)"])
    assert.equal(2, #shape)
  end)
end)

describe("sample of a share", function()
  local lists = numbers(20000)

  it("keeps about that share of the rows, in their order", function()
    for _, share in ipairs { 0.001, 0.1, 0.5, 0.99 } do
      local kept = rows((":sample(%g)"):format(share), lists)
      local expected, deviation = share * 20000, math.sqrt(20000 * share * (1 - share))
      assert.is_true(math.abs(#kept - expected) < 5 * deviation, #kept)
      assert_rising(kept)
    end
  end)

  it("is the same for one seed, whatever the threads and batches", function()
    local one = rows(':where "i % 2 == 0" :sample(0.2, { seed = 3 })', lists)
    for _, options in ipairs { { threads = 1, batch_rows = 64, piece = 64 }, { threads = 3, piece = 5000 } } do
      assert.same(one, rows(':where "i % 2 == 0" :sample(0.2, { seed = 3 })', lists, options))
    end
    assert.are_not.same(one, rows(':where "i % 2 == 0" :sample(0.2, { seed = 4 })', lists))
  end)

  it("of a larger one is a part of it", function()
    local large = {}
    for _, i in ipairs(rows(":sample(0.4)", lists)) do large[i] = true end
    for _, i in ipairs(rows(":sample(0.1)", lists)) do assert.is_true(large[i]) end
  end)

  it("keeps the number of a row for errors of later stages", function()
    local problem = pipelines.problem(':sample(0.9) :derive "d = 1 // (i - 500)" :where "d >= 0"', lists)
    assert.same({ "divide-by-zero", 500 }, { problem.id, problem.row })
  end)
end)

describe("sample refuses", function()
  for chain, message in pairs {
    [":sample()"] = "got nothing", [":sample(0)"] = "got 0", [":sample(-1)"] = "got %-1", [":sample(1.5)"] = "got 1.5",
    [":sample(0/0)"] = "got %-?nan", [':sample("a")'] = "got a", [":sample(2, { seed = 0.5 })"] = "seed is 0.5",
    [':sample(0.5, { by = "k" })'] = "by with a number of rows only", [":sample(2, { sed = 1 })"] = 'no option "sed"',
    [':sample(2, { by = "none" })'] = 'no column "none"',
  } do
    it(chain, function() assert.matches(message, pipelines.problem(chain, numbers(3)).message) end)
  end
end)
