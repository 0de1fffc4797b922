-- map: compute columns with a Lua function called for each row.
local fields = require "moonmill.script.fields"
local rows = require "moonmill.plan.row_node"

local map = {
  name = "map", position = 30, reach = "rows", usage = ':map("a: f64, b: utf8?", function(r, p) return ..., ... end)',
  help = "compute columns with a Lua function, called for each row; where an expression will do, derive is faster",
  example = ':map("late: utf8", function(r, p) if r.arr_delay > 60 then return "very" end return "no" end)',
}

function map.accept(call, outputs, fn)
  call:at_most(2)
  local items = {}
  for _, item in ipairs(call:texts(outputs, '"name: type" of each result', ": ")) do
    for _, part in ipairs(fields.split(item)) do items[#items + 1] = part end
  end
  local declared = fields.parse_all(call, items)
  if #declared == 0 then call:fail("bad-argument", "map gives no column") end
  local arguments = call:func(fn)
  arguments.outputs = declared
  return arguments
end

function map.plan(arguments, draft)
  local taken, order, temporary, outputs, gone = {}, {}, {}, {}, {}
  for i, column in ipairs(draft:columns()) do taken[column.name], order[i] = true, column.name end
  for i, field in ipairs(arguments.outputs) do
    local name = field.name
    if taken[name] then -- the function may still read the old one
      name = "new " .. name
      temporary[name], gone[#gone + 1] = field.name, field.name
    else
      order[#order + 1] = name
    end
    outputs[i] = { name = name, type = field.type, nullable = field.nullable, shown = field.name }
  end
  draft:push(rows.new({ kind = "map", fn = arguments.fn, place = arguments.place, outputs = outputs }, draft))
  if #gone > 0 then
    local builder = draft:builder()
    builder:drop(gone)
    builder:rename(temporary)
    builder:select(order)
  end
end

return map
