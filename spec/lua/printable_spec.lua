local failure = require "moonmill.failure"
local json = require "moonmill.json"
local printable = require "moonmill.printable"

describe("text of others", function()
  local SHOWN = {
    { "plain \195\164 \226\130\172 \240\159\152\128", "plain \195\164 \226\130\172 \240\159\152\128" },
    { "a\27[31mb", "a\\x1b[31mb" },
    { "a\0b\127", "a\\x00b\\x7f" },
    { "a\nb\tc\rd", "a\\nb\\tc\\rd" },
    { "\194\155", "\\u009b" }, -- C1: as ESC [
    { "\194\160", "\194\160" }, -- the first behind C1
    { "\226\128\174abc\226\129\166", "\\u202eabc\\u2066" },
    { "\216\156\216\157", "\\u061c\216\157" },
    { "\226\128\168", "\\u2028" },
    { "a\255b\194", "a\\xffb\\xc2" },
    { "\237\160\128", "\\xed\\xa0\\x80" }, -- half a surrogate pair
    { "", "" },
  }

  for _, case in ipairs(SHOWN) do
    it(("is shown without control characters: %s"):format(case[2]), function()
      assert.equal(case[2], printable.escaped(case[1]))
    end)
  end

  it("is cut behind a whole character", function()
    assert.equal("abc", printable.cut("abc", 3))
    assert.equal("abc...", printable.cut("abcdefg", 6))
    assert.equal("ab...", printable.cut("ab\226\130\172defg", 6))
    assert.equal(printable.MOST, #printable.message(("x"):rep(1e6)))
    assert.is_true(#printable.message(("\1"):rep(1e6)) <= printable.MOST)
    assert.equal(printable.PATH, #printable.path(("x"):rep(1e6)))
    assert.is_true(#printable.path(("\1"):rep(1e6)) <= printable.PATH)
    local failed = failure.new { id = "not-found", message = "none", file = ("x"):rep(1e6) }
    assert.is_true(#failure.text(failed) < printable.PATH + printable.MOST)
    assert.equal(("x"):rep(400), printable.message(("x"):rep(400)))
  end)

  it("is a literal of Lua on one line", function()
    for _, case in ipairs(SHOWN) do
      local literal = printable.literal(case[1])
      assert.is_nil(literal:find "%c")
      assert.equal(case[1], loadstring("return " .. literal)())
    end
  end)

  it("is valid JSON, with escapes for all control characters", function()
    for _, case in ipairs(SHOWN) do
      local text = json.encode(case[1])
      assert.is_nil(text:find "%c")
      assert.is_nil(text:find "\194[\128-\159]")
    end
    assert.equal('"\\u202e\\u009b\\u001b"', json.encode "\226\128\174\194\155\27")
    assert.equal('"' .. ("\239\191\189"):rep(50000) .. '"', json.encode(("\255"):rep(50000)))
  end)
end)
