-- moonmill.stages.registry - the table of stages: every other file of this folder is one. An entry says everything
-- about it: name, usage, help, example, its position in lists, how its arguments are checked when the script runs
-- (accept), and how it is planned over real columns (plan).
--
-- `reach` is what a stage looks at: "rows", each by itself; "mergeable", all rows, but what it makes of parts of them
-- can be merged; "global", all rows at once. A mergeable stage may have `check_merge` (refuse what cannot be merged),
-- `plan_partial` and `plan_merge`: how it is planned over a part of the rows, and over the results of that, joined.
-- Without them both are `plan`.
local folder_modules = require "moonmill.base.folder_modules"

local entries, names, by_name = {}, {}, {}
for _, name in ipairs(folder_modules "stages") do
  if name ~= "registry" then entries[#entries + 1] = require("moonmill.stages." .. name) end
end
table.sort(entries, function(a, b) return a.position < b.position end)
for i, entry in ipairs(entries) do
  names[i], by_name[entry.name] = entry.name, entry
end

return { names = names, by_name = by_name }
