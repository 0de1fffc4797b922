-- moonmill.script.fields - "name: type" and "name: type?" as they stand in input, params, map and cast.
local types = require "moonmill.base.types"

---@class moonmill.Field
---@field name string
---@field type any of moonmill.base.types
---@field nullable boolean
---@field place moonmill.Place

---A column name as written: bare, or any text in backticks.
---@return string? name
---@return string? rest what follows it
local function name_of(text)
  local quoted, rest = text:match "^%s*`([^`]+)`%s*(.*)$"
  if quoted then return quoted, rest end
  return text:match "^%s*([%a_][%w_]*)%s*(.*)$"
end

---Read a type and its question mark from the start of `text`.
---@return any type nil when there is none
---@return boolean nullable
---@return string rest
local function type_of(text, place)
  local name, rest = text:match "^%s*([%a_][%w_]*)(.*)$"
  if not name then return nil, false, text end
  local argument, after = rest:match "^(%b())(.*)$"
  if argument then name, rest = name .. argument, after end
  local parsed = types.parse(name, place)
  local mark
  mark, rest = rest:match "^(%??)%s*(.*)$"
  return parsed, mark == "?", rest
end

---Parse one item of a list.
---@param item { text: string, place: moonmill.Place }
---@return moonmill.Field
---@return string rest what follows the type
local function parse(call, item)
  local name, after = name_of(item.text)
  local text = after and after:match "^:%s*(.*)$"
  if not text then
    call:fail("bad-field", ("expected \"name: type\", got \"%s\""):format(item.text),
      'for example "price: f64", "note: utf8?" when it may be null; odd names stand in backticks', item.place)
  end
  local kind, nullable, rest = type_of(text, item.place)
  if not kind then call:fail("bad-field", ("expected a type after \"%s:\""):format(name), nil, item.place) end
  return { name = name, type = kind, nullable = nullable, place = item.place }, rest
end

---A list of fields without anything after them; names are unique.
---@return moonmill.Field[]
local function parse_all(call, items)
  local fields, seen = {}, {}
  for i, item in ipairs(items) do
    local field, rest = parse(call, item)
    if rest ~= "" then
      call:fail("bad-field", ("unexpected \"%s\" after the type in \"%s\""):format(rest, item.text), nil, item.place)
    end
    if seen[field.name] then
      call:fail("duplicate-column", ("\"%s\" is named twice"):format(field.name), "leave one out", item.place)
    end
    fields[i], seen[field.name] = field, true
  end
  return fields
end

---A list written as one text: "late: utf8, b: f64?".
---@return { text: string, place: moonmill.Place }[]
local function split(item)
  local items, start, depth = {}, 1, 0
  local function add(stop)
    local text = item.text:sub(start, stop)
    local lead = #text:match "^%s*"
    local place = {}
    for key, value in pairs(item.place) do place[key] = value end
    place.column = place.column + start - 1 + lead
    items[#items + 1] = { text = text:match "^%s*(.-)%s*$", place = place }
  end
  for at = 1, #item.text do
    local c = item.text:sub(at, at)
    if c == "(" then depth = depth + 1 elseif c == ")" then depth = depth - 1 end
    if c == "," and depth == 0 then
      add(at - 1)
      start = at + 1
    end
  end
  add(#item.text)
  return items
end

return { parse = parse, parse_all = parse_all, split = split, name_of = name_of }
