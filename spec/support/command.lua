-- command - run the real command: its exit code, stdout and stderr; and a folder of its own for files.
--
--   local command = require "command"
--   local folder = command.folder()                      -- "/tmp/...": gone after folder:remove()
--   folder:write("a.csv", "a,b\n1,2\n")                   --> its path
--   local code, out, err = command.run { "run", "-e", ":limit(1)", path }            -- arguments are passed as they
-- are
--   command.run({ ... }, { stdin = text, shell = "> /dev/full", prefix = "timeout 5" })
--   command.run({ ... }, { prefix = "sleep 1 |", keep_stdin = true })
local M = {}

local build = os.getenv "MM_BUILD" or "build"
M.path = build .. "/moonmill"

local works
---Can the command be started? Not where the thread sanitizer of this compiler dies before main.
---@return boolean
function M.works()
  if works == nil then works = os.execute(M.path .. " version >/dev/null 2>&1") == 0 end
  return works
end

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end
M.read = read

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local DENIED = "^moonmill: warning: the system denies machine code[^\n]*\n" -- see spec/support/denied.lua

---What the command wrote, without the warning of a system that denies machine code.
function M.said(text) return os.getenv "MM_DENIED" and text and (text:gsub(DENIED, "")) or text end

---@return integer code
---@return string stdout
---@return string stderr
function M.run(arguments, options)
  options = options or {}
  local base = os.tmpname()
  local words = { options.prefix or "", M.path }
  for _, argument in ipairs(arguments) do words[#words + 1] = quoted(argument) end
  if options.stdin then write(base .. ".in", options.stdin) end
  if not options.keep_stdin then words[#words + 1] = "<" .. (options.stdin and base .. ".in" or "/dev/null") end
  words[#words + 1] = options.shell or ">" .. base .. ".out"
  words[#words + 1] = "2>" .. base .. ".err; echo $? >" .. base
  os.execute(table.concat(words, " "))
  local code, out, err = tonumber(read(base)), read(base .. ".out") or "", read(base .. ".err")
  for _, suffix in ipairs { "", ".in", ".out", ".err" } do os.remove(base .. suffix) end
  return code, (M.said(out)), (M.said(err))
end

local Folder = {}
Folder.__index = Folder

---A new empty folder.
function M.folder()
  local path = os.tmpname()
  os.remove(path)
  os.execute("mkdir " .. path)
  return setmetatable({ path = path }, Folder)
end

---@return string path
function Folder:write(name, text)
  write(self.path .. "/" .. name, text)
  return self.path .. "/" .. name
end

---Names in the folder, sorted, with hidden ones.
function Folder:names()
  local pipe = io.popen("ls -A " .. self.path)
  local text = pipe:read "*a"
  pipe:close()
  return (text:gsub("\n", " "):gsub(" $", ""))
end

function Folder:remove() os.execute("rm -rf " .. self.path) end

return M
