-- moonmill.stages - the table of stages. An entry says everything about one: name, usage, help, example, how its
-- arguments are checked when the script runs (accept), and how it is planned over real columns (plan).
local NAMES = {
  "where", "derive", "map", "select", "drop", "rename", "cast", "fill_null", "drop_null", "group", "sort", "limit",
  "distinct",
}

local by_name = {}
for _, name in ipairs(NAMES) do by_name[name] = require("moonmill.stages." .. name) end

return { names = NAMES, by_name = by_name }
