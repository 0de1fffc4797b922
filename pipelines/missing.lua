-- One row: how many values each column lacks.
local mm = require "moonmill"

return mm.pipeline { about = "Count what is missing in each column" }
:group({}, "cols() = count_null(it)")
