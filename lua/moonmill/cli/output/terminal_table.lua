-- moonmill.cli.output.terminal_table - a table on a terminal: names, types under them, numbers to the right, wide
-- tables cut with a note.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local native = require "moonmill.base.ffi"
local printable = require "moonmill.base.printable"
local schemas = require "moonmill.base.schemas"
local width = require "moonmill.cli.output.text_width"

local C, err = native.C, native.err
local CELL = 40 -- widest cell
local GAP = 2
local PLACES = 4 -- digits shown behind the point of numbers from 1 up; the files have all of them

local DIM, BOLD, PLAIN = "\27[2m", "\27[1m", "\27[0m"

local function is_null(column, row)
  if column.type.id == C.MM_NULL then return true end
  return column.valid ~= nil and bit.band(bit.rshift(column.valid[math.floor(row / 64)], row % 64), 1ULL) == 0
end

-- Texts of a column's rows; false for null.
local function cells_of(result, number, most)
  local cells, buffer = {}, ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free)
  for b = 0, tonumber(result.count) - 1 do
    local column = result.batches[b].columns[number]
    for row = 0, tonumber(column.length) - 1 do
      if #cells == most then return cells end
      buffer.size = 0
      failure.check(C.mm_column_text(column, row, buffer, err), err)
      local text = ffi.string(buffer.data, buffer.size)
      cells[#cells + 1] = not is_null(column, row) and text
    end
  end
  return cells
end

-- Digits behind the point that a number needs, up to what is shown.
local function places_of(text)
  local value = tonumber(text)
  if not value or text:find "[eEna]" or math.abs(value) >= 1e15 then return nil end
  local most = PLACES
  if value ~= 0 and math.abs(value) < 1 then
    most = math.min(12, PLACES - 1 - math.floor(math.log10(math.abs(value))))
  end
  local digits = ("%." .. most .. "f"):format(value):match "%.(%d-)0*$"
  return math.max(1, #digits)
end

-- Floats of one column with equally many digits behind the point.
local function align_points(cells)
  local places = 1
  for _, text in ipairs(cells) do
    local needed = text and places_of(text)
    if needed and needed > places then places = needed end
  end
  for i, text in ipairs(cells) do
    if text and places_of(text) then cells[i] = ("%." .. places .. "f"):format(tonumber(text)) end
  end
end

local function column_of(result, number, field)
  local cells = cells_of(result, number, tonumber(result.rows))
  if field.type.float then align_points(cells) end
  local column = { name = printable.line(field.name), type = field.type.name, right = field.type.number, cells = {},
    nulls = {} }
  column.width = math.max(width.of(column.name), #column.type)
  for i, text in ipairs(cells) do
    column.nulls[i] = text == false
    column.cells[i] = text == false and "null" or width.cut(printable.line(text), CELL)
    column.width = math.max(column.width, width.of(column.cells[i]))
  end
  return column
end

local function padded(text, column, style)
  local blanks = (" "):rep(column.width - width.of(text))
  if style then text = style .. text .. PLAIN end
  return column.right and blanks .. text or text .. blanks
end

local function group_digits(number)
  local text = ("%d"):format(number)
  return (text:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

-- The columns that fit, and the names of those that do not.
local function fitting(columns, room)
  local shown, hidden, used = {}, {}, 0
  for _, column in ipairs(columns) do
    used = used + column.width + (used > 0 and GAP or 0)
    if #hidden == 0 and (used <= room or #shown == 0) then
      shown[#shown + 1] = column
    else
      hidden[#hidden + 1] = column.name
    end
  end
  return shown, hidden
end

-- One row that is too wide: a line for each column.
local function row_to(file, columns, styled)
  local name_width, type_width = 0, 0
  for _, column in ipairs(columns) do
    name_width = math.max(name_width, width.of(column.name))
    type_width = math.max(type_width, #column.type)
  end
  for _, column in ipairs(columns) do
    local name = padded(column.name, { width = name_width }, styled and BOLD)
    local kind = padded(column.type, { width = type_width }, styled and DIM)
    local cell = column.cells[1]
    if styled and column.nulls[1] then cell = DIM .. cell .. PLAIN end
    file:write(name, "  ", kind, "  ", cell, "\n")
  end
end

---Write a table.
---@param file file*
---@param result ffi.cdata* mm_table
---@param total integer rows there are; the table may hold fewer
---@param room integer width of the terminal; 0: unlimited
---@param styled boolean with dim and bold
local function table_to(file, result, total, room, styled)
  local columns = {}
  for i, field in ipairs(schemas.from_c(result.schema)) do columns[i] = column_of(result, i - 1, field) end
  local shown, hidden = fitting(columns, room > 0 and room or math.huge)
  if #hidden > 0 and total == 1 then return row_to(file, columns, styled) end
  local function line(text_of)
    local parts = {}
    for i, column in ipairs(shown) do parts[i] = text_of(column) end
    file:write((table.concat(parts, (" "):rep(GAP)):gsub("%s+$", "")), "\n")
  end
  line(function(column) return padded(column.name, column, styled and BOLD) end)
  line(function(column) return padded(column.type, column, styled and DIM) end)
  local rows = tonumber(result.rows)
  for row = 1, rows do
    line(function(column) return padded(column.cells[row], column, styled and column.nulls[row] and DIM) end)
  end
  local notes = { ("%s row%s"):format(group_digits(total), total == 1 and "" or "s") }
  if total > rows then notes[1] = notes[1] .. (", the first %d are shown"):format(rows) end
  if #hidden > 0 then
    notes[2] = ("%d more column%s: %s"):format(#hidden, #hidden == 1 and "" or "s", table.concat(hidden, ", "))
  end
  local note = table.concat(notes, "; ")
  file:write(styled and DIM .. note .. PLAIN or note, "\n")
end

return { table = table_to, group_digits = group_digits }
