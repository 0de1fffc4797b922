-- What every spec needs: busted memoises ffi.* by first argument, which breaks finalisers and metatables;
-- give the real ones back, and bind the C interface once.
local ffi = require "ffi"
for _, name in ipairs { "cdef", "typeof", "metatype", "load" } do
  for i = 1, 10 do
    local key, value = debug.getupvalue(ffi[name], i)
    if key == "original" then
      ffi[name] = value
      break
    end
  end
end
package.path = "./lua/?.lua;./spec/?.lua;" .. package.path
require "moonmill.ffi"

-- The thread sanitizer is preloaded into this process; a shell does not survive it.
if (os.getenv "LD_PRELOAD" or ""):find("libtsan", 1, true) then
  pcall(ffi.cdef, "int unsetenv(const char *name);")
  ffi.C.unsetenv "LD_PRELOAD"
end
