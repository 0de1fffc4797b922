local pipelines = require "pipelines"
local null = pipelines.null
local plan_text = require "moonmill.plan.explanation"

local LISTS = {
  { "a", "i64", { 1, 2, 3 } }, { "b", "f64", { 1, 2, null } }, { "c", "utf8", { "x", "y", "z" } },
  { "d", "i32", { 1, 2, 3 } },
}

local function reads(chain)
  local names = {}
  for i, column in ipairs(pipelines.plan(chain, LISTS).reads) do names[i] = column.name end
  return table.concat(names, " ")
end

local function nodes(chain)
  local labels = {}
  for i, step in ipairs(pipelines.plan(chain, LISTS).steps) do labels[i] = step.label end
  return table.concat(labels, " ")
end

describe("a plan", function()
  it("reads only the columns that the result needs", function()
    assert.equal("a b c d", reads ":limit(1)")
    assert.equal("a", reads ':select "a"')
    assert.equal("a c", reads ':where "a > 1" :select "c"')
    assert.equal("b", reads ':derive "e = a == 1" :derive "f = b" :select "f" :where "f > 1"')
    assert.equal("a c", reads ':sort "a" :select "c"')
    assert.equal("a c d", reads ':limit(1, { by = "a", order = "d" }) :select "c"')
    assert.equal("a b c d", reads ':distinct() :select "c"')
    assert.equal("b c", reads ':group("c", { "m = mean(b)" })')
    assert.equal("c", reads ':group("c", { "m = mean(b)", "n = count()" }) :select { "c", "n" }')
    assert.equal("", reads ':group({}, "n = count()")')
  end)

  it("reads what a row function reads, and what comes after it", function()
    assert.equal("a c", reads ':map("e: f64", function(r) return r.a end) :select { "e", "c" }')
    assert.equal("b", reads ':where(function(r) return r.b ~= nil end) :select "b"')
  end)

  it("fuses neighbouring stages of expressions into one program", function()
    assert.equal("program", nodes [[
      :where "a > 1" :derive "e = a" :drop "c" :rename "z = b" :cast "d: i64" :fill_null "z = 1" :drop_null()
    ]])
    assert.equal("program sort program", nodes ':where "a > 1" :sort "a" :derive "e = a"')
    assert.equal("group", nodes ':group("c", { "n = count()", "m = mean(b)" })')
    assert.equal("program group program", nodes ':group("c", { "m = mean(b + 1) / count()" })')
    assert.equal("map program", nodes ':map("a: i64", function(r) return 1 end)')
  end)

  it("has no steps when there is nothing to do", function()
    assert.equal("", nodes "mm.pipeline {}")
    assert.same({ 1, 2, 3 }, pipelines.run("mm.pipeline {}", LISTS).a)
  end)

  it("gives the same result over one batch and many, one thread and two", function()
    local list = {}
    for i = 1, 1025 do list[i] = i % 7 == 0 and null or i % 31 end
    local chain = [[
      :where "a ~= 5" :derive "b = a * 2" :group("a", { "n = count()", "s = sum(b) / count()" }) :sort { "-n", "a" }
      :limit(9)
    ]]
    local first = pipelines.run(chain, { { "a", "i64", list } }, { threads = 1 })
    for _, options in ipairs { { threads = 2, batch_rows = 64 }, { threads = 2, batch_rows = 1024, piece = 128 } } do
      assert.same(first, pipelines.run(chain, { { "a", "i64", list } }, options))
    end
  end)

  it("checks every stage before anything runs", function()
    local problem = pipelines.raised(pipelines.plan, ':where "a > 1" :limit(2) :derive "e = x"', LISTS)
    assert.equal("unknown-column", problem.id)
    assert.equal(39, problem.column)
  end)

  it("says what it does: columns read, programs with their operations, segments", function()
    local made = pipelines.plan(':where "a > 1" :group("c", "m = mean(b) * 2") :sort "m"', LISTS)
    local text = plan_text(made, #LISTS)
    assert.matches("^reads 3 of 4 columns: a: i64, b: f64%?, c: utf8\n", text)
    assert.matches("segment 1\n1%. where %(line 1%)\n", text)
    assert.matches("gt i64", text)
    assert.matches("2%. group c", text)
    assert.matches("mean%(b%): f64%?", text)
    assert.matches("segment 2\n3%. group %(line 1%)", text)
    assert.matches("4%. sort m", text)
    assert.matches("gives c: utf8, m: f64%?$", text)
  end)
end)
