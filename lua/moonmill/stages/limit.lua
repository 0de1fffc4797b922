-- limit: the first rows; first in an order; first of each group.
local C = require("moonmill.base.ffi").C
local nodes = require "moonmill.plan.nodes"
local sort_keys = require "moonmill.plan.sort_keys"

local limit = {
  name = "limit", position = 120, reach = "mergeable", usage = ':limit(n, { by = { "k" }, order = { "-a" } })',
  help = "the first n rows; with order, the first n in that order; with by, the first n of each group",
  example = ':limit(3, { by = "carrier", order = "-distance" })',
}

function limit.accept(call, n, options)
  call:at_most(2)
  if type(n) ~= "number" or not (n >= 0 and n <= 2 ^ 53 and n == math.floor(n)) then
    call:fail("bad-argument", ("limit takes a number of rows, got %s"):format(n == nil and "nothing" or tostring(n)))
  end
  local given = call:options(options, { by = call.names, order = sort_keys.accept, nulls = sort_keys.nulls })
  return { n = n, by = given.by or {}, order = given.order or {}, nulls = given.nulls }
end

function limit.plan(arguments, draft)
  local keys = nodes.names(draft:expand(arguments.by))
  local by = sort_keys.plan(arguments.order, draft, arguments.nulls)
  local uses = table.move(keys, 1, #keys, 1, {})
  for _, name in ipairs(sort_keys.columns(by)) do uses[#uses + 1] = name end
  local text = ("limit %d"):format(arguments.n)
  if #keys > 0 then text = text .. " by " .. table.concat(keys, ", ") end
  if #by > 0 then text = text .. " order " .. sort_keys.text(by) end
  draft:push(nodes.passing {
    label = "limit", uses = uses, text = text,
    make = function(columns, err)
      local numbers, count = nodes.numbers(columns, keys)
      local list, order_count = sort_keys.make(by, columns)
      return C.mm_stage_limit(arguments.n, numbers, count, list, order_count, err)
    end,
  })
end

return limit
