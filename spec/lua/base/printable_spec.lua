local failure = require "moonmill.base.failure"
local json = require "moonmill.base.json"
local printable = require "moonmill.base.printable"

-- U+0085, U+061C, U+200E, U+2028, U+202E, U+2066, U+2069.
local ACTING = { "\194\133", "\216\156",
  "\226\128\142", "\226\128\168", "\226\128\174", "\226\129\166", "\226\129\169" }
local FORMS = { "85", "61c", "200e", "2028", "202e", "2066", "2069" }

describe("printable text", function()
  it("has its control characters and invalid bytes escaped", function()
    assert.equal("a\\n\\t\\r\\x00\\x1b[31m\\x7f\\x08", printable.line "a\n\t\r\0\27[31m\127\8")
    assert.equal("\\xff\\xc3(\\xed\\xa0\\x80ä", printable.line "\255\195(\237\160\128ä")
    for i, text in ipairs(ACTING) do assert.equal("\\u{" .. FORMS[i] .. "}", printable.line(text)) end
  end)

  it("is otherwise what it was, and passes twice unchanged", function()
    for _, text in ipairs { "", "plain", "äöü €", "\194\160", "\226\128\167\226\128\175", "日本語 👩‍💻", "a\\x1b" } do
      assert.equal(text, printable.line(text))
    end
    assert.equal("\\x1b", printable.line(printable.line "\27"))
  end)

  it("keeps the line ends and tabs of several lines", function()
    assert.equal("a\n\tb\\r\\x1b", printable.lines "a\n\tb\r\27")
  end)

  it("is cut between characters, never within", function()
    assert.equal("abc", printable.cut("abc", 3))
    for most = 3, 20 do
      local cut = printable.cut(("aä€𝄞"):rep(5), most)
      assert.is_true(#cut <= most and #cut > most - 4)
      assert.is_nil(require("moonmill.base.utf8").invalid(cut))
      assert.matches("%.%.%.$", cut)
    end
    for most = 19, 22 do assert.equal("\\x1b\\x1b\\x1b\\x1b...", printable.line(("\27"):rep(100), most)) end
    assert.equal("\\u{85}...", printable.line(("\194\133"):rep(100), 14))
  end)

  it("is cut in messages, whatever is long in them", function()
    local long = ("x"):rep(1e6)
    local texts = {
      { message = long }, { message = "m", hint = long }, { message = "m", file = long },
      { message = "m", file = "f", line = 1, script = { file = "s", line = 1, text = long } },
    }
    for _, fields in ipairs(texts) do
      fields.id = "not-found"
      assert.is_true(#failure.text(failure.new(fields)) < 2 * printable.PLACE)
    end
  end)

  it("is found in linear time, however many bytes are invalid", function()
    assert.equal(4 * 2 ^ 20, #printable.line(("\255"):rep(2 ^ 20)))
  end)
end)

describe("JSON", function()
  it("has what a terminal acts on as \\u escapes", function()
    for i, text in ipairs(ACTING) do
      assert.equal(('"\\u%04x"'):format(tonumber(FORMS[i], 16)), json.encode(text))
    end
    assert.equal('"\\u001b\\u0000\239\191\189"', json.encode "\27\0\255")
  end)
end)
