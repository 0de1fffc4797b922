-- moonmill.expr.syntax.parse - the second pass: tokens to a tree, with Lua's precedence and associativity.
--
-- A node is {kind, at, source, ...}: "number" "text" "bool" (value), "null", "column" (name, quoted), "param" (name),
-- "unary" (op, a), "binary" (op, a, b), "call" (name, args), "set" (items). `at` is the byte of the operator or of the
-- first letter, `source` the text with its place, so that trees made of several texts still say where each part came
-- from. Trees are never changed.
local failure = require "moonmill.base.failure"
local lex = require "moonmill.expr.syntax.lex"

local DEPTH = 200 -- of parentheses, calls and signs within each other
local HEIGHT = 1000 -- of the tree: a chain like a + b + c ... is as high as it has operators

-- Binding to the left and to the right, as in Lua: a higher number binds closer; right-associative where left > right.
local binary = {
  ["or"] = { 1, 1 }, ["and"] = { 2, 2 },
  ["<"] = { 3, 3 }, [">"] = { 3, 3 }, ["<="] = { 3, 3 }, [">="] = { 3, 3 }, ["~="] = { 3, 3 }, ["=="] = { 3, 3 },
  [".."] = { 5, 4 }, ["+"] = { 6, 6 }, ["-"] = { 6, 6 },
  ["*"] = { 7, 7 }, ["/"] = { 7, 7 }, ["//"] = { 7, 7 }, ["%"] = { 7, 7 }, ["^"] = { 10, 9 },
}
local UNARY = 8

local Parser = {}
Parser.__index = Parser

local function new_parser(text, origin)
  local source = { text = text, origin = origin }
  return setmetatable({ source = source, tokens = lex(source), index = 1, depth = 0 }, Parser)
end

function Parser:fail(message, hint, at)
  failure.raise_at({ id = "syntax", message = message, hint = hint }, self.source.origin, self.source.text, at
    or self.tokens[self.index].at)
end

function Parser:peek(value)
  local token = self.tokens[self.index]
  return (token.kind == "op" or token.kind == "word") and token.value == value
end

function Parser:take(value)
  local found = self:peek(value)
  if found then self.index = self.index + 1 end
  return found
end

local function shown(token)
  if token.kind == "end" then return "the end" end
  return '"' .. tostring(token.value):gsub("U?LL$", "") .. '"'
end

function Parser:expect(value, opened)
  if self:take(value) then return end
  local token = self.tokens[self.index]
  if self:peek "=" then self:fail('unexpected "="', "write == to compare") end
  self:fail(('expected "%s", found %s'):format(value, shown(token)), opened
    and ('to close "%s" at byte %d'):format(opened.value, opened.at))
end

function Parser:node(at, kind, fields)
  fields.kind, fields.at, fields.source = kind, at, self.source
  local height = 0
  for _, child in ipairs { fields.a or false, fields.b or false } do
    if child and child.height > height then height = child.height end
  end
  for _, child in ipairs(fields.args or fields.items or {}) do
    if child.height > height then height = child.height end
  end
  fields.height = height + 1
  if fields.height > HEIGHT then
    self:fail(("the expression has more than %d nested operations"):format(HEIGHT), nil, at)
  end
  return fields
end

