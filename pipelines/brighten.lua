-- Typed functions over pixels, for Python and for the shell.
local mm = require "moonmill"

return mm.module {
  about = "Brighten the pixels of an image, and measure them",

  brighten = mm.fn("pixels: mut u8[], by: f64 -> u8[]  -- multiply every pixel, in place; too bright is white",
    function(pixels, by)
      local sat = mm.sat.u8
      for i = 0, #pixels - 1 do pixels[i] = sat(pixels[i] * by) end
      return pixels
    end),

  light = mm.fn("pixels: u8[] -> f64, f64  -- mean brightness and contrast (standard deviation)", function(pixels)
    local n, sum, squares = #pixels, 0, 0
    for i = 0, n - 1 do
      local v = pixels[i]
      sum, squares = sum + v, squares + v * v
    end
    local mean = sum / n
    return mean, math.sqrt(squares / n - mean * mean)
  end),

  histogram = mm.fn("pixels: u8[] -> u32[]  -- how many pixels there are of each of the 256 values", function(pixels)
    local counts = mm.array("u32", 256)
    for i = 0, #pixels - 1 do
      local v = pixels[i]
      counts[v] = counts[v] + 1
    end
    return counts
  end),
}
