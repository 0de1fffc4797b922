-- rename: give columns other names.
local expr = require "moonmill.expr.compiler"

local rename = {
  name = "rename", position = 60, reach = "rows", usage = ':rename { "new = old", ... }',
  help = "rename columns, all at once; their order is kept",
  example = ':rename { "airline = carrier" }',
}

function rename.accept(call, list)
  call:at_most(1)
  local pairs_of = {}
  for i, item in ipairs(call:texts(list, '"new = old"')) do
    local new, tree = expr.parse_named(item.text, item.place)
    if type(new) ~= "string" or tree.kind ~= "column" or not item.text:find "=" then
      call:fail("bad-argument", ("rename takes \"new = old\", got \"%s\""):format(item.text), nil, item.place)
    end
    pairs_of[i] = { new = new, old = tree.name, place = item.place }
  end
  if #pairs_of == 0 then call:fail("bad-argument", "rename names no column") end
  return pairs_of
end

function rename.plan(renames, draft)
  local new_of, taken = {}, {}
  for _, item in ipairs(renames) do
    draft:column(item.old, item.place)
    if new_of[item.old] then
      draft:fail("duplicate-column", ("rename names \"%s\" twice"):format(item.old), "leave one out", item.place)
    end
    new_of[item.old] = item.new
  end
  for _, column in ipairs(draft:columns()) do
    local name = new_of[column.name] or column.name
    if taken[name] then
      draft:fail("duplicate-column", ("after rename two columns would be called \"%s\""):format(name),
        "drop or rename the other one")
    end
    taken[name] = true
  end
  draft:builder():rename(new_of)
end

return rename
