-- fence - copies of bytes that end where memory ends: reading one byte too far is a crash.
local ffi = require "ffi"

pcall(ffi.cdef, [[
void *mmap(void *address, size_t size, int protection, int flags, int fd, long offset);
int mprotect(void *address, size_t size, int protection);
int munmap(void *address, size_t size);
]])
local PAGE, READ_WRITE, PRIVATE_ANONYMOUS = 65536, 3, 0x22 -- a multiple of every page size

local M = { _maps = {} }

---A copy of `size` bytes, the last of which is the last before a page that cannot be touched. Lives until M.free().
function M.copy(from, size)
  local room = math.ceil(size / PAGE) * PAGE
  local base = ffi.C.mmap(nil, room + PAGE, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0)
  assert(ffi.cast("intptr_t", base) ~= -1, "no memory to map")
  assert(ffi.C.mprotect(ffi.cast("uint8_t *", base) + room, PAGE, 0) == 0)
  M._maps[#M._maps + 1] = { base, room + PAGE }
  local at = ffi.cast("uint8_t *", base) + room - size
  ffi.copy(at, from, size)
  return at
end

function M.free()
  for _, map in ipairs(M._maps) do ffi.C.munmap(map[1], map[2]) end
  M._maps = {}
end

return M
