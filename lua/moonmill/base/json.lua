-- moonmill.base.json - values as JSON text on one line: what `--errors json` prints and what a session answers.
local printable = require "moonmill.base.printable"

local json = {}

---Stands for null.
json.null = setmetatable({}, { __tostring = function() return "null" end })

local List = {}

---A list, also when it is empty: without this an empty table is an object.
---@param items table
---@return table items
function json.list(items) return setmetatable(items, List) end

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

-- Bytes that are not UTF-8 become U+FFFD: JSON is text.
local function replacement() return "\239\191\189" end

local function text_of(value)
  local text = printable.valid(value, replacement):gsub('[%c"\\\127]', function(c)
    return escapes[c] or ("\\u%04x"):format(c:byte())
  end)
  return '"' .. printable.wide(text, "\\u%04x") .. '"'
end

-- A number that JSON does not have goes as text.
local function number_of(value)
  if value ~= value or value == math.huge or value == -math.huge then return text_of(tostring(value)) end
  local short = ("%.15g"):format(value)
  return tonumber(short) == value and short or ("%.17g"):format(value)
end

-- Keys in the order that the table's metatable names, else by their bytes.
local function keys_of(object)
  local meta = getmetatable(object)
  if type(meta) == "table" and meta.json_keys then return meta.json_keys end
  local keys = {}
  for key in pairs(object) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local encode

local function object_of(value)
  local parts = {}
  for _, key in ipairs(keys_of(value)) do
    if value[key] ~= nil then parts[#parts + 1] = text_of(key) .. ":" .. encode(value[key]) end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function list_of(value)
  local parts = {}
  for i, item in ipairs(value) do parts[i] = encode(item) end
  return "[" .. table.concat(parts, ",") .. "]"
end

---Any value as JSON. A table is a list when it has items or was marked by `json.list`, else an object of the keys that
---are not nil. What is not text, number, boolean or table goes as the text that tostring gives.
---@param value any
---@return string
function encode(value)
  if value == json.null then return "null" end
  local kind = type(value)
  if kind == "number" then return number_of(value) end
  if kind == "boolean" then return tostring(value) end
  if kind ~= "table" then return text_of(tostring(value)) end
  if value[1] ~= nil or getmetatable(value) == List then return list_of(value) end
  return object_of(value)
end

json.encode = encode

return json
