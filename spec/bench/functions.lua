-- The typed functions of the benchmark.
local mm = require "moonmill"

return mm.module {
  add = mm.fn("a: i32, b: f32 -> f32", function(a, b) return a + b end),
}
