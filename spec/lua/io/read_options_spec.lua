-- Options of reading files: one table for the command's flags and for the keywords of hosts.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local C = require("moonmill.base.ffi").C
local read_options = require "moonmill.io.read_options"

-- What the core makes of options for CSV, found by its own table of them.
local function numbers(given)
  local list, options = read_options.settings(given, "%s").options, ffi.new "mm_option[8]"
  for i, option in ipairs(list) do options[i - 1] = { option[1], option[2], #option[2] } end
  local format, err = C.mm_format_find "csv", ffi.new "mm_error"
  local values, at = ffi.new("char[?]", format.reading.size), {}
  assert(C.mm_options_parse("csv", format.reading, options, #list, values, err) == 0)
  for i = 0, format.reading.count - 1 do
    local info = format.reading.list[i]
    at[ffi.string(info.key)] = values + info.offset
  end
  local nulls = ffi.cast("char **", at.null)[0]
  local made = {
    delimiter = ffi.cast("int32_t *", at.delimiter)[0], quote = ffi.cast("int32_t *", at.quote)[0],
    nulls = nulls ~= nil and ffi.string(nulls) or nil, no_header = not ffi.cast("bool *", at.header)[0],
    ragged = ffi.cast("bool *", at.ragged)[0],
  }
  C.mm_options_free(format.reading, values)
  return made
end

local function refused(pattern, fn, ...)
  local ok, problem = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_true(failure.is(problem), tostring(problem))
  assert.matches(pattern, problem.message .. " (" .. (problem.hint or "") .. ")")
end

describe("options of reading files", function()
  it("are nothing but defaults when none is given", function()
    assert.same({ delimiter = 0, quote = 0, no_header = false, ragged = false }, numbers {})
  end)

  it("are characters, and words for those that are hard to write", function()
    for word, byte in pairs { tab = 9, ["\\t"] = 9, comma = 44, semicolon = 59, pipe = 124, space = 32, [";"] = 59 } do
      assert.equal(byte, numbers({ delimiter = word }).delimiter)
    end
    assert.equal(39, numbers({ quote = "'" }).quote)
    assert.equal(-1, numbers({ quote = "none" }).quote)
    assert.equal(-1, numbers({ quote = "" }).quote)
  end)

  it("are lists of texts, and switches as values or as texts", function()
    assert.equal("NA\n-", numbers({ null = { "NA", "-" } }).nulls)
    assert.is_nil(numbers({ null = {} }).nulls)
    assert.is_true(numbers({ header = "false" }).no_header)
    assert.is_false(numbers({ header = true }).no_header)
    assert.is_true(numbers({ ragged = "true" }).ragged)
  end)

  it("refuse what has no sense, by the name that the user knows", function()
    refused("^delimiter takes one character, got \"ab\" %(.*tab", numbers, { delimiter = "ab" })
    refused("one character", numbers, { delimiter = "\0" })
    refused("one character", numbers, { quote = "\n" })
    refused("one line", numbers, { null = { "a\nb" } })
    refused("^header is true or false, got \"no\"", numbers, { header = "no" })
    refused("^%-%-quote takes", read_options.settings, { quote = "ab" }, "--%s")
  end)

  it("come as names and texts in turns, a list as its name again and again", function()
    local given = read_options.gather({}, "null", "NA", "ragged", "true", "null", "-")
    assert.same({ null = { "NA", "-" }, ragged = "true" }, given)
    refused("^delimiter takes one value", read_options.gather, {}, "delimiter", ";", "delimiter", ",")
  end)

  it("are suggested for a name that is nearly theirs, as are parameters", function()
    refused("^there is no option \"delimeter\".*did you mean \"delimiter\"", read_options.gather, nil, "delimeter", ";")
    refused("neither a parameter.*did you mean \"least\"", read_options.gather, { "least" }, "leest", "1")
    refused("the options: delimiter, quote, null, header, ragged", read_options.gather, nil, "encoding", "latin1")
  end)
end)
