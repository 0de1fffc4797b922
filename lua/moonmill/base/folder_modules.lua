-- moonmill.base.folder_modules - the modules of a folder: a file that is put there needs no line in a list.
local ffi = require "ffi"
local native = require "moonmill.base.ffi"

local C, err = native.C, native.err

-- In the tree: names of files beside each other.
local function listed(folder)
  local root = debug.getinfo(1, "S").source:match "^@(.*)base/folder_modules%.lua$"
  local buffer, names = ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free), {}
  native.check(C.mm_host_list_directory(root .. folder, buffer, err))
  for name in ffi.string(buffer.data, buffer.size):gmatch "([%w_]+)%.lua%z" do names[#names + 1] = name end
  return names
end

-- In the command and the shared object all modules are embedded.
local function embedded(prefix)
  local names = {}
  for name in pairs(package.preload) do
    local rest = name:sub(1, #prefix) == prefix and name:sub(#prefix + 1)
    if rest and not rest:find(".", 1, true) then names[#names + 1] = rest end
  end
  return names
end

---Names of the modules in a folder, in order of bytes.
---@param folder string "stages"
---@return string[] names "where"
return function(folder)
  local names = embedded("moonmill." .. folder .. ".")
  if #names == 0 then names = listed(folder) end
  table.sort(names)
  return names
end
