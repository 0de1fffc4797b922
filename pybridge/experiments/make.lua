-- Experiment A: the library makes an array, and Python gets it without a copy.
local mm = require "moonmill"

return mm.module {
  make = mm.fn("n: i64 -> u8[]", function(n)
    local values = mm.array("u8", n)
    for i = 0, n - 1 do values[i] = i % 251 + 1 end
    return values
  end),
}
