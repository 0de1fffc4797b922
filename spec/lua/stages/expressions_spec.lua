-- The stages that become expressions: where derive select drop rename cast fill_null drop_null.
local pipelines = require "pipelines"
local null = pipelines.null

local LISTS = {
  { "a", "i64", { 1, 2, null, 4 } }, { "b", "f64", { 0.5, null, 2.5, 3.5 } },
  { "s", "utf8", { "x", " y", "z ", null } },
  { "t", "utf8", { "p", "q", "r", "s" } },
}

local function shape_of(chain)
  local _, shape = pipelines.run(chain, LISTS)
  local texts = {}
  for i, column in ipairs(shape) do texts[i] = column[1] .. ":" .. column[2] end
  return table.concat(texts, " ")
end

describe("where", function()
  it("keeps the rows for which a condition is true; null counts as false", function()
    assert.same({ 2, 4 }, pipelines.run(':where "a >= 2"', LISTS).a)
    assert.same({ null }, pipelines.run(':where "a == null"', LISTS).a)
    assert.same({}, pipelines.run(':where "a > 100"', LISTS).a)
  end)

  it("refuses what is no condition", function()
    local problem = pipelines.problem(':where "a + 1"', LISTS)
    assert.equal("type", problem.id)
    assert.equal(1, problem.line)
  end)
end)

describe("derive", function()
  it("computes in order: a later expression may use an earlier one", function()
    local out = pipelines.run(':derive { "c = a * 2", "d = c + 1" }', LISTS)
    assert.same({ 3, 5, null, 9 }, out.d)
  end)

  it("replaces a column of the same name where it stands", function()
    assert.equal("a:f64? b:f64? s:utf8? t:utf8", shape_of ':derive "a = b"')
  end)

  it("takes a selector: each column is computed from itself", function()
    local out = pipelines.run(':derive "cols(utf8) = trim(it)"', LISTS)
    assert.same({ "x", "y", "z", null }, out.s)
  end)

  it("takes odd names in backticks", function()
    assert.same({ 1, 2, null, 4 }, pipelines.run(':derive "`a b` = a"', LISTS)["a b"])
    assert.same({ 2, 3, null, 5 }, pipelines.run(':derive "`a b` = a" :derive "c = `a b` + 1"', LISTS).c)
  end)

  it("names an unknown column with a suggestion, and an unknown function", function()
    assert.equal('did you mean "a"?', pipelines.problem(':derive "c = aa"', LISTS).hint)
    assert.equal('did you mean "round"?', pipelines.problem(':derive "c = rond(a)"', LISTS).hint)
  end)
end)

describe("select", function()
  it("keeps columns in its order, and computes", function()
    assert.equal("s:utf8? c:i64? a:i64?", shape_of ':select { "s", "c = a * 2", "a" }')
  end)

  it("takes selectors", function() assert.equal("a:i64? b:f64?", shape_of ':select "cols(number)"') end)

  it("refuses a name twice, an unknown one, and an expression without a name", function()
    assert.equal("duplicate-column", pipelines.problem(':select { "a", "a" }', LISTS).id)
    assert.equal("unknown-column", pipelines.problem(':select { "aa" }', LISTS).id)
    assert.equal('to compute a column write "name = a + b"', pipelines.problem(':select { "a + b" }', LISTS).hint)
  end)
end)

describe("drop and rename", function()
  it("leave columns out", function()
    assert.equal("b:f64? t:utf8", shape_of ':drop { "a", "s" }')
    assert.equal("s:utf8? t:utf8", shape_of ':drop "cols(number)"')
    assert.equal("unknown-column", pipelines.problem(':drop "z"', LISTS).id)
    assert.equal("no-columns", pipelines.problem(':drop "cols()"', LISTS).id)
  end)

  it("rename all at once, so that names may change places", function()
    assert.equal("b:i64? a:f64? s:utf8? t:utf8", shape_of ':rename { "b = a", "a = b" }')
  end)

  it("refuse an unknown column, a name taken, a column renamed twice", function()
    assert.equal("unknown-column", pipelines.problem(':rename "x = z"', LISTS).id)
    assert.equal("duplicate-column", pipelines.problem(':rename "b = a"', LISTS).id)
    assert.equal("duplicate-column", pipelines.problem(':rename { "x = a", "y = a" }', LISTS).id)
  end)
end)

describe("cast", function()
  it("changes types: checked, try, wrap, sat", function()
    assert.equal("a:i8? b:f32? s:utf8? t:utf8", shape_of ':cast { "a: i8", "b: f32" }')
    local lists = { { "a", "i64", { 1, 300 } } }
    assert.equal("bad-cast", pipelines.problem(':cast "a: i8"', lists).id)
    assert.same({ 1, null }, pipelines.run(':cast "a: try.i8"', lists).a)
    assert.same({ 1, 44 }, pipelines.run(':cast "a: wrap.i8"', lists).a)
    assert.same({ 1, 127 }, pipelines.run(':cast "a: sat.i8"', lists).a)
  end)

  it("takes selectors", function() assert.equal("a:f64? b:f64? s:utf8? t:utf8",
    shape_of ':cast "cols(integer): f64"') end)

  it("tells the row and the place in the script of a value that does not fit", function()
    local problem = pipelines.problem(':limit(9) :cast "b: i8"', LISTS)
    assert.equal(1, problem.row)
    assert.equal("-e:1:18", ("%s:%d:%d"):format(problem.file, problem.line, problem.column))
  end)
end)

describe("fill_null and drop_null", function()
  it("put a value where a column is null", function()
    assert.same({ 1, 2, 0, 4 }, pipelines.run(':fill_null "a = 0"', LISTS).a)
    assert.equal("a:i64 b:f64 s:utf8? t:utf8", shape_of ':fill_null "cols(number) = 0"')
    assert.same({ 0.5, 2, 2.5, 3.5 }, pipelines.run(':fill_null "b = a"', LISTS).b)
    assert.equal("unknown-column", pipelines.problem(':fill_null "z = 0"', LISTS).id)
  end)

  it("leave out rows with a null in one of the columns, or in any", function()
    assert.same({ 1, 2, 4 }, pipelines.run(':drop_null "a"', LISTS).a)
    assert.same({ 1 }, pipelines.run(":drop_null()", LISTS).a)
    assert.same({ 1, 4 }, pipelines.run(':drop_null "cols(number)"', LISTS).a)
    assert.equal(4, #pipelines.run(':drop_null "t"', LISTS).a)
  end)
end)
