local suggest = require "moonmill.base.suggest"

describe("suggest", function()
  it("counts inserted, deleted, changed and swapped letters", function()
    for _, case in ipairs {
      { "", "", 0 }, { "a", "", 1 }, { "abc", "abc", 0 }, { "abc", "acb", 1 }, { "carier", "carrier", 1 },
      { "kitten", "sitting", 3 },
    } do
      assert.equal(case[3], suggest.distance(case[1], case[2], 5))
      assert.equal(case[3], suggest.distance(case[2], case[1], 5))
    end
  end)
  it("gives up as soon as two words are further apart than asked", function()
    assert.equal(2, suggest.distance("kitten", "sitting", 1))
    assert.equal(3, suggest.distance("a", "abcdefgh", 2))
  end)
  it("finds the nearest candidate, whatever the case of its letters", function()
    assert.equal("dep_delay", suggest.nearest("dep_dely", { "arr_delay", "dep_delay" }))
    assert.equal("Carrier", suggest.nearest("carier", { "x", "Carrier" }))
    assert.equal('did you mean "where"?', suggest.hint("wher", { "derive", "where" }))
  end)
  it("suggests nothing when nothing is near", function()
    assert.is_nil(suggest.nearest("a", { "b", "zebra" }))
    assert.is_nil(suggest.hint("price", { "carrier", "dest" }))
    assert.is_nil(suggest.nearest("x", {}))
  end)
end)
