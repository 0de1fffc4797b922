-- moonmill.expr.lex - the first pass: the text of an expression to a list of tokens.
--
-- A token is {kind, value, at}: kind "name", "number", "text", "word" (a keyword), "op" or "end"; `at` is the byte
-- where it starts. Integers are int64 or uint64 cdata, so that they stay exact above 2^53; other numbers are Lua
-- numbers. A name between backticks has `quoted` set. Mistakes that come from other languages (!=, &&, comments) are
-- named as such.
local ffi = require "ffi"
local failure = require "moonmill.failure"
local utf8 = require "moonmill.utf8"

local keywords = { ["and"] = true, ["or"] = true, ["not"] = true, ["true"] = true, ["false"] = true, ["null"] = true }
local operators = {
  "//", "..", "==", "~=", "<=", ">=", "+", "-", "*", "/", "%", "^", "<", ">", "(", ")", "{", "}", ",", ".", "=",
}
local strangers = {
  { "--", '"--" starts a comment in Lua, and an expression has no comments',
    "write a - -b with a blank between the signs" },
  { "!=", '"!=" is not an operator', "write ~= for not equal" },
  { "<>", '"<>" is not an operator', "write ~= for not equal" },
  { "&&", '"&&" is not an operator', "write and" },
  { "||", '"||" is not an operator', "write or, or .. to join text" },
  { "!", '"!" is not an operator', "write not" },
  { "[", '"[" has no meaning in an expression', "text stands in quotes: 'text'" },
  { ":", '":" has no meaning in an expression', nil },
  { ";", '";" has no meaning in an expression', "separate expressions in a list: { \"a = 1\", \"b = 2\" }" },
}
local text_escapes = { n = "\n", t = "\t", r = "\r", ["\\"] = "\\", ["'"] = "'", ['"'] = '"' }
local control_names = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r" }

-- Integer of digits in a base, as int64 when it fits, else uint64; nil beyond 64 bits.
local function integer(digits, base)
  local value, limit = 0ULL, 0xFFFFFFFFFFFFFFFFULL
  for digit in digits:gmatch "." do
    local d = ffi.cast("uint64_t", tonumber(digit, 16))
    if value > (limit - d) / base then return nil end
    value = value * base + d
  end
  if value <= 0x7FFFFFFFFFFFFFFFULL then return ffi.cast("int64_t", value) end
  return value
end

---@param source table {text =, origin =}
---@return table tokens
local function lex(source)
  local text, at = source.text, 1
  local tokens = {}
  local function fail(message, hint, where)
    failure.raise_at({ id = "syntax", message = message, hint = hint }, source.origin, text, where or at)
  end
  local function push(kind, value, last, quoted)
    tokens[#tokens + 1] = { kind = kind, value = value, at = at, quoted = quoted }
    at = last + 1
  end

  local function number()
    local _, last, digits = text:find("^0[xX](%x+)", at)
    local value
    if digits then
      value = integer(digits, 16)
    else
      _, last, digits = text:find("^(%d*%.?%d*)", at)
      if digits:sub(-1) == "." and text:sub(last + 1, last + 1) == "." then -- 1..2 joins two numbers
        last, digits = last - 1, digits:sub(1, -2)
      end
      local _, e, exponent = text:find("^([eE][+-]?%d+)", last + 1)
      if exponent then last, digits = e, digits .. exponent end
      value = not digits:find "[.eE]" and integer(digits, 10)
      if not value and digits:find "[.eE]" then value = tonumber(digits) end
    end
    local tail = text:match("^[%w_\128-\255]+", last + 1)
    if tail then
      fail(('malformed number "%s"'):format(text:sub(at, last) .. tail), nil)
    elseif not value then
      fail(("the integer %s does not fit 64 bits"):format(digits),
        "write it with a point or an exponent to make it an f64")
    elseif type(value) == "number" and value == math.huge then
      fail(("the number %s is too large for an f64"):format(digits))
    end
    push("number", value, last)
  end

  local function quoted_text(quote)
    local out, i = {}, at + 1
    while true do
      local c = text:sub(i, i)
      if c == "" then fail("text without a closing " .. quote) end
      if c == quote then break end
      local escape = c == "\\" and text_escapes[text:sub(i + 1, i + 1)]
      if escape then
        c, i = escape, i + 1
      elseif c:find "%c" then
        fail("text holds a control character", control_names[c]
          and ("write %s, and [[ ]] around the expression"):format(control_names[c])
          or "backslashes of a Lua text in quotes are gone already; write [[ ]] around the expression", i)
      end
      out[#out + 1] = c
      i = i + 1
    end
    push("text", table.concat(out), i)
  end

  local function quoted_name()
    local last = text:find("`", at + 1, true)
    if not last then fail "name without a closing `" end
    local name = text:sub(at + 1, last - 1)
    if name == "" then fail "a name between backticks is empty" end
    if name:find "%c" then fail("a name holds a control character") end
    push("name", name, last, true)
  end

  local function operator()
    for _, stranger in ipairs(strangers) do
      if text:sub(at, at + #stranger[1] - 1) == stranger[1] then fail(stranger[2], stranger[3]) end
    end
    for _, op in ipairs(operators) do
      if text:sub(at, at + #op - 1) == op then return push("op", op, at + #op - 1) end
    end
    local c = text:sub(at, at)
    fail(c:find "%c" and ("unexpected control character %d"):format(c:byte()) or ('unexpected "%s"'):format(c))
  end

  local bad = utf8.invalid(text)
  if bad then fail("the expression is not valid UTF-8", nil, bad) end
  while true do
    at = text:find("[^ \t\r\n]", at) or #text + 1
    local c = text:sub(at, at)
    if c == "" then break end
    if c:find "%d" or text:find("^%.%d", at) then
      number()
    elseif c == '"' or c == "'" then
      quoted_text(c)
    elseif c == "`" then
      quoted_name()
    elseif c:find "[%a_\128-\255]" then
      local _, last, name = text:find("^([%w_\128-\255]+)", at)
      if name == "nil" then fail('"nil" is written null in an expression') end
      push(keywords[name] and "word" or "name", name, last)
    else
      operator()
    end
  end
  push("end", "the end", at)
  return tokens
end

return lex
