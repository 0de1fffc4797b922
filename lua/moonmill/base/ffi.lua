-- moonmill.base.ffi - the only file that knows the C ABI.
-- Inside the command or the shared object the header is embedded and C is what it was linked with;
-- elsewhere (specs, tools) the headers are read from the tree and MM_LIB names the shared object.
local ffi = require "ffi"

local VERSION = 100

local function header()
  local embedded = package.preload["moonmill.header"]
  if embedded then return embedded() end
  local root = debug.getinfo(1, "S").source:match "^@(.*)lua/moonmill/base/ffi%.lua$"
  if not root then error("moonmill.base.ffi: cannot find the C header beside this file", 2) end
  local text = ""
  for _, name in ipairs(dofile(root .. "lua/host/headers.lua")) do
    local file = io.open(root .. name)
    if file then
      text = text .. file:read "*a" .. "\n"
      file:close()
    end
  end
  return (("\n" .. text):gsub("\n[ \t]*#[^\n]*", "\n")) -- LuaJIT has no preprocessor
end

ffi.cdef(header())

local library = os.getenv "MM_LIB"
-- Set by lua/host: "" inside the command, else the path of the shared object.
if MOONMILL_LIBRARY then library = MOONMILL_LIBRARY end
local C = (library and library ~= "") and ffi.load(library) or ffi.C
if C.mm_version() ~= VERSION then
  error(("moonmill: the Lua modules are version %d, the C core is %d"):format(VERSION, C.mm_version()))
end

local err = ffi.new "mm_error" -- one per Lua state: no garbage in loops

-- A text that no script can guess: names with it are out of its reach.
local secret = ""
do
  local bytes = ffi.new "uint8_t[16]"
  C.mm_host_secret(bytes, 16)
  for i = 0, 15 do secret = secret .. ("%02x"):format(bytes[i]) end
end

---The name of a field of C that scripts cannot reach, though they hold the struct: fields are found before metamethods.
---@param name string "count"
---@return string
local function private(name) return "_" .. name .. secret end

---C or Lua source in which every field `_name` is private.
---@param source string
---@return string
local function private_source(source)
  return (source:gsub("%f[%w_]_%l+%f[^%w_]", function(name) return name .. secret end))
end

local NO_MEMORY = "not enough memory" -- the error that LuaJIT raises

---Raise what a failed call left in the module's mm_error; return any other status. A lack of memory is raised as LuaJIT
---does it, so that it is one thing wherever it is met (moonmill.base.failure.memory).
---@param status integer
---@return integer status
local function check(status)
  if status == C.MM_ENOMEM then error(NO_MEMORY, 0) end
  if status < 0 then error(ffi.string(err.message), 2) end
  return status
end

---A chunk of ours. A lack of memory is raised as LuaJIT does it: assert would put a place before its text.
---@param text string source or bytecode
---@param name string? of the chunk
---@return function
local function load_chunk(text, name)
  local chunk, problem = loadstring(text, name)
  if not chunk then error(problem, 0) end
  return chunk
end

return {
  C = C, err = err, check = check, load_chunk = load_chunk, private = private, private_source = private_source,
  secret = secret, NO_MEMORY = NO_MEMORY, VERSION = VERSION,
}
