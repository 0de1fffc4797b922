-- moonmill.rows.vector.tags - the types that a Lua value may have, as a bit set.
local bit = require "bit"

local tags = { NIL = 1, FALSE = 2, TRUE = 4, NUMBER = 8, TEXT = 16, OBJECT = 32 }

---Kinds that differ from lane to lane, each with a mask. An object is the same in all lanes.
tags.LANES = { tags.NIL, tags.FALSE, tags.TRUE, tags.NUMBER, tags.TEXT }
tags.FALSY = tags.NIL + tags.FALSE
tags.BOOL = tags.FALSE + tags.TRUE
tags.ANY = 63

local NAMES = { { tags.NIL, "nil" }, { tags.BOOL, "a boolean" }, { tags.NUMBER, "a number" }, { tags.TEXT, "text" },
  { tags.OBJECT, "a table or function" } }

---A set in words: "nil or a number".
---@param set integer
function tags.describe(set)
  local words = {}
  for _, item in ipairs(NAMES) do
    if bit.band(set, item[1]) ~= 0 then words[#words + 1] = item[2] end
  end
  return table.concat(words, " or ")
end

return tags
