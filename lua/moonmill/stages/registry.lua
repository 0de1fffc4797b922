-- moonmill.stages.registry - the table of stages. An entry says everything about one: name, usage, help, example, how
-- its arguments are checked when the script runs (accept), and how it is planned over real columns (plan).
--
-- `reach` is what a stage looks at: "rows", each by itself; "mergeable", all rows, but what it makes of parts of them
-- can be merged; "global", all rows at once. A mergeable stage may have `check_merge` (refuse what cannot be merged),
-- `plan_partial` and `plan_merge`: how it is planned over a part of the rows, and over the results of that, joined.
-- Without them both are `plan`.
local NAMES = {
  "where", "derive", "map", "select", "drop", "rename", "cast", "fill_null", "drop_null", "group", "sort", "limit",
  "distinct",
}

local by_name = {}
for _, name in ipairs(NAMES) do by_name[name] = require("moonmill.stages." .. name) end

return { names = NAMES, by_name = by_name }
