-- moonmill.base.utf8 - is a text valid UTF-8?
local utf8 = {}

---Position of the first byte that is not part of valid UTF-8 (no surrogates, nothing beyond U+10FFFF), or nil.
---@param text string
---@param from integer? look from this byte on, where a character begins
---@return integer?
function utf8.invalid(text, from)
  local i = text:find("[\128-\255]", from)
  while i and i <= #text do
    local a, b = text:byte(i, i + 1)
    local more = a < 0x80 and 0 or a >= 0xC2 and a < 0xE0 and 1 or a >= 0xE0 and a < 0xF0 and 2 or a >= 0xF0
      and a < 0xF5 and 3
    if not more or i + more > #text or text:sub(i + 1, i + more):find "[^\128-\191]" then return i end
    if a == 0xE0 and b < 0xA0 or a == 0xED and b > 0x9F or a == 0xF0 and b < 0x90 or a == 0xF4 and b > 0x8F then
      return i
    end
    i = i + more + 1
  end
end

return utf8
