local pipelines = require "pipelines"
local selector = require "moonmill.expr.selector"
local types = require "moonmill.base.types"

local COLUMNS = {}
for i, pair in ipairs {
  { "dep_delay", "f64" }, { "arr_delay", "f64" }, { "carrier", "utf8" }, { "year", "i64" }, { "month", "i8" },
  { "flight_id", "u32" },
  { "x.y", "f32" }, { "when", "timestamp(ms)" },
} do
  COLUMNS[i] = { name = pair[1], type = types.parse(pair[2]), nullable = false }
end

local function names(text) return table.concat(selector.names(selector.parse(text), COLUMNS), " ") end

describe("cols(...)", function()
  it("stands for all columns without a condition", function() assert.equal(8,
    #selector.names(selector.parse "cols()", COLUMNS)) end)

  it("chooses by type and by group of types", function()
    assert.equal("dep_delay arr_delay", names "cols(f64)")
    assert.equal("year month flight_id", names "cols(integer)")
    assert.equal("dep_delay arr_delay x.y", names "cols(float)")
    assert.equal("when", names "cols(timestamp)")
  end)

  it("chooses by name, where only * and ? are special", function()
    assert.equal("dep_delay arr_delay", names "cols('*_delay')")
    assert.equal("year", names "cols('y?ar')")
    assert.equal("x.y", names "cols('x.y')")
    assert.equal("x.y", names "cols('*.*')")
  end)

  it("joins conditions with and, or, not and brackets", function()
    assert.equal("year month", names "cols(integer and not '*_id')")
    assert.equal("carrier year", names "cols(utf8 or i64)")
    assert.equal("dep_delay", names "cols(f64 and ('dep*' or 'car*'))")
  end)

  it("that matches nothing is an error that lists the columns", function()
    local problem = pipelines.raised(names, "cols(bool)")
    assert.equal("bad-selector", problem.id)
    assert.matches("dep_delay: f64", problem.hint)
  end)

  it("refuses what is neither a type nor a quoted name", function()
    assert.equal('did you mean "f64"?', pipelines.raised(names, "cols(f65)").hint)
    assert.matches("cols%('carrier'%)", pipelines.raised(names, "cols(carrier)").hint)
    assert.equal("bad-selector", pipelines.raised(names, "cols(1 + 2)").id)
    assert.equal("bad-selector", pipelines.raised(names, "cols(f64, utf8)").id)
  end)
end)
