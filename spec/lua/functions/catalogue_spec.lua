local expr = require "moonmill.expr.compiler"
local catalogue = require "moonmill.functions.catalogue"

describe("the table of functions", function()
  it("has a name, a usage, a help line and an example for every function", function()
    for _, entry in ipairs(catalogue.list) do
      assert.truthy(entry.name and entry.usage:sub(1, #entry.name) == entry.name, entry.usage)
      assert.truthy(#entry.help > 3 and not entry.help:find "\n", entry.name)
      assert.truthy(entry.example[1]:find(entry.name, 1, true), entry.name)
      assert.truthy(entry.form or entry.op and entry.takes and entry.gives, entry.name)
    end
  end)
  it("has no name twice", function()
    local seen = {}
    for _, entry in ipairs(catalogue.list) do
      local key = (entry.group == "aggregate" and "aggregate " or "") .. entry.name
      assert.is_nil(seen[key], key)
      seen[key] = true
    end
  end)
  for _, entry in ipairs(catalogue.list) do
    if entry.group ~= "aggregate" then
      it(("computes %s = %s"):format(entry.example[1], entry.example[2]), function()
        local text = entry.example[2] == "null" and "(%s) == %s" or "not is_distinct(%s, %s)"
        local equal = expr.constant(expr.parse(text:format(entry.example[1], entry.example[2])))
        assert.same({ "const", true }, { equal.kind, equal.value })
        if entry.example[2] ~= "null" then
          local a, b = expr.constant(expr.parse(entry.example[1])), expr.constant(expr.parse(entry.example[2]))
          assert.equal(b.type.number and b.type.float, a.type.number and a.type.float, "1 is not 1.0")
        end
      end)
    end
  end
end)
