-- The operations of the core by name.
local ffi = require "ffi"
local C = require("moonmill.base.ffi").C

local M = { names = {} } -- names: name -> number

M.count = 0
while ffi.string(C.mm_op_name(M.count)) ~= "unknown" do
  M.names[ffi.string(C.mm_op_name(M.count))] = M.count
  M.count = M.count + 1
end

---The number of an operation, "ADD" or "add".
function M.number(name)
  local op = C.mm_op_find(name:lower())
  assert(op >= 0, name)
  return op
end

return M
