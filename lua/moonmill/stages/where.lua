-- where: keep the rows for which a condition is true.
local expr = require "moonmill.expr.compiler"
local rows = require "moonmill.plan.row_node"

local where = {
  name = "where", position = 10, reach = "rows", usage = ':where "condition" or :where(function(r, p) return ... end)',
  help = "keep the rows where a condition is true; null counts as false",
  example = ':where "arr_delay > 60 and carrier ~= \'UA\'"',
}

function where.accept(call, condition)
  call:at_most(1)
  if type(condition) == "function" then return call:func(condition) end
  local item = call:text(condition, "a condition or a function")
  return { tree = expr.parse(item.text, item.place) }
end

function where.plan(arguments, draft)
  if arguments.fn then
    draft:push(rows.new({ kind = "where", fn = arguments.fn, place = arguments.place, outputs = {} }, draft))
  else
    draft:builder():filter(arguments.tree)
  end
end

return where
