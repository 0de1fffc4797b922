-- What the core says of text from anywhere: escaped, and cut between characters.
local ffi = require "ffi"
local C = require("moonmill.base.ffi").C

-- The message about a type that does not exist, which has its name.
local function message(name)
  local err = ffi.new "mm_error"
  assert.is_true(C.mm_type_parse(name, ffi.new "mm_type", err) < 0)
  return ffi.string(err.message)
end

local function file(path)
  local err, box = ffi.new "mm_error", ffi.new "mm_input *[1]"
  local how = ffi.new("mm_input_options", { sample_rows = 50, chunk = 1024 })
  assert.is_true(C.mm_input_open(ffi.new("const char *[1]", { path }), 1, how, box, err) < 0)
  return ffi.string(err.file)
end

describe("an error of the core", function()
  it("has control characters and invalid bytes escaped in its message", function()
    local text = message "\27[1m\127\194\133\216\156\226\128\174\226\129\166\255x"
    assert.is_truthy(text:find("\\x1b[1m\\x7f\\u{85}\\u{61c}\\u{202e}\\u{2066}\\xffx", 1, true), text)
    assert.is_truthy(message("a\194\160€日"):find("a\194\160€日", 1, true))
  end)

  it("has a long path cut at its front, between characters", function()
    for n = 0, 3 do
      local shown = file("/none/" .. ("x"):rep(n) .. ("€"):rep(300))
      assert.is_true(#shown <= 511 and #shown > 505)
      assert.matches("^%.%.%.€", shown)
    end
    assert.equal("/none/\27€", file "/none/\27€")
  end)
end)
