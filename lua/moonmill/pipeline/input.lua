-- moonmill.pipeline.input - the input that a pipeline declares: the columns that it reads, with their types.
local expr = require "moonmill.expr.compiler"
local failure = require "moonmill.base.failure"
local fields = require "moonmill.script.fields"
local suggest = require "moonmill.base.suggest"
local types = require "moonmill.base.types"

---@class moonmill.Input
---@field fields moonmill.Field[]
---@field rest boolean the list ends with "...": other columns pass through
---@field whole? string "lines": lines of text, or the name of a type: a bare typed buffer

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
  if declared.whole == "lines" then return columns, {} end -- the files were opened as such
  if declared.whole then
    failure.raise {
      id = "wrong-input", stage = "input",
      message = ("the pipeline reads a bare buffer of %s, and %s is a table of columns"):format(declared.whole, file),
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

-- What comes before the pipeline's own stages: columns of data in memory become what the declaration says.
local function adapter(pipeline_place, casts, renames)
  if #casts == 0 and next(renames) == nil then return nil end
  return function(draft)
    draft.stage = { entry = { name = "input" }, place = pipeline_place }
    for _, item in ipairs(casts) do
      draft:builder():cast(item.name, expr.column(item.name, item.place), item.type, "check")
    end
    if next(renames) then draft:builder():rename(renames) end
  end
end

-- Is a value of the one type taken for the other, if it fits?
local function converts(from, to)
  return from == to or from.number and to.number or from == types.null or from.time and from.id == to.id
end

-- A column of data in memory as it was declared: what arrives, and the cast that it needs.
local function agree(column, wanted, place, casts, hint)
  if not converts(column.type, wanted.type) then
    failure.raise {
      id = "wrong-type", stage = "input", field = column.name, file = place.file, line = place.line,
      column = place.column, hint = hint,
      message = ("column \"%s\" is %s, and it is declared as %s"):format(column.name, column.type.name,
        wanted.type.name),
    }
  end
  if column.type == types.null and not wanted.nullable then
    failure.raise {
      code = "data", id = "null-value", stage = "input", field = column.name, file = place.file, line = place.line,
      column = place.column, row = 1, message = ("column \"%s\" has only nulls"):format(column.name),
      hint = ("declare it as \"%s: %s?\""):format(column.name, wanted.type.name),
    }
  end
  if column.type ~= wanted.type then
    casts[#casts + 1] = { name = column.name, type = wanted.type, place = place }
  end
  return { name = column.name, type = column.type, nullable = wanted.nullable }
end

-- The one column of a bare buffer or of text lines, whatever its name.
local function bind_whole(pipeline, columns)
  local whole, place = pipeline.input.whole, pipeline.place
  local name, kind, nullable = "line", types.utf8, false
  if whole ~= "lines" then
    name = "value"
    kind, nullable = types.parse(whole)
  end
  if #columns ~= 1 then
    failure.raise {
      id = "wrong-input", stage = "input", file = place.file, line = place.line, column = place.column,
      message = ("the pipeline reads %s, and the data has %d columns"):format(
        whole == "lines" and "text lines" or "a bare buffer of " .. whole, #columns),
      hint = "give it one column: pipeline.run(table.select([\"name\"]))",
    }
  end
  local casts, renames = {}, {}
  local arriving = agree(columns[1], { type = kind, nullable = nullable }, place, casts,
    ("convert the data, or declare input = \"%s\""):format(columns[1].type.name))
  if arriving.name ~= name then renames[arriving.name] = name end
  return { arriving }, adapter(place, casts, renames), {}
end

---The columns that come in from data in memory, and what makes of them those that the pipeline sees.
---@param pipeline moonmill.Pipeline
---@param columns moonmill.Column[] of the data
---@return moonmill.Column[] arriving
---@return fun(draft: moonmill.Draft)? adapt for moonmill.plan.plan.bind
---@return string[] dropped names of the data's other columns
local function bind_data(pipeline, columns)
  local declared, seen = pipeline.input, {}
  for _, column in ipairs(columns) do
    if seen[column.name] then
      failure.raise { id = "duplicate-column", field = column.name,
        message = ("the data has two columns \"%s\""):format(column.name), hint = "rename one of them" }
    end
    seen[column.name] = column
  end
  if #columns == 0 then
    failure.raise { id = "no-columns", message = "the data has no columns", hint = "give it at least one" }
  end
  if declared and declared.whole then return bind_whole(pipeline, columns) end
  local visible, dropped = bind(declared, columns, "the data")
  local casts, arriving = {}, {}
  local fields_by_name = {}
  for _, field in ipairs(declared and declared.fields or {}) do fields_by_name[field.name] = field end
  for i, column in ipairs(visible) do
    local field = fields_by_name[column.name]
    arriving[i] = not field and column or agree(seen[column.name], field, field.place, casts,
      ("declare \"%s: %s%s\" and convert it in a stage, or convert the data"):format(column.name,
        seen[column.name].type.name, seen[column.name].nullable and "?" or ""))
  end
  return arriving, adapter(pipeline.place, casts, {}), dropped
end

---The columns that a declaration promises, for a check without a file; nil when only a file can tell.
local function promised(declared)
  if not declared or declared.rest then return nil end
  if declared.whole == "lines" then return { { name = "line", type = types.utf8, nullable = false } } end
  if declared.whole then
    local kind, nullable = types.parse(declared.whole)
    return { { name = "value", type = kind, nullable = nullable } }
  end
  return (bind(declared, declared.fields, "the declaration"))
end

return { declare = declare, bind = bind, bind_data = bind_data, promised = promised }
