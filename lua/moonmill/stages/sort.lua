-- sort: order the rows; equal rows keep their order.
local C = require("moonmill.base.ffi").C
local nodes = require "moonmill.plan.nodes"
local sort_keys = require "moonmill.plan.sort_keys"

local sort = {
  name = "sort", position = 110, reach = "mergeable", usage = ':sort { "-a", "b" } or :sort("a", { nulls = "first" })',
  help = "sort the rows by columns, - for descending; the sort is stable, nulls come last",
  example = ':sort { "-delay", "carrier" }',
}

function sort.accept(call, list, options)
  call:at_most(2)
  local by = sort_keys.accept(call, list)
  if #by == 0 then call:fail("bad-argument", "sort names no column") end
  return { by = by, nulls = call:options(options, { nulls = sort_keys.nulls }).nulls }
end

function sort.plan(arguments, draft)
  local by = sort_keys.plan(arguments.by, draft, arguments.nulls)
  draft:push(nodes.passing {
    label = "sort", uses = sort_keys.columns(by), text = "sort " .. sort_keys.text(by),
    make = function(columns, err)
      local list, count = sort_keys.make(by, columns)
      return C.mm_stage_sort(list, count, err)
    end,
  })
end

function sort.plan_partial() end -- only the whole has an order

return sort
