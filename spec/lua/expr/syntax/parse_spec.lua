local parse = require "moonmill.expr.syntax.parse"
local print_tree = require "moonmill.expr.syntax.print"

local function shape(text) return print_tree(parse.expression(text)) end

local function fails(text, id, place, message, hint, named)
  local ok, err = pcall(named and parse.named or parse.expression, text, { file = "s.lua", line = 3, column = 10 })
  assert.is_false(ok, text .. " was accepted")
  assert.same({ "s.lua", id, message }, { err.file, err.id, err.message })
  assert.equal(place, err.line .. ":" .. err.column)
  if hint then assert.equal(hint, err.hint) end
end

describe("expression syntax", function()
  for text, expected in pairs {
    ["a + b * c ^ d"] = "a + (b * (c ^ d))",
    ["a ^ b ^ c"] = "a ^ (b ^ c)",
    ["a .. b .. c"] = "a .. (b .. c)",
    ["a - b - c"] = "(a - b) - c",
    ["a / b // c % d * e"] = "(((a / b) // c) % d) * e",
    ["-x ^ 2"] = "-(x ^ 2)",
    ["2 ^ -x"] = "2 ^ (-x)",
    ["- - x"] = "-(-x)",
    ["not a == b"] = "(not a) == b",
    ["not not a"] = "not (not a)",
    ["a or b and c"] = "a or (b and c)",
    ["a < b == c >= d"] = "((a < b) == c) >= d",
    ["a .. b < c + d"] = "(a .. b) < (c + d)",
    ["a + b .. c - d"] = "(a + b) .. (c - d)",
    ["(a + b) * c"] = "(a + b) * c",
    ["p.limit * p.x"] = "p.limit * p.x",
    ["p + 1"] = "p + 1",
    ["`odd name` + größe"] = "`odd name` + größe",
    ["try.i32(x) or wrap.u8(y)"] = "try.i32(x) or wrap.u8(y)",
    ["is_in(x, {1, 2, })"] = "is_in(x, {1, 2})",
    ["is_in(x, {})"] = "is_in(x, {})",
    ["f()"] = "f()",
    ["if(a, 'x', \"y\")"] = 'if(a, "x", "y")',
    ["null == true ~= false"] = "(null == true) ~= false",
    ["1..2"] = "1 .. 2",
    ["a\n+\tb"] = "a + b",
  } do
    it("reads " .. text:gsub("%s", " ") .. " as " .. expected, function() assert.equal(expected, shape(text)) end)
  end

  it("keeps whole numbers exact up to 64 bits", function()
    assert.equal(9007199254740993LL, parse.expression("9007199254740993").value)
    assert.equal(9223372036854775807LL, parse.expression("9223372036854775807").value)
    assert.equal(18446744073709551615ULL, parse.expression("18446744073709551615").value)
    assert.equal(255LL, parse.expression("0xFf").value)
    assert.equal(0xFFFFFFFFFFFFFFFFULL, parse.expression("0xffffffffffffffff").value)
  end)
  it("reads floats as Lua does", function()
    for text, value in pairs { ["1.5"] = 1.5, [".5"] = 0.5, ["3."] = 3, ["1e3"] = 1000, ["2.5E-3"] = 0.0025,
      ["1e308"] = 1e308 } do
      assert.equal(value, parse.expression(text).value)
    end
  end)
  it("knows six escapes in text and leaves other backslashes", function()
    assert.equal("a\nb\tc\rd\\e'f\"g", parse.expression([['a\nb\tc\rd\\e\'f\"g']]).value)
    assert.equal([[\d+\.\x41]], parse.expression([["\d+\.\x41"]]).value)
    assert.equal("", parse.expression("''").value)
    assert.equal("größe", parse.expression("'größe'").value)
  end)

  it("takes long chains and deep nesting, up to a limit that is an error and not a crash", function()
    assert.equal(900, parse.expression(("a+"):rep(899) .. "a").height)
    assert.equal("a", shape(("("):rep(150) .. "a" .. (")"):rep(150)))
    fails(("("):rep(300) .. "a" .. (")"):rep(300), "syntax", "3:210", "the expression is nested more than 200 deep")
    assert.has_error(function() parse.expression(("a+"):rep(5000) .. "a") end)
    assert.has_error(function() parse.expression(("-"):rep(50):gsub("-", "- ") .. ("not "):rep(5000) .. "a") end)
  end)

  for _, case in ipairs {
    { "", "3:10", "the expression is empty" },
    { "  \n ", "4:2", "the expression is empty" },
    { "a -- b", "3:12", '"--" starts a comment in Lua, and an expression has no comments',
      "write a - -b with a blank between the signs" },
    { "a != b", "3:12", '"!=" is not an operator', "write ~= for not equal" },
    { "a is null", "3:12", 'unexpected "is" after the expression', "write == null or ~= null" },
    { "a <> b", "3:12", '"<>" is not an operator', "write ~= for not equal" },
    { "a && b", "3:12", '"&&" is not an operator', "write and" },
    { "a || b", "3:12", '"||" is not an operator', "write or, or .. to join text" },
    { "!a", "3:10", '"!" is not an operator', "write not" },
    { "a = 3", "3:12", 'unexpected "="', "write == to compare" },
    { "f(a = 3)", "3:14", 'unexpected "="', "write == to compare" },
    { "(a + 3", "3:16", 'expected ")", found the end', 'to close "(" at byte 1' },
    { "a + 3)", "3:15", 'unexpected ")" after the expression' },
    { "a +", "3:13", "expected a value, found the end" },
    { "a b", "3:12", 'unexpected "b" after the expression' },
    { "f(a,)", "3:14", 'expected a value, found ")"' },
    { "nil", "3:10", '"nil" is written null in an expression' },
    { "r.x", "3:10", '"r.x" is not a name', "in an expression a column stands without r: x" },
    { "t.x", "3:10", '"t.x" is not a name', "a column whose name has a point stands between backticks: `t.x`" },
    { "99999999999999999999", "3:10", "the integer 99999999999999999999 does not fit 64 bits" },
    { "1e999", "3:10", "the number 1e999 is too large for an f64" },
    { "12ab", "3:10", 'malformed number "12ab"' },
    { "0x", "3:10", 'malformed number "0x"' },
    { "1 + 'abc", "3:14", "text without a closing '" },
    { "`abc", "3:10", "name without a closing `" },
    { "``", "3:10", "a name between backticks is empty" },
    { "'a\bc'", "3:12", "text holds a control character" },
    { "'a\nc'", "3:12", "text holds a control character" },
    { "a + \1", "3:14", "unexpected control character 1" },
    { "a +\n  ?", "4:3", 'unexpected "?"' },
    { "'a\255'", "3:12", "the expression is not valid UTF-8" },
    { "a == [[b]]", "3:15", '"[" has no meaning in an expression', "text stands in quotes: 'text'" },
    { "a ; b", "3:12", '";" has no meaning in an expression' },
  } do
    it(("refuses %q at its place"):format(case[1]), function() fails(case[1], "syntax", case[2], case[3], case[4]) end)
  end
end)

describe("a named expression", function()
  it("gives name and tree, also of odd names and selectors", function()
    local name, tree = parse.named "total = a + b"
    assert.same({ "total", "a + b" }, { name, print_tree(tree) })
    assert.equal("odd name", (parse.named "`odd name` = 1"))
    local selector, it_tree = parse.named "cols(f64 and not '*_id') = it * 2"
    assert.same({ "call", "cols", "it * 2" }, { selector.kind, selector.name, print_tree(it_tree) })
  end)
  it("is a column that names itself", function()
    local name, tree = parse.named " carrier "
    assert.same({ "carrier", "column" }, { name, tree.kind })
  end)
  it("needs a name, one sign and an expression", function()
    fails("a + b", "syntax", "3:10", "the expression has no name", "write name = a + b", true)
    fails("a == b", "syntax", "3:10", "the expression has no name", "write name = a == b", true)
    fails("a + b = c", "syntax", "3:12", 'left of "=" stands a name', nil, true)
    fails("x =", "syntax", "3:13", 'nothing follows "="', nil, true)
    fails("x = a = b", "syntax", "3:16", 'unexpected "="', "write == to compare", true)
  end)
end)
