-- moonmill.script.source_positions - the positions of stages and their strings in a script's text.
-- DESIGN: Lua tells the line of a call. The text of the script tells the rest: it is cut into tokens once, the call is
-- the token `name` whose arguments begin on that line, and a string argument is the next literal with that value. What
-- cannot be found (text that the script put together) has the place of the call. Tokens are indexed by what they are
-- looked for, so that a script of many stages costs linear work.

local Positions = {}
Positions.__index = Positions

---@class moonmill.Place
---@field file string
---@field line integer
---@field column integer byte of the line, from 1
---@field stage? string label of the stage, for messages
---@field offset? integer byte of the text, from 1

-- End of the long bracket that opens at `start`, or nil when there is none.
local function long_bracket(text, start)
  local level = text:match("^%[(=*)%[", start)
  if not level then return nil end
  local _, stop = text:find("]" .. level .. "]", start, true)
  return stop or #text, #level + 2
end

local function short_string(text, start)
  local quote, at = text:sub(start, start), start + 1
  while at <= #text do
    local c = text:sub(at, at)
    if c == quote then return at end
    at = at + (c == "\\" and 2 or 1)
  end
  return #text
end

-- The value of a string literal; the text is nothing but a literal, so running it is safe.
local function value_of(raw)
  local chunk = loadstring("return " .. raw)
  return chunk and chunk() or nil
end

local function tokens_of(text)
  local tokens, at, line = {}, 1, 1
  local function add(kind, start, stop, content, value)
    local _, breaks = text:sub(start, stop):gsub("\n", "")
    tokens[#tokens + 1] =
      { kind = kind, start = start, content = content, value = value, line = line, last_line = line + breaks }
    line = line + breaks
  end
  while true do
    local blank = text:match("^%s*()", at)
    local _, breaks = text:sub(at, blank - 1):gsub("\n", "")
    line, at = line + breaks, blank
    if at > #text then return tokens end
    local stop, skip
    local c = text:sub(at, at)
    if text:find("^%-%-", at) then
      stop = long_bracket(text, at + 2) or (text:find("\n", at, true) or #text + 1) - 1
      local _, inside = text:sub(at, stop):gsub("\n", "")
      line = line + inside
    elseif c == '"' or c == "'" then
      stop = short_string(text, at)
      add("string", at, stop, at + 1, value_of(text:sub(at, stop)))
    elseif c == "[" and long_bracket(text, at) then
      stop, skip = long_bracket(text, at)
      local content = at + skip
      if text:sub(content, content) == "\n" then content = content + 1 end -- Lua drops a first line break
      add("string", at, stop, content, value_of(text:sub(at, stop)))
    elseif c:find "[%a_]" then
      stop = text:match("^[%w_]+()", at) - 1
      add("name", at, stop, at, text:sub(at, stop))
    else
      stop = at
      add("mark", at, stop, at, c)
    end
    at = stop + 1
  end
end

-- Append to the list of a key.
local function append(lists, key, token)
  local list = lists[key]
  if not list then
    list = {}
    lists[key] = list
  end
  list[#list + 1] = token
end

local function call_key(name, line) return line .. " " .. name end

-- Tokens in the order of the text: by value, string literals by value, calls by name and the line of their arguments.
local function index_of(tokens)
  local index = { words = {}, literals = {}, calls = {} }
  for i, token in ipairs(tokens) do
    local arguments = tokens[i + 1]
    if token.value ~= nil then append(index.words, token.value, token) end
    if token.kind == "string" and token.value ~= nil then append(index.literals, token.value, token) end
    if token.kind == "name" and arguments then
      append(index.calls, call_key(token.value, arguments.last_line), token)
    end
  end
  return index
end

-- The number of the first item of an ascending list for which beyond(item) holds, or the length + 1.
local function first_beyond(list, beyond)
  local low, high = 1, #list + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if beyond(list[middle]) then high = middle else low = middle + 1 end
  end
  return low
end

-- The first token of a list behind byte `after`, or nil.
local function token_after(list, after)
  return list and list[first_beyond(list, function(token) return token.start > after end)]
end

---@param file string name used in messages
---@param text string
function Positions.new(file, text)
  return setmetatable({ file = file, text = text, _index = false, _lines = false }, Positions)
end

-- Made when it is first needed.
function Positions:index()
  if not self._index then self._index = index_of(tokens_of(self.text)) end
  return self._index
end

-- The bytes at which lines begin.
function Positions:line_starts()
  if not self._lines then
    self._lines = { 1 }
    for stop in self.text:gmatch "()\n" do self._lines[#self._lines + 1] = stop + 1 end
  end
  return self._lines
end

---Line and column of a byte of the text.
---@return moonmill.Place
function Positions:at(offset)
  local starts = self:line_starts()
  local line = first_beyond(starts, function(start) return start > offset end) - 1
  return { file = self.file, line = line, column = offset - starts[line] + 1, offset = offset }
end

---The call `name` whose arguments begin on `line`; among several the first after byte `after`.
---@return moonmill.Place
function Positions:call(name, line, after)
  local calls = self:index().calls[call_key(name, line)]
  local found = token_after(calls, after) or calls and calls[1]
  if found then return self:at(found.start) end
  return { file = self.file, line = line, column = 1, offset = 0 }
end

---The content of the first literal with this value after byte `after`, or nil.
---@return moonmill.Place?
function Positions:literal(value, after)
  local found = token_after(self:index().literals[value], after)
  return found and self:at(found.content)
end

---The name or literal `word` after byte `after`, or nil.
---@return moonmill.Place?
function Positions:word(word, after)
  local found = token_after(self:index().words[word], after)
  return found and self:at(found.start)
end

return Positions
