local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local C = require("moonmill.base.ffi").C

describe("failure", function()
  it("reads as file:line:column, kind, message and hint", function()
    local f = failure.new { id = "type", message = "no", hint = "do", file = "a.lua", line = 3, column = 4 }
    assert.equal("a.lua:3:4: error[type]: no\n  hint: do", tostring(f))
    assert.equal("error[usage]: no", tostring(failure.new { id = "usage", message = "no" }))
    assert.equal("expression:1:2: error[x]: no",
      tostring(failure.new { id = "x", message = "no", line = 1, column = 2 }))
  end)
  it("is told from other values", function()
    assert.is_true(failure.is(failure.new { id = "x", message = "m" }))
    assert.is_false(failure.is { id = "x" })
    assert.is_false(failure.is "text")
  end)
  it("finds the place of a byte in a text of several lines", function()
    local origin = { file = "a.lua", line = 10, column = 5 }
    assert.same({ file = "a.lua", line = 10, column = 7 }, failure.locate(origin, "abc\ndef", 3))
    assert.same({ file = "a.lua", line = 11, column = 2 }, failure.locate(origin, "abc\ndef", 6))
    assert.same({ line = 1, column = 3 }, failure.locate(nil, "abc", 3))
  end)
  it("is one line of JSON, whatever the bytes of its texts", function()
    local f = failure.new { id = "bad", message = 'a"b\n\255\\', row = 12,
      script = { file = "s.lua", line = 2, text = "x" } }
    local message = 'a\\"b\\n\239\191\189\\\\'
    assert.equal('{"code":"usage","id":"bad","message":"' .. message .. '","row":12,'
      .. '"script":{"file":"s.lua","line":2,"text":"x"}}', failure.json(f))
  end)
  it("takes over an error of the core, with its exit code", function()
    local err = ffi.new "mm_error"
    err.code, err.row, err.line, err.place, err.stage = C.MM_EDATA, 41, 43, 7, 2
    ffi.copy(err.id, "overflow")
    ffi.copy(err.message, "does not fit")
    ffi.copy(err.file, "f.csv")
    local f = failure.from_c(err, { [7] = { origin = { file = "s.lua", line = 5, column = 6 }, text = "a + b",
      stage = "derive" } })
    assert.same({ "data", "overflow", "f.csv", 43, 42, "derive" }, { f.code, f.id, f.file, f.line, f.row, f.stage })
    assert.equal(1, failure.exit_code(f))
    assert.equal("f.csv:43: error[overflow]: does not fit\n  in s.lua:5:6: a + b", tostring(f))
  end)
  it("names the operation's place and the row when the data has no file", function()
    local err = ffi.new "mm_error"
    err.code, err.row, err.place = C.MM_EDATA, 0, 1
    ffi.copy(err.id, "overflow")
    ffi.copy(err.message, "does not fit")
    local f = failure.from_c(err, { { origin = { file = "s.lua", line = 5, column = 6 }, text = "a + b" } })
    assert.equal("s.lua:5:6: error[overflow]: does not fit (row 1)", tostring(f))
  end)
end)
