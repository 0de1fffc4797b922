-- The usual first steps with a table that people typed: no blanks around texts, no empty texts, no row twice.
local mm = require "moonmill"

return mm.pipeline { about = "Trim texts, make empty ones null, leave out rows that are there already" }
:derive   { "cols(utf8) = trim(it)", "cols(utf8) = nullif(it, '')" }
:distinct ()
