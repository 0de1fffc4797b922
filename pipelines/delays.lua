-- Which carriers make up time in the air?
local mm = require "moonmill"

return mm.pipeline {
  about  = "Delay of each carrier, and how much of it is made up in the air",
  params = { "min_flights: i64 = 1000  -- leave out smaller carriers" },
  input  = { "carrier: utf8", "dep_delay: f64?", "arr_delay: f64?", "distance: i64", "air_time: f64?" },
}
:where  "arr_delay ~= null"
:derive { "gained = dep_delay - arr_delay", "speed = distance / (air_time / 60)" }
:map    ("late: utf8", function(r, p)
           if r.arr_delay > 60 then return "very" elseif r.arr_delay > 15 then return "a bit" end
           return "no"
         end)
:group  ("carrier", { "flights = count()", "delay = mean(arr_delay)", "gained = mean(gained)", "fastest = max(speed)" })
:where  "flights >= p.min_flights"
:sort   "-delay"
