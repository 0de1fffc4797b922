-- moonmill.base.failure_text - a failure as text for people and as JSON for programs.
local json = require "moonmill.base.json"
local printable = require "moonmill.base.printable"

local rendering = {}

local LONG = 4000 -- only what a mistake of our own says is long: it is the trace of the calls

---Bytes of the longest message of a failure.
---@param self moonmill.Failure
---@return integer
function rendering.most_of(self) return self.code == "bug" and LONG or printable.MOST end

local function place_text(place)
  local parts = {}
  if place.file and place.file ~= "" then parts[1] = place.file end
  if place.line and place.line > 0 then
    parts[#parts + 1] = ("%d"):format(place.line)
    if place.column and place.column > 0 then parts[#parts + 1] = ("%d"):format(place.column) end
  end
  return table.concat(parts, ":")
end

---"file:line:column: error[id]: message", then the script's place of an error in data, then the hint, each on a line of
---its own. Control characters are escaped, wherever they come from.
---@param self moonmill.Failure
---@return string
function rendering.text(self)
  local place = place_text(self)
  if place ~= "" and not (self.file and self.file ~= "") then place = "expression:" .. place end
  local lines = {
    ("%serror[%s]: "):format(place ~= "" and printable.line(place, printable.PLACE) .. ": " or "", self.id or "error")
      .. printable.lines(self.message, rendering.most_of(self)) }
  if self.script then
    local script = place_text(self.script)
    local shown = self.script.text and printable.line((self.script.text:gsub("%s+", " ")), printable.MOST)
    lines[#lines + 1] = "  in " .. printable.line(script, printable.PLACE)
      .. (script ~= "" and shown and ": " or "") .. (shown or "")
  end
  if self.row and (self.row_shown or not (self.line and self.line > 0)) then
    lines[1] = lines[1] .. (" (row %d)"):format(self.row)
  end
  if self.hint and self.hint ~= "" then lines[#lines + 1] = "  hint: " .. printable.lines(self.hint, printable.MOST) end
  return table.concat(lines, "\n")
end

-- What is shown, in this order.
local Shown = { json_keys = { "code", "id", "message", "hint", "file", "line", "column", "row", "field", "value",
  "stage", "script", "frames" } }
local Script = { json_keys = { "file", "line", "column", "text" } }

---One JSON object on one line; absent fields are left out.
---@param self moonmill.Failure
---@return string
function rendering.json(self)
  local shown = setmetatable({}, Shown)
  for _, key in ipairs(Shown.json_keys) do
    if self[key] ~= "" then shown[key] = self[key] end
  end
  if self.script then shown.script = setmetatable({}, Script) end
  for _, key in ipairs(self.script and Script.json_keys or {}) do
    if self.script[key] ~= "" then shown.script[key] = self.script[key] end
  end
  return json.encode(shown)
end

return rendering
