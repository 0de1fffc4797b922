-- moonmill.base.printable - text from anywhere as it may stand in a terminal: control characters and what changes the
-- direction of writing are escaped, long texts are cut.
local utf8 = require "moonmill.base.utf8"

local printable = {}

---Bytes of the longest message, hint or excerpt; ERROR_MESSAGE_MOST of the core.
printable.MOST = 400

---Bytes of the longest place: that of a path, as Linux has it.
printable.PLACE = 4096

local LETTERS = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r" }
local function escape_byte(c) return LETTERS[c] or ("\\x%02x"):format(c:byte()) end

-- C1 controls; marks, embeddings, overrides and isolates of direction; separators of lines and paragraphs.
local WIDE = {
  { "\194[\128-\159]", function(c) return c:byte(2) end },
  { "\216\156", function() return 0x61C end },
  { "\226\128[\142\143\168-\174]", function(c) return 0x2000 + c:byte(3) - 0x80 end },
  { "\226\129[\166-\169]", function(c) return 0x2040 + c:byte(3) - 0x80 end },
}

---Replace each character that a terminal would act on, beyond ASCII.
---@param text string valid UTF-8
---@param form string format of the code point
---@return string
function printable.wide(text, form)
  if not text:find "[\194\216\226]" then return text end
  for _, kind in ipairs(WIDE) do
    text = text:gsub(kind[1], function(c) return form:format(kind[2](c)) end)
  end
  return text
end

---Each byte that is not part of valid UTF-8, by what `replace` gives for it.
---@param text string
---@param replace fun(byte: string): string
---@return string
function printable.valid(text, replace)
  local at = utf8.invalid(text)
  if not at then return text end
  local parts, from = {}, 1
  while at do
    parts[#parts + 1] = text:sub(from, at - 1)
    parts[#parts + 1] = replace(text:sub(at, at))
    from = at + 1
    at = utf8.invalid(text, from)
  end
  parts[#parts + 1] = text:sub(from)
  return table.concat(parts)
end

-- Characters and escapes that a cut left incomplete.
local function whole(text)
  text = text:gsub("[\192-\255][\128-\191]*$", function(last)
    local lead = last:byte()
    local size = lead >= 0xF0 and 4 or lead >= 0xE0 and 3 or 2
    return #last < size and "" or last
  end)
  return (text:gsub("\\$", ""):gsub("\\x%x?$", ""):gsub("\\u{?%x*$", ""))
end

---At most so many bytes: a longer text is cut between characters and ends in "...".
---@param text string
---@param most integer
---@return string
function printable.cut(text, most)
  if #text <= most then return text end
  return whole(text:sub(1, most - 3)) .. "..."
end

local function escape(text, controls, most)
  if most then text = printable.cut(text, most) end -- an escape is longer than what it stands for
  text = printable.wide(printable.valid(text, escape_byte), "\\u{%x}"):gsub(controls, escape_byte)
  return most and printable.cut(text, most) or text
end

---On one line: every control character is escaped. Nothing else is, so that a text may pass twice.
---@param text string
---@param most integer? bytes of the result; nil: all
---@return string
function printable.line(text, most) return escape(text, "%c", most) end

---The same of a text of several lines: line ends and tabs stay.
---@param text string
---@param most integer?
---@return string
function printable.lines(text, most) return escape(text, "[%z\1-\8\11-\31\127]", most) end

---Print a text of one or more lines to stdout.
---@param text string
function printable.print(text) io.stdout:write(printable.lines(text), "\n") end

return printable
