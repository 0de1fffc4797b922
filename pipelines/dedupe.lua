-- Rows that occur more than once, once: the first of equal rows stays.
local mm = require "moonmill"

return mm.pipeline { about = "Leave out rows that are there already" }
:distinct()
