local Positions = require "moonmill.script.source_positions"

local TEXT = [==[
-- where "a" in a comment
return mm.pipeline {}
:where "a > 1"
:derive { 'b = a\n', "c = a",
  [[d = a]] }
:where [[
a > 1]] :where(function(r) return true end)
]==]

local function at(place) return place and place.line .. ":" .. place.column end

describe("places in a script", function()
  local places = Positions.new("x.lua", TEXT)

  it("finds a call by its name and the line of its arguments", function()
    assert.equal("3:2", at(places:call("where", 3, 0)))
    assert.equal("4:2", at(places:call("derive", 4, 0)))
  end)

  it("tells calls of one name apart by what stands before them", function()
    local first = places:call("where", 7, 0)
    assert.equal("6:2", at(first))
    assert.equal("7:10", at(places:call("where", 7, first.offset)))
  end)

  it("finds text literals by their value: quotes, escapes, long brackets", function()
    assert.equal("3:9", at(places:literal("a > 1", 30)))
    assert.equal("4:12", at(places:literal("b = a\n", 0)))
    assert.equal("4:23", at(places:literal("c = a", 0)))
    assert.equal("5:5", at(places:literal("d = a", 0)))
    assert.equal("7:1", at(places:literal("a > 1", places:call("where", 7, 0).offset)))
  end)

  it("does not look into comments", function() assert.is_nil(places:literal("a", 0)) end)

  it("falls back to the line when a call is not in the text", function()
    assert.equal("4:1", at(places:call("group", 4, 0)))
  end)

  it("reads text that ends in the middle of a literal or comment", function()
    for _, text in ipairs { "a 'b", "a [[b", "--[[ a", "--", "'\\", "[=[", "" } do
      assert.is_nil(Positions.new("y", text):literal("zzz", 0))
    end
  end)
end)
