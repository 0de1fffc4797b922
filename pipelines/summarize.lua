-- How late do flights arrive? The spread says more than the mean.
local mm = require "moonmill"

return mm.pipeline {
  about = "Arrival delay of each airport of departure: share cancelled, mean, quartiles, worst",
  input = { "origin: utf8", "dep_delay: f64?", "arr_delay: f64?" },
}
:group ("origin", {
  "flights   = count()",
  "cancelled = round(100 * count_null(dep_delay) / count(), 1)",
  "mean      = round(mean(arr_delay), 1)",
  "lower     = quantile(arr_delay, 0.25)",
  "median    = median(arr_delay)",
  "upper     = quantile(arr_delay, 0.75)",
  "worst     = max(arr_delay)",
})
:sort  "origin"
