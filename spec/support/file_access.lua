-- file_access - the core's random_access and spill_file for specs, in a library of their own with a copy of the core,
-- and file operations that fail when they are told to (spec/faults/io.c).
--
--   local access = require "file_access"
--   access.lib.spec_open(file, path, nil, err)
--   access.failing(3, 1, 5, function() ... end)  -- call 3 fails with EIO
local ffi = require "ffi"
require "moonmill.base.ffi" -- declares mm_error and mm_io

local M = {}

local build = os.getenv "MM_BUILD" or "build"
local archive, path = build .. "/spec/core.a", build .. "/spec/file_access.so"
-- Its own names are bound within it, or they would be those of the library that the specs have loaded.
local compile = "mkdir -p %s/spec && rm -f %s && ar rcs %s $(find %s/core -name '*.o') && gcc -std=gnu11 -Wall -Werror "
  .. "-shared -fPIC -Icore -o %s spec/support/file_access.c spec/faults/io.c %s -Wl,-Bsymbolic -lm -lpthread"
assert(os.execute(compile:format(build, archive, archive, build, path, archive)) == 0)
pcall(ffi.cdef, [[
  typedef struct { const char *path; int fd; const mm_block *block; int64_t size; } random_access;
  typedef struct { int fd; int64_t size; } spill_file;
  int spec_open(random_access *file, const char *path, const mm_block *block, mm_error *error);
  int spec_read(const random_access *file, int64_t offset, uint8_t *bytes, int64_t size, mm_error *error);
  void spec_close(random_access *file);
  int spec_spill_open(spill_file *file, mm_error *error);
  int spec_spill_append(spill_file *file, const uint8_t *bytes, int64_t size, int64_t *offset, mm_error *error);
  int spec_spill_read(const spill_file *file, int64_t offset, uint8_t *bytes, int64_t size, mm_error *error);
  void spec_spill_free(spill_file *file);
  int64_t spec_spill_bytes(void);
]])
pcall(ffi.cdef, [[const mm_io *faults_io(int64_t n, int64_t count, int errnum); int64_t faults_io_calls(void);
  int faults_open_files(void);]])
M.lib = ffi.load("./" .. path)

---Run a function while file operations fail from the n-th on, `count` of them.
---@param errnum integer 0: a read or write moves one byte
---@return any what it returns
function M.failing(n, count, errnum, fn)
  M.lib.mm_set_io(M.lib.faults_io(n, count, errnum))
  local result = fn()
  M.lib.mm_set_io(nil)
  return result
end

return M
