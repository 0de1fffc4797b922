-- bytecode - what LuaJIT has made of a function, for specs of loops that stay compiled.
local bit = require "bit"
local util = require "jit.util"
local vmdef = require "jit.vmdef"

local M = {}

---The operation that ends the first loop of a function: "JFORL" where it is compiled; "none" where there is no loop.
function M.loop_end(fn)
  for pc = 1, math.huge do
    local ins = util.funcbc(fn, pc)
    if not ins then return "none" end
    local op = vmdef.bcnames:sub(6 * bit.band(ins, 255) + 1, 6 * bit.band(ins, 255) + 6):gsub(" ", "")
    if op:find "FORL" then return op end
  end
end

return M
