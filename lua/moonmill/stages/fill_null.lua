-- fill_null: a value in place of null.
local derive = require "moonmill.stages.derive"
local expr = require "moonmill.expr.compiler"
local selector = require "moonmill.expr.selector"

local fill_null = {
  name = "fill_null", position = 80, reach = "rows", usage = ':fill_null { "a = 0", "cols(utf8) = \'none\'" }',
  help = "replace nulls by a value or by another expression", example = ':fill_null { "dep_delay = 0" }',
}

function fill_null.accept(call, list)
  call:at_most(1)
  local fills = {}
  for i, item in ipairs(call:texts(list, '"name = value"')) do
    fills[i] = derive.assignment(item)
    if not item.text:find "=" then
      call:fail("bad-argument", ("fill_null takes \"name = value\", got \"%s\""):format(item.text), nil, item.place)
    end
  end
  if #fills == 0 then call:fail("bad-argument", "fill_null names no column") end
  return fills
end

function fill_null.plan(fills, draft)
  for _, fill in ipairs(fills) do
    local names = { fill.target }
    if type(fill.target) == "table" then names = selector.names(fill.target, draft:columns()) end
    for _, name in ipairs(names) do
      draft:column(name, fill.place)
      local value = expr.with_it(fill.tree, name)
      draft:builder():derive(name, expr.call("coalesce", expr.column(name, fill.place), value))
    end
  end
end

return fill_null
