-- Where do people fly to? The busiest routes of each airport.
local mm = require "moonmill"

return mm.pipeline {
  about = "The busiest routes of each airport of departure",
  input = { "origin: utf8", "dest: utf8", "carrier: utf8", "distance: i64" },
}
:group ({ "origin", "dest" }, { "flights = count()", "carriers = n_unique(carrier)", "miles = max(distance)" })
:limit (3, { by = "origin", order = { "-flights", "dest" } })
:sort  { "origin", "-flights", "dest" }
