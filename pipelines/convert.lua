-- Any table as it is: the name given to -o says the form, as in
--   moonmill run pipelines/convert.lua flights.csv.zst -o flights.tsv
local mm = require "moonmill"

return mm.pipeline { about = "Copy tables: CSV or TSV, compressed or not, several files into one" }