function Parser:list(open, close)
  local items = {}
  if self:take(close) then return items end
  repeat
    if close == "}" and #items > 0 and self:peek(close) then break end
    items[#items + 1] = self:expression(0)
  until not self:take ","
  self:expect(close, open)
  return items
end

function Parser:name()
  local token = self.tokens[self.index]
  self.index = self.index + 1
  local name = token.value
  if not token.quoted and self:take "." then
    local member = self.tokens[self.index]
    if member.kind ~= "name" then self:fail(('expected a name after "%s."'):format(name)) end
    self.index = self.index + 1
    if not self:peek "(" then
      if name == "p" then return self:node(token.at, "param", { name = member.value }) end
      self:fail(('"%s.%s" is not a name'):format(name, member.value),
        name == "r" and ("in an expression a column stands without r: %s"):format(member.value)
          or "a column whose name has a point stands between backticks: `" .. name .. "." .. member.value .. "`",
            token.at)
    end
    name = name .. "." .. member.value
  end
  local open = self.tokens[self.index]
  if not token.quoted and self:take "(" then
    return self:node(token.at, "call", { name = name, args = self:list(open, ")") })
  end
  return self:node(token.at, "column", { name = name, quoted = token.quoted })
end

function Parser:primary()
  local token = self.tokens[self.index]
  if token.kind == "name" then return self:name() end
  if token.kind == "number" or token.kind == "text" then
    self.index = self.index + 1
    return self:node(token.at, token.kind, { value = token.value })
  end
  if self:take "true" then return self:node(token.at, "bool", { value = true }) end
  if self:take "false" then return self:node(token.at, "bool", { value = false }) end
  if self:take "null" then return self:node(token.at, "null", {}) end
  if self:take "{" then return self:node(token.at, "set", { items = self:list(token, "}") }) end
  if self:take "(" then
    local inner = self:expression(0)
    self:expect(")", token)
    return inner
  end
  if self:peek "=" then self:fail('unexpected "="', "write == to compare") end
  self:fail(("expected a value, found %s"):format(shown(token)))
end

function Parser:expression(limit)
  self.depth = self.depth + 1
  if self.depth > DEPTH then self:fail(("the expression is nested more than %d deep"):format(DEPTH)) end
  local token = self.tokens[self.index]
  local left
  if self:take "-" then
    left = self:node(token.at, "unary", { op = "-", a = self:expression(UNARY) })
  elseif self:take "not" then
    left = self:node(token.at, "unary", { op = "not", a = self:expression(UNARY) })
  else
    left = self:primary()
  end
  while true do
    local operator = self.tokens[self.index]
    local power = (operator.kind == "op" or operator.kind == "word") and binary[operator.value]
    if not power or power[1] <= limit then break end
    self.index = self.index + 1
    left = self:node(operator.at, "binary", { op = operator.value, a = left, b = self:expression(power[2]) })
  end
  self.depth = self.depth - 1
  return left
end

function Parser:finish(tree)
  local token = self.tokens[self.index]
  if token.kind == "end" then return tree end
  if self:peek "=" then self:fail('unexpected "="', "write == to compare") end
  local hint = token.value == "is" and "write == null or ~= null" or nil
  self:fail(("unexpected %s after the expression"):format(shown(token)), hint)
end

function Parser:start()
  if self.tokens[1].kind == "end" then self:fail "the expression is empty" end
  return self:expression(0)
end

local parse = {}

---The tree of an expression.
---@param text string
---@param origin table? place of the text's first byte: {file =, line =, column =}
---@return table tree
function parse.expression(text, origin)
  local parser = new_parser(text, origin)
  return parser:finish(parser:start())
end

---"name = expression", "cols(...) = expression", or a column's name alone, which names itself.
---@param text string
---@param origin table?
---@return string|table name or the tree of a selector
---@return table tree
function parse.named(text, origin)
  local parser = new_parser(text, origin)
  local left = parser:start()
  if parser:take "=" then
    local selector = left.kind == "call" and left.name == "cols"
    if left.kind ~= "column" and not selector then
      parser:fail('left of "=" stands a name', "write name = expression, or == to compare", left.at)
    end
    if parser.tokens[parser.index].kind == "end" then parser:fail 'nothing follows "="' end
    return selector and left or left.name, parser:finish(parser:expression(0))
  end
  parser:finish(left)
  if left.kind ~= "column" then
    parser:fail("the expression has no name", "write name = " .. text:match "^%s*(.-)%s*$", 1)
  end
  return left.name, left
end

return parse
