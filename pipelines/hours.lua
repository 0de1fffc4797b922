-- When is the best time to leave? Delays add up over the day.
local mm = require "moonmill"

return mm.pipeline {
  about  = "Share of flights that left late, by hour of the day and part of the week",
  params = { "minutes: f64 = 15  -- later than this is late" },
  input  = { "dep_delay: f64?", "hour: i64", "time_hour: timestamp" },
}
:where  "dep_delay ~= null"
:derive { "part = if(weekday(time_hour) >= 6, 'weekend', 'workday')", "late = if(dep_delay > p.minutes, 1, 0)" }
:group  ({ "part", "hour" }, { "flights = count()", "late = round(100 * sum(late) / count(), 1)" })
:sort   { "part", "hour" }
