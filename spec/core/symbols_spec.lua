-- The core reaches the operating system through core/base/os.c alone, and has threads by thread_pool.c.
local build = os.getenv "MM_BUILD" or "build"

-- Also what is declared as a macro or under another name by the C library.
local stray = {}
for name in ([[
  malloc calloc realloc free posix_memalign aligned_alloc memalign valloc reallocarray strdup strndup asprintf
  vasprintf getline
  mmap munmap mremap madvise sbrk
  open open64 openat openat64 creat read pread pread64 readv write pwrite pwrite64 writev close lseek lseek64 fsync
  fdatasync
  ftruncate ftruncate64 rename renameat renameat2 unlink unlinkat remove stat stat64 fstat fstat64 lstat access mkdir
  mkstemp mkstemp64
  fopen fopen64 fdopen fclose fread fwrite fgets fputs fputc putc puts printf fprintf vfprintf
  pthread_create pthread_join pthread_detach thrd_create fork vfork system popen exit _exit abort getenv setlocale
]]):gmatch "%S+" do stray[name] = true end

local allowed = {
  ["core/base/cpu%.o"] = { getenv = true }, -- MM_ISA
  -- permission bits, links and locks, which the services do not carry
  ["core/io/temporary_file%.o"] = { stat = true, fstat = true, lstat = true, close = true },
  ["core/base/os%.o"] = stray,
  ["core/base/thread_pool%.o"] = { pthread_create = true },
}

---What each object leaves to others: { { path, name }, ... }.
local function undefined()
  local list = {}
  local pipe = assert(io.popen(("find %s/core -name '*.o' | sort | xargs nm -uA"):format(build)))
  for line in pipe:lines() do
    local path, name = line:match "^(%S+%.o):%s+U%s+([%w_]+)"
    if path then list[#list + 1] = { path, name } end
  end
  pipe:close()
  return list
end

local function may(path, name)
  for pattern, names in pairs(allowed) do
    if path:find(pattern .. "$") and names[name] then return true end
  end
  return false
end

describe("the objects of the core", function()
  local list = undefined()

  it("call the system through the services of the host only", function()
    local found = {}
    for _, symbol in ipairs(list) do
      local path, name = symbol[1], symbol[2]
      local plain = name:gsub("^__isoc%d+_", ""):gsub("_chk$", ""):gsub("^__", "")
      if stray[plain] and not may(path, plain) then found[#found + 1] = path .. ": " .. name end
    end
    assert.same({}, found)
  end)

  it("are searched by a rule that can fail: os.c does call the system", function()
    local seen = {}
    for _, symbol in ipairs(list) do
      if symbol[1]:find "core/base/os%.o$" then seen[symbol[2]] = true end
    end
    assert.is_true(seen.posix_memalign and seen.mmap and seen.fsync)
  end)
end)
