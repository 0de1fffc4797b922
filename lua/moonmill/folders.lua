-- moonmill.folders - what stands in a folder.
local ffi = require "ffi"
local native = require "moonmill.ffi"

---Names in a folder, sorted; nil when it cannot be read.
---@param path string
---@return string[]?
local function names(path)
  local buffer = ffi.gc(ffi.new "mm_buffer", native.C.mm_buffer_free)
  if native.C.mm_host_folder(path, buffer, native.err) < 0 then return nil end
  local list = {}
  for name in ffi.string(buffer.data, buffer.size):gmatch "[^%z]+" do list[#list + 1] = name end
  table.sort(list)
  return list
end

return { names = names }
