-- moonmill.cli.output.text_width - how many columns of a terminal a text takes.

-- Ranges of code points of two columns: Hangul, CJK, kana, full-width forms, emoji.
local WIDE = {
  { 0x1100, 0x115F }, { 0x2E80, 0x303E }, { 0x3041, 0xA4CF }, { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF },
  { 0xFE30, 0xFE6F },
  { 0xFF00, 0xFF60 }, { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1F64F }, { 0x1F900, 0x1F9FF }, { 0x20000, 0x3FFFD },
}
-- Ranges that take none: combining marks, zero-width characters, variation selectors.
local NONE = { { 0x0300, 0x036F }, { 0x200B, 0x200F }, { 0x20D0, 0x20FF }, { 0xFE00, 0xFE0F } }

local function within(ranges, code)
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then return true end
  end
  return false
end

local function code_of(letter)
  local first = letter:byte()
  if first < 0x80 then return first end
  local code = first >= 0xF0 and first % 8 or first >= 0xE0 and first % 16 or first % 32
  for i = 2, #letter do code = code * 64 + letter:byte(i) % 64 end
  return code
end

local function letter_width(letter)
  if #letter == 1 then return 1 end
  local code = code_of(letter)
  return within(NONE, code) and 0 or within(WIDE, code) and 2 or 1
end

local LETTER = "[%z\1-\127\192-\255][\128-\191]*"

---@param text string
---@return integer
local function text_width(text)
  if not text:find "[\128-\255]" then return #text end
  local width = 0
  for letter in text:gmatch(LETTER) do width = width + letter_width(letter) end
  return width
end

---The text, cut with an ellipsis where it is wider than `most`.
---@return string
local function cut(text, most)
  if text_width(text) <= most then return text end
  local kept, width = {}, 0
  for letter in text:gmatch(LETTER) do
    width = width + letter_width(letter)
    if width > most - 1 then break end
    kept[#kept + 1] = letter
  end
  return table.concat(kept) .. "…"
end

return { of = text_width, cut = cut }
