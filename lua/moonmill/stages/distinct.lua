-- distinct: the first whole row of each key.
local C = require("moonmill.base.ffi").C
local nodes = require "moonmill.plan.nodes"

local distinct = {
  name = "distinct", position = 130, reach = "mergeable", usage = ':distinct() or :distinct { "a", "b" }',
  help = "keep the first row of each key; without names the key is all columns",
  example = ':distinct { "carrier", "origin" }',
}

function distinct.accept(call, list)
  call:at_most(1)
  return list ~= nil and call:names(list) or {}
end

function distinct.plan(names, draft)
  local keys = nodes.names(draft:expand(#names > 0 and names or draft:every()))
  draft:push(nodes.passing {
    label = "distinct", uses = keys, text = "distinct " .. table.concat(keys, ", "),
    make = function(columns, err)
      local numbers, count = nodes.numbers(columns, keys)
      return C.mm_stage_distinct(numbers, count, err)
    end,
  })
end

return distinct
