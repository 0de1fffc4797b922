-- moonmill.expr.syntax.lex - the first pass: the text of an expression to a list of tokens.
--
-- A token is {kind, value, at}: kind "name", "number", "text", "word" (a keyword), "op" or "end"; `at` is the byte
-- where it starts. Integers are int64 or uint64 cdata, so that they stay exact above 2^53; other numbers are Lua
-- numbers. A name between backticks has `quoted` set. Mistakes that come from other languages (!=, &&, comments) are
-- named as such.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local utf8 = require "moonmill.base.utf8"

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

---What is read, and how far it has been.
---@class moonmill.Lexer
---@field source table { text =, origin = }
---@field text string
---@field at integer the byte where the token starts
---@field tokens table
local Lexer = {}
Lexer.__index = Lexer

function Lexer:fail(message, hint, where)
  failure.raise_at({ id = "syntax", message = message, hint = hint }, self.source.origin, self.text, where or self.at)
end

-- Add a token that ends at byte `last`.
function Lexer:push(kind, value, last, quoted)
  self.tokens[#self.tokens + 1] = { kind = kind, value = value, at = self.at, quoted = quoted }
  self.at = last + 1
end

-- Decimal digits with a point or an exponent, from byte `at` on: their end, and what stands there.
local function decimal(text, at)
  local _, last, digits = text:find("^(%d*%.?%d*)", at)
  if digits:sub(-1) == "." and text:sub(last + 1, last + 1) == "." then -- 1..2 joins two numbers
    last, digits = last - 1, digits:sub(1, -2)
  end
  local _, tail, exponent = text:find("^([eE][+-]?%d+)", last + 1)
  if exponent then return tail, digits .. exponent end
  return last, digits
end

function Lexer:number()
  local text = self.text
  local _, last, digits = text:find("^0[xX](%x+)", self.at)
  local value
  if digits then
    value = integer(digits, 16)
  else
    last, digits = decimal(text, self.at)
    if digits:find "[.eE]" then value = tonumber(digits) else value = integer(digits, 10) end
  end
  local tail = text:match("^[%w_\128-\255]+", last + 1)
  if tail then
    self:fail(('malformed number "%s"'):format(text:sub(self.at, last) .. tail))
  elseif not value then
    self:fail(("the integer %s does not fit 64 bits"):format(digits),
      "write it with a point or an exponent to make it an f64")
  elseif type(value) == "number" and value == math.huge then
    self:fail(("the number %s is too large for an f64"):format(digits))
  end
  self:push("number", value, last)
end

function Lexer:quoted_text(quote)
  local text, out, i = self.text, {}, self.at + 1
  while true do
    local c = text:sub(i, i)
    if c == "" then self:fail("text without a closing " .. quote) end
    if c == quote then break end
    local escape = c == "\\" and text_escapes[text:sub(i + 1, i + 1)]
    if escape then
      c, i = escape, i + 1
    elseif c:find "%c" then
      self:fail("text holds a control character", control_names[c]
        and ("write %s, and [[ ]] around the expression"):format(control_names[c])
        or "backslashes of a Lua text in quotes are gone already; write [[ ]] around the expression", i)
    end
    out[#out + 1] = c
    i = i + 1
  end
  self:push("text", table.concat(out), i)
end

function Lexer:quoted_name()
  local last = self.text:find("`", self.at + 1, true)
  if not last then self:fail "name without a closing `" end
  local name = self.text:sub(self.at + 1, last - 1)
  if name == "" then self:fail "a name between backticks is empty" end
  if name:find "%c" then self:fail "a name holds a control character" end
  self:push("name", name, last, true)
end

function Lexer:word()
  local _, last, name = self.text:find("^([%w_\128-\255]+)", self.at)
  if name == "nil" then self:fail '"nil" is written null in an expression' end
  self:push(keywords[name] and "word" or "name", name, last)
end

function Lexer:operator()
  local text, at = self.text, self.at
  for _, stranger in ipairs(strangers) do
    if text:sub(at, at + #stranger[1] - 1) == stranger[1] then self:fail(stranger[2], stranger[3]) end
  end
  for _, op in ipairs(operators) do
    if text:sub(at, at + #op - 1) == op then return self:push("op", op, at + #op - 1) end
  end
  local c = text:sub(at, at)
  self:fail(c:find "%c" and ("unexpected control character %d"):format(c:byte()) or ('unexpected "%s"'):format(c))
end

-- One token; false at the end.
function Lexer:next()
  local text = self.text
  self.at = text:find("[^ \t\r\n]", self.at) or #text + 1
  local c = text:sub(self.at, self.at)
  if c == "" then return false end
  if c:find "%d" or text:find("^%.%d", self.at) then
    self:number()
  elseif c == '"' or c == "'" then
    self:quoted_text(c)
  elseif c == "`" then
    self:quoted_name()
  elseif c:find "[%a_\128-\255]" then
    self:word()
  else
    self:operator()
  end
  return true
end

---@param source table { text =, origin = }
---@return table tokens the last one is of kind "end"
return function(source)
  local lexer = setmetatable({ source = source, text = source.text, at = 1, tokens = {} }, Lexer)
  local bad = utf8.invalid(source.text)
  if bad then lexer:fail("the expression is not valid UTF-8", nil, bad) end
  while lexer:next() do end
  lexer:push("end", "the end", lexer.at)
  return lexer.tokens
end
