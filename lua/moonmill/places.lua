-- moonmill.places - where in a script's text a stage and its strings stand.
-- DESIGN: Lua tells the line of a call. The text of the script tells the rest: it is cut into tokens once, the call is
-- the token `name` whose arguments begin on that line, and a string argument is the next literal with that value. What
-- cannot be found (text that the script put together) has the place of the call.

local Places = {}
Places.__index = Places

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

-- The value of a string literal; what stands there is nothing but a literal, so running it is safe.
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

---@param file string name used in messages
---@param text string
function Places.new(file, text)
  return setmetatable({ file = file, text = text, _tokens = false }, Places)
end

function Places:tokens()
  if not self._tokens then self._tokens = tokens_of(self.text) end
  return self._tokens
end

---Line and column of a byte of the text.
---@return moonmill.Place
function Places:at(offset)
  local line, start = 1, 1
  for stop in self.text:gmatch "()\n" do
    if stop >= offset then break end
    line, start = line + 1, stop + 1
  end
  return { file = self.file, line = line, column = offset - start + 1, offset = offset }
end

---The call `name` whose arguments begin on `line`; among several the first after byte `after`.
---@return moonmill.Place
function Places:call(name, line, after)
  local tokens, first = self:tokens(), nil
  for i, token in ipairs(tokens) do
    local arguments = tokens[i + 1]
    if token.kind == "name" and token.value == name and arguments and arguments.last_line == line then
      if token.start > after then return self:at(token.start) end
      first = first or token
    end
  end
  if first then return self:at(first.start) end
  return { file = self.file, line = line, column = 1, offset = 0 }
end

---The content of the first literal with this value after byte `after`, or nil.
---@return moonmill.Place?
function Places:literal(value, after)
  for _, token in ipairs(self:tokens()) do
    if token.start > after and token.kind == "string" and token.value == value then return self:at(token.content) end
  end
  return nil
end

---The name or literal `word` after byte `after`, or nil.
---@return moonmill.Place?
function Places:word(word, after)
  for _, token in ipairs(self:tokens()) do
    if token.start > after and token.value == word then return self:at(token.start) end
  end
  return nil
end

return Places
