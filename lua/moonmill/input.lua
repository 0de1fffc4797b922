-- moonmill.input - what a pipeline says about its input: the columns that it reads, with their types.
local failure = require "moonmill.failure"
local fields = require "moonmill.fields"
local suggest = require "moonmill.suggest"
local types = require "moonmill.types"

---@class moonmill.Input
---@field fields moonmill.Field[]
---@field rest boolean the list ends with "...": other columns pass through
---@field whole? string "lines", or the name of a type: a bare typed buffer

---Check the `input` of a declaration.
---@return moonmill.Input
local function declare(call, value)
  if value == "lines" or (type(value) == "string" and pcall(types.parse, value)) then
    return { fields = {}, rest = false, whole = value }
  end
  local items, rest = call:texts(value, "columns", ": "), false
  if #items > 0 and items[#items].text == "..." then
    rest = true
    items[#items] = nil
  end
  for i, item in ipairs(items) do
    if item.text == "..." then
      call:fail("bad-field", '"..." must be the last item of input', "it lets all other columns pass", items[i].place)
    end
  end
  return { fields = fields.parse_all(call, items), rest = rest }
end

-- A column that the file does not have.
local function raise_missing(field, names, file)
  failure.raise {
    id = "unknown-column", stage = "input",
    message = ("%s has no column \"%s\""):format(file, field.name),
    hint = suggest.hint(field.name, names) or "its columns: " .. table.concat(names, ", "),
    file = field.place.file, line = field.place.line, column = field.place.column,
  }
end

---The columns that the pipeline sees of a file with these columns.
---@param declared moonmill.Input|false
---@param columns { name: string, type: any, nullable: boolean }[] of the file
---@param file string for messages
---@return table[] columns in the order that the pipeline sees
---@return string[] dropped names of the file's other columns
local function bind(declared, columns, file)
  if not declared then return columns, {} end
  if declared.whole then
    failure.raise {
      id = "wrong-input", stage = "input",
      message = ('the pipeline reads %s, and %s is a table of columns'):format(
        declared.whole == "lines" and "text lines" or "a bare buffer of " .. declared.whole, file),
      hint = "files of this kind cannot be read by this version; declare columns: input = { \"name: type\" }",
    }
  end
  local by_name, names = {}, {}
  for i, column in ipairs(columns) do by_name[column.name], names[i] = column, column.name end
  local seen, declared_names = {}, {}
  for i, field in ipairs(declared.fields) do
    if not by_name[field.name] then raise_missing(field, names, file) end
    seen[i] = { name = field.name, type = field.type, nullable = field.nullable }
    declared_names[field.name] = seen[i]
  end
  local all, dropped = {}, {}
  for _, column in ipairs(columns) do
    all[#all + 1] = declared_names[column.name] or column
    if not declared_names[column.name] then dropped[#dropped + 1] = column.name end
  end
  if declared.rest then return all, {} end
  return seen, dropped
end

---The columns that a declaration promises, for a check without a file; nil when only a file can tell.
local function promised(declared)
  if not declared or declared.whole or declared.rest then return nil end
  return (bind(declared, declared.fields, "the declaration"))
end

return { declare = declare, bind = bind, promised = promised }
