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
package.path = "./lua/?.lua;./spec/support/?.lua;" .. package.path
require "moonmill.base.ffi"

-- The thread sanitizer is preloaded into this process; a shell does not survive it, and a LuaJIT that a shell starts
-- needs it again: files.luajit.
local preload = os.getenv "LD_PRELOAD" or ""
if preload:find("libtsan", 1, true) then
  pcall(ffi.cdef, "int unsetenv(const char *name); int setenv(const char *name, const char *value, int overwrite);")
  ffi.C.unsetenv "LD_PRELOAD"
  ffi.C.setenv("MM_PRELOAD", preload, 1)
end
