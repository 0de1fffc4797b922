-- drop_null: leave out the rows where a column is null.
local expr = require "moonmill.expr.compiler"

local drop_null = {
  name = "drop_null", position = 90, reach = "rows", usage = ':drop_null { "a", "b" } or :drop_null()',
  help = "drop the rows where one of these columns is null; without names, where any column is",
  example = ':drop_null { "arr_delay" }',
}

function drop_null.accept(call, list)
  call:at_most(1)
  local names = list ~= nil and call:names(list) or {}
  names.tree = expr.parse("it ~= null", call.place)
  return names
end

function drop_null.plan(names, draft)
  for _, found in ipairs(draft:expand(#names > 0 and names or draft:every())) do
    if found.nullable then draft:builder():filter(expr.with_it(names.tree, found.name)) end
  end
end

return drop_null
