-- moonmill.printable - text of others as it may be shown: nothing in it reaches a terminal but characters.
--
-- DESIGN. Messages, names and places carry what stood in data, in scripts and in names of files. Control characters move
-- a cursor or change its colours, those for the direction of text make it read as something else, and bytes that are not
-- UTF-8 are no text; all are shown as escapes.
local utf8 = require "moonmill.utf8"

local printable = {}

---Bytes of the longest message, and of the longest hint.
printable.MOST = 400

---Bytes of the longest path, as Linux has it, and so of the longest place.
printable.PATH = 4096

-- C1; marks of direction, and separators of lines.
local CONTROLS = { "\194[\128-\159]", "\216\156", "\226\128[\142\143\168-\174]", "\226\129[\166-\169]" }

local NAMED = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r" }

local function byte_escape(c) return NAMED[c] or ("\\x%02x"):format(c:byte()) end

-- A character of two or three bytes by its number.
local function character_escape(c)
  local a, b, d = c:byte(1, 3)
  local number = d and (a % 16) * 4096 + (b % 64) * 64 + d % 64 or (a % 32) * 64 + b % 64
  return ("\\u%04x"):format(number)
end

-- Bytes that are not UTF-8, each as an escape.
local function valid(text)
  local at, parts, from = utf8.invalid(text), {}, 1
  while at do
    parts[#parts + 1] = text:sub(from, at - 1)
    parts[#parts + 1] = byte_escape(text:sub(at, at))
    from = at + 1
    at = utf8.invalid(text, from)
  end
  return from == 1 and text or table.concat(parts) .. text:sub(from)
end

---Text in which control characters of several bytes are escapes, as JSON has them too.
---@param text string
---@return string
function printable.characters(text)
  if not text:find "[\194\216\226]" then return text end
  for _, pattern in ipairs(CONTROLS) do text = text:gsub(pattern, character_escape) end
  return text
end

---Text without control characters (C0, C1, DEL), marks of direction, and bytes that are not UTF-8.
---@param text string
---@return string
function printable.escaped(text)
  return printable.characters((valid(text):gsub("%c", byte_escape)))
end

local function bytes_escape(c)
  return (c:gsub(".", function(byte) return ("\\%03d"):format(byte:byte()) end))
end

---Text as a literal of Lua on one line.
---@param text string
---@return string
function printable.literal(text)
  local literal = ("%q"):format(text):gsub("\\\n", "\\n")
  for _, pattern in ipairs(CONTROLS) do literal = literal:gsub(pattern, bytes_escape) end
  return literal
end

---Text of at most so many bytes: a longer one ends with "..." behind a whole character.
---@param text string
---@param most integer
---@return string
function printable.cut(text, most)
  if #text <= most then return text end
  local stop = most - 3
  while stop > 0 and text:byte(stop + 1) >= 128 and text:byte(stop + 1) < 192 do stop = stop - 1 end
  return text:sub(1, stop) .. "..."
end

---A message or a hint as it is shown. What is cut away is not looked at.
---@param text string
---@return string
function printable.message(text)
  return printable.cut(printable.escaped(text:sub(1, printable.MOST + 1)), printable.MOST)
end

---The name of a file as it is shown. What is cut away is not looked at.
---@param text string
---@return string
function printable.path(text)
  return printable.cut(printable.escaped(text:sub(1, printable.PATH + 1)), printable.PATH)
end

return printable
