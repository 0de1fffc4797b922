local pipelines = require "pipelines"
local script = require "moonmill.script.script"
local stages = require "moonmill.stages.registry"

local function problem_of(text) return pipelines.raised(script.evaluate, text) end

describe("a pipeline", function()
  it("is a value: a stage gives a new one and leaves the old one alone", function()
    local base = script.evaluate ':where "a > 1"'
    local longer = base:limit(1)
    assert.equal(1, #base.stages)
    assert.equal(2, #longer.stages)
    assert.has_error(function() base.extra = "x" end)
  end)

  it("knows every stage of the table, each with usage, help and an example that runs", function()
    assert.equal(14, #stages.names)
    for _, name in ipairs(stages.names) do
      local entry = stages.by_name[name]
      assert.equal(name, entry.name)
      assert.is_true(#entry.help > 10 and #entry.usage > 5)
      assert.equal(1, #script.evaluate(entry.example).stages, name)
    end
  end)

  it("refuses an unknown stage with a suggestion", function()
    local problem = problem_of ':wheer "a"'
    assert.equal("unknown-stage", problem.id)
    assert.equal('did you mean "where"?', problem.hint)
  end)

  it("refuses an unknown option of its declaration and of a stage", function()
    assert.equal('did you mean "params"?', problem_of("mm.pipeline { parms = {} }").hint)
    assert.equal('did you mean "nulls"?', problem_of(':sort("a", { null = "first" })').hint)
    assert.equal('did you mean "order"?', problem_of(':limit(1, { ordr = "a" })').hint)
    assert.equal("bad-option", problem_of(':sort("a", { nulls = "never" })').id)
  end)

  it("refuses a key in a list and shows the form that keeps the order", function()
    local problem = problem_of ':derive { gained = "a - b" }'
    assert.equal("key-in-list", problem.id)
    assert.equal('write { "gained = a - b" }', problem.hint)
    assert.equal("-e:1:11", ("%s:%d:%d"):format(problem.file, problem.line, problem.column))
    assert.equal('write { "a: i32" }', problem_of(':cast { a = "i32" }').hint)
    assert.equal('write { "n: i64" }', problem_of('mm.pipeline { params = { n = "i64" } }').hint)
    assert.equal("key-in-list", problem_of('mm.pipeline { input = { a = "i64" } }').id)
    assert.equal("key-in-list", problem_of(':group({ a = "b" }, "n = count()")').id)
  end)

  it("takes one bare string where a list of strings stands", function()
    for _, chain in ipairs { ':where "a"', ':derive "b = a"', ':select "a"', ':drop "a"', ':sort "a"',
      ':group("a", "n = count()")' } do
      assert.equal(1, #script.evaluate(chain).stages)
    end
  end)

  it("refuses arguments of the wrong kind", function()
    for _, chain in ipairs {
      ":where()", ":where(1)", ":where { 'a' }", ":derive(1)", ":derive { 1 }", ":derive {}", ":select {}", ":drop {}",
      ":drop()",
      ":limit()", ":limit(-1)", ":limit(1.5)", ':limit "3"', ":sort()", ":sort {}", ':group "a"', ':group("a", {})',
      ':map("a: f64")',
      ':map("a", function() end)', ':where("a", "b")', ":cast {}", ':rename { "a" }', ':rename { "a = b + 1" }',
      ':fill_null { "a" }',
      ':sort("a", 3)', ':derive "a"', ':cast "a"', ':cast "a: i65"', ':sort { nil, "a" }',
    } do
      local problem = problem_of(chain)
      assert.equal("usage", problem.code, chain)
      assert.is_true(problem.line == 1 and problem.column >= 1, chain)
    end
  end)
end)

describe("an input declaration", function()
  local lists = { { "a", "i64", { 1, 2 } }, { "b", "f64", { 1, 2 } }, { "c d", "utf8", { "x", "y" } } }
  local input = require "moonmill.pipeline.input"
  local schemas = require "moonmill.base.schemas"
  local columns = require "columns"

  local function bound(declaration)
    local pipeline = script.evaluate("mm.pipeline { input = " .. declaration .. " }")
    local seen, dropped = input.bind(pipeline.input, schemas.from_c(columns.table(lists).schema), "x.csv")
    local texts = {}
    for i, column in ipairs(seen) do
      texts[i] = column.name .. ":" .. column.type.name .. (column.nullable and "?" or "")
    end
    return table.concat(texts, " "), table.concat(dropped, " ")
  end

  it("takes only the columns it names, in its order, with its types", function()
    local seen, dropped = bound '{ "b: f32?", "a: i32" }'
    assert.equal("b:f32? a:i32", seen)
    assert.equal("c d", dropped)
    assert.equal("c d:utf8", (bound '{ "`c d`: utf8" }'))
  end)

  it('lets the other columns pass behind "..."', function()
    local seen, dropped = bound '{ "b: f32?", "..." }'
    assert.equal("a:i64 b:f32? c d:utf8", seen)
    assert.equal("", dropped)
  end)

  it("names a column that the file does not have, with a suggestion and its own place", function()
    local problem = pipelines.raised(bound, '{ "bb: f64" }')
    assert.equal("unknown-column", problem.id)
    assert.equal('did you mean "b"?', problem.hint)
    assert.equal(26, problem.column)
  end)

  it("refuses a form that it does not know", function()
    for _, declaration in ipairs { '{ "a" }', '{ "a: i65" }', '{ "...", "a: i64" }', '{ "a: i64", "a: f64" }',
      '{ "a: i64 = 3" }' } do
      assert.equal("usage", pipelines.raised(bound, declaration).code, declaration)
    end
    assert.equal("wrong-input", pipelines.raised(bound, '"u8"').id)
  end)

  it("asks for a colon where a stage is called with a point", function()
    local problem = require("pipelines").raised(require("moonmill.script.script").evaluate, ':where "a > 1" .limit(3)')
    assert.equal("no-pipeline", problem.id)
    assert.equal("write a colon: pipeline:limit(...)", problem.hint)
    assert.same({ 1, 17 }, { problem.line, problem.column })
  end)
end)
