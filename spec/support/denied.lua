-- denied - run a command where the system denies executable memory, as MemoryDenyWriteExecute of systemd or SELinux:
--
--   luajit spec/support/denied.lua COMMAND ARGUMENT...
--
-- The process gives up for itself and its children the right to make memory executable (PR_SET_MDWE, Linux 6.3), then
-- becomes the command. Exit 77: this system does not know how.
jit.off()
local ffi = require "ffi"

ffi.cdef [[
int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int setenv(const char *name, const char *value, int overwrite);
int execvp(const char *file, char *const arguments[]);
]]

local PR_SET_MDWE, REFUSE_EXEC_GAIN, UNKNOWN = 65, 1, 77

if ffi.C.prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) ~= 0 then
  io.stderr:write "denied: this system cannot deny executable memory to a process\n"
  os.exit(UNKNOWN)
end

ffi.C.setenv("MM_DENIED", "1", 1) -- for specs that run there: spec/support/command.lua leaves the warning out
local arguments = ffi.new("char *[?]", #arg + 1)
for i, text in ipairs(arg) do arguments[i - 1] = ffi.cast("char *", text) end
ffi.C.execvp(arg[1], arguments)
io.stderr:write("denied: cannot run " .. tostring(arg[1]) .. "\n")
os.exit(127)
