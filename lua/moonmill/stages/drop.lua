-- drop: leave columns out.
local drop = {
  name = "drop", position = 50, reach = "rows", usage = ':drop { "a", "cols(\'*_id\')" }', help = "leave columns out",
  example = ':drop { "year", "cols(\'sched_*\')" }',
}

function drop.accept(call, list)
  call:at_most(1)
  local names = call:names(list)
  if #names == 0 then call:fail("bad-argument", "drop names no column") end
  return names
end

function drop.plan(names, draft)
  local gone = {}
  for i, item in ipairs(draft:expand(names)) do gone[i] = item.name end
  draft:builder():drop(gone)
  if #draft:builder():columns() == 0 then draft:fail("no-columns", "drop leaves no column", nil, names[1].place) end
end

return drop
