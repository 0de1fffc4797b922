-- Stages that reorder, choose or fold rows: group sort limit distinct; and those with a Lua function: where map.
local pipelines = require "pipelines"
local null = pipelines.null

local LISTS = {
  { "k", "utf8", { "x", "y", "x", null, "y", "x" } }, { "n", "i64", { 3, 1, null, 4, 1, 5 } },
  { "f", "f64", { 0.5, 1.5, 2.5, 3.5, null, 5.5 } },
}

describe("group", function()
  it("makes a row of each key in order of first appearance; null is a key", function()
    local out, shape = pipelines.run(':group("k", { "rows = count()", "sum = sum(n)", "mean = mean(f)" })', LISTS)
    assert.same({ "x", "y", null }, out.k)
    assert.same({ 3, 2, 1 }, out.rows)
    assert.same({ 8, 2, 4 }, out.sum)
    assert.same({ 8.5 / 3, 1.5, 3.5 }, out.mean)
    assert.same({ { "k", "utf8?" }, { "rows", "i64" }, { "sum", "i64" }, { "mean", "f64?" } }, shape)
  end)

  it("without keys makes one row, also of no rows", function()
    assert.same({ 6 }, pipelines.run(':group({}, "rows = count()")', LISTS).rows)
    local out = pipelines.run(':where "n > 100" :group({}, { "rows = count()", "sum = sum(n)", "mean = mean(n)" })',
      LISTS)
    assert.same({ { 0 }, { 0 }, { null } }, { out.rows, out.sum, out.mean })
  end)

  it("computes with aggregates, and within them", function()
    local out = pipelines.run(':group("k", { "share = sum(n) / count()", "twice = sum(n * 2) + 1", "again = sum(n)" })',
      LISTS)
    assert.same({ 8 / 3, 1, 4 }, out.share)
    assert.same({ 17, 5, 9 }, out.twice)
    assert.same({ 8, 2, 4 }, out.again)
  end)

  it("may use keys outside of aggregates, and keys that are computed", function()
    local out = pipelines.run(':group({ "big = f > 2" }, { "rows = count()", "label = if(big, 1, 0)" })', LISTS)
    assert.same({ false, true, null }, out.big)
    assert.same({ 2, 3, 1 }, out.rows)
    assert.same({ 0, 1, 0 }, out.label)
  end)

  it("takes selectors as keys and outputs; keys are not among the outputs", function()
    local out, shape = pipelines.run(':group("cols(utf8)", "cols() = count_null(it)")', LISTS)
    assert.equal(3, #shape)
    assert.same({ 1, 0, 0 }, out.n)
    assert.same({ 0, 1, 0 }, out.f)
  end)

  it("takes the same aggregate under two names", function()
    local out = pipelines.run(':group("k", { "p = count()", "q = count()" })', LISTS)
    assert.same(out.p, out.q)
  end)

  it("refuses columns outside of aggregates, aggregates elsewhere, and equal names", function()
    assert.equal("aggregate", pipelines.problem(':group("k", "x = n")', LISTS).id)
    assert.equal("aggregate", pipelines.problem(':where "sum(n) > 1"', LISTS).id)
    assert.equal("duplicate-column", pipelines.problem(':group("k", { "p = count()", "p = sum(n)" })', LISTS).id)
    assert.equal("duplicate-column", pipelines.problem(':group("k", "k = count()")', LISTS).id)
    assert.equal("unknown-column", pipelines.problem(':group("kk", "p = count()")', LISTS).id)
    assert.equal("unknown-column", pipelines.problem(':group("k", "p = sum(nn)")', LISTS).id)
  end)

  it("tells the place of a sum that overflows", function()
    local problem = pipelines.problem(':group({},  "s = sum(a)")', { { "a", "i64", { 9223372036854775807LL, 1 } } })
    assert.equal("overflow", problem.id)
    assert.equal("-e:1", ("%s:%d"):format(problem.file, problem.line))
  end)
end)

describe("sort", function()
  it("orders by several columns, each up or down; equal rows keep their order", function()
    local out = pipelines.run(':sort { "k", "-n" }', LISTS)
    assert.same({ "x", "x", "x", "y", "y", null }, out.k)
    assert.same({ 5, 3, null, 1, 1, 4 }, out.n)
    assert.same({ 1.5, null }, { out.f[4], out.f[5] })
  end)

  it("puts nulls last in both directions, or first when asked", function()
    assert.equal(null, pipelines.run(':sort "n"', LISTS).n[6])
    assert.equal(null, pipelines.run(':sort "-n"', LISTS).n[6])
    assert.equal(null, pipelines.run(':sort("-n", { nulls = "first" })', LISTS).n[1])
  end)

  it("takes selectors", function() assert.same({ 5, 4, 3, 1, 1, null },
    pipelines.run(':sort "-cols(integer)"', LISTS).n) end)

  it("reads a column that is left out later", function()
    local out, shape = pipelines.run(':sort "-f" :select "n"', LISTS)
    assert.same({ 5, 4, null, 1, 3, 1 }, out.n)
    assert.equal(1, #shape)
  end)
end)

describe("limit and distinct", function()
  it("keep the first rows, the first in an order, the first of each group", function()
    assert.same({ 3, 1 }, pipelines.run(":limit(2)", LISTS).n)
    assert.same({}, pipelines.run(":limit(0)", LISTS).n)
    assert.equal(6, #pipelines.run(":limit(100)", LISTS).n)
    assert.same({ 5, 4 }, pipelines.run(':limit(2, { order = "-n" })', LISTS).n)
    local out = pipelines.run(':limit(1, { by = "k", order = "-n" }) :sort "k"', LISTS)
    assert.same({ 5, 1, 4 }, out.n)
    assert.same({ 3, 1, 4 }, pipelines.run(':limit(1, { by = "k" })', LISTS).n)
  end)

  it("keep the first whole row of each key, or of equal rows", function()
    assert.same({ 3, 1, 4 }, pipelines.run(':distinct "k"', LISTS).n)
    assert.equal(6, #pipelines.run(":distinct()", LISTS).n)
    assert.equal(5, #pipelines.run(':select { "k", "n" } :distinct()', LISTS).n)
  end)

  it("refuse unknown columns", function()
    for _, chain in ipairs { ':sort "-z"', ':limit(1, { by = "z" })', ':limit(1, { order = "z" })', ':distinct "z"' } do
      assert.equal("unknown-column", pipelines.problem(chain, LISTS).id, chain)
    end
  end)
end)

describe("where and map with a Lua function", function()
  it("keep rows and append columns; nil is null", function()
    local out = pipelines.run(":where(function(r) return r.n ~= nil and r.n > 1 end)", LISTS)
    assert.same({ 3, 4, 5 }, out.n)
    local mapped, shape = pipelines.run([[:map("twice: f64?, label: utf8", function(r)
      return r.n and r.n * 2, (r.k or "none") .. "!"
    end)]], LISTS)
    assert.same({ 6, 2, null, 8, 2, 10 }, mapped.twice)
    assert.same({ "x!", "y!", "x!", "none!", "y!", "x!" }, mapped.label)
    assert.same({ "twice", "f64?" }, shape[4])
  end)

  it("replace a column of the same name where it stands; the function reads the old one", function()
    local out, shape = pipelines.run(':map("n: utf8, m: i64", function(r) return tostring(r.n), 1 end)', LISTS)
    assert.same({ "k", "n", "f", "m" }, { shape[1][1], shape[2][1], shape[3][1], shape[4][1] })
    assert.equal("3", out.n[1])
  end)

  it("read parameters", function()
    local chain = 'mm.pipeline { params = "least: i64 = 4" } :where(function(r, p) return (r.n or 0) >= p.least end)'
    assert.same({ 4, 5 }, pipelines.run(chain, LISTS).n)
    assert.same({ 5 }, pipelines.run(chain, LISTS, { params = { least = "5" } }).n)
  end)

  it("refuse a column that is not there, with a suggestion", function()
    local problem = pipelines.problem(":where(function(r) return r.nn end)", LISTS)
    assert.equal("unknown-column", problem.id)
    assert.equal('did you mean "n"?', problem.hint)
  end)

  it("name the script's line and the row of an error", function()
    local chain = ":map('x: f64', function(r)\n  local t = nil\n  return r.n == 4 and t.x or 1\nend)"
    local problem = pipelines.problem(chain, LISTS)
    assert.equal("script", problem.code)
    assert.equal(4, problem.row)
    assert.equal("-e:3", ("%s:%d"):format(problem.file, problem.line))
  end)
end)
