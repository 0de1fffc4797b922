-- select: choose, compute and order columns.
local derive = require "moonmill.stages.derive"

local select_stage = {
  name = "select", position = 40, reach = "rows", usage = ':select { "a", "b = expression", "cols(\'*_delay\')" }',
  help = "keep these columns, in this order; some may be computed",
  example = ':select { "carrier", "late = arr_delay > 15" }',
}

-- "name = expression" or a bare name or selector: one "=" that is no comparison.
local function assigns(text)
  local rest = text:gsub("^%s*cols%s*%b()", ""):gsub("^%s*`[^`]*`", ""):gsub("^%s*[%a_][%w_]*", "", 1)
  return rest:find "^%s*=[^=]" ~= nil or rest:find "^%s*=$" ~= nil
end

function select_stage.accept(call, list)
  call:at_most(1)
  local items = {}
  for i, item in ipairs(call:texts(list, "columns")) do
    items[i] = assigns(item.text) and derive.assignment(item) or call:column(item)
  end
  if #items == 0 then call:fail("bad-argument", "select keeps no column") end
  return items
end

function select_stage.plan(items, draft)
  local names, seen = {}, {}
  local function keep(name, place)
    if seen[name] then
      draft:fail("duplicate-column", ("select names \"%s\" twice"):format(name), "leave one out", place)
    end
    names[#names + 1], seen[name] = name, true
  end
  for _, item in ipairs(items) do
    if item.tree then
      for _, name in ipairs(derive.assign(item, draft)) do keep(name, item.place) end
    else
      for _, found in ipairs(draft:expand { item }) do keep(found.name, item.place) end
    end
  end
  draft:builder():select(names)
end

return select_stage
