-- derive: compute columns from expressions.
local expr = require "moonmill.expr.compiler"
local selector = require "moonmill.expr.selector"

local derive = {
  name = "derive", position = 20, reach = "rows", usage = ':derive { "name = expression", ... }',
  help = "compute columns, in order: later ones may use earlier ones; an existing name is replaced",
  example = ':derive { "gained = dep_delay - arr_delay", "cols(utf8) = trim(it)" }',
}

---An assignment as select, derive and group take it: a name or a selector, and a tree.
function derive.assignment(item)
  local target, tree = expr.parse_named(item.text, item.place)
  if type(target) == "table" then target = selector.of_tree(target) end
  return { target = target, tree = tree, place = item.place, text = item.text }
end

---Derive what an assignment says; the names that it gave a value.
---@return string[]
function derive.assign(assignment, draft)
  local builder = draft:builder()
  if type(assignment.target) == "string" then
    builder:derive(assignment.target, assignment.tree)
    return { assignment.target }
  end
  local names = selector.names(assignment.target, draft:columns())
  for _, name in ipairs(names) do builder:derive(name, expr.with_it(assignment.tree, name)) end
  return names
end

function derive.accept(call, list)
  call:at_most(1)
  local assignments = {}
  for i, item in ipairs(call:texts(list, "assignments")) do
    assignments[i] = derive.assignment(item)
    if assignments[i].tree.kind == "column" and assignments[i].tree.name == assignments[i].target then
      call:fail("bad-argument", ("derive has nothing to compute in \"%s\""):format(item.text),
        'write "name = expression"', item.place)
    end
  end
  if #assignments == 0 then call:fail("bad-argument", "derive computes nothing") end
  return assignments
end

function derive.plan(assignments, draft)
  for _, assignment in ipairs(assignments) do derive.assign(assignment, draft) end
end

return derive
