-- embed.lua OUT.c FILE... - write a C file that holds the bytecode of Lua modules, for lua/host/state.c. Run by the
-- luajit that will load the bytes: the format belongs to one version. Besides the files it embeds argparse,
-- LuaJIT's names of its own instructions and errors (jit.vmdef) and the text of the C headers (as module
-- "moonmill.header", for moonmill.ffi). The same files give the same bytes.
local output = assert(arg[1], "usage: embed.lua OUT.c FILE...")

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

---lua/moonmill/expr/init.lua is module moonmill.expr
local function module_name(path)
  local name = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
  return name
end

local modules = {}

local function add(name, chunkname, text)
  local chunk = assert(loadstring(text, chunkname))
  modules[#modules + 1] = { name = name, bytes = string.dump(chunk, "d") } -- d: no order that changes from run to run
end

for i = 2, #arg do add(module_name(arg[i]), "@" .. arg[i], read(arg[i])) end
local argparse = assert(package.searchpath("argparse", package.path),
  "argparse is not installed (package lua-argparse)")
add("argparse", "@argparse.lua", read(argparse))
local vmdef = assert(package.searchpath("jit.vmdef", package.path), "LuaJIT's jit/vmdef.lua was not found")
add("jit.vmdef", "@jit/vmdef.lua", read(vmdef))
-- Each state reads the declarations anew: they come without comments and lines of the preprocessor.
local headers = "\n"
for _, name in ipairs {
  "core/moonmill.h", "core/stage.h", "lua/host/host.h", "lua/host/session.h", "lua/host/functions.h",
} do
  headers = headers .. read(name) .. "\n"
end
headers = headers:gsub("/%*.-%*/", " "):gsub("\n[ \t]*#[^\n]*", "\n"):gsub("[ \t]+", " "):gsub(" ?\n[ \n]*", "\n")
add("moonmill.header", "=moonmill.header", ("return %q"):format(headers))
table.sort(modules, function(a, b) return a.name < b.name end)

local LINE = 96 -- bytes of a module on one line of C
local function literal(bytes)
  local lines = {}
  for at = 1, #bytes, LINE do
    local line = bytes:sub(at, at + LINE - 1):gsub(".", function(c) return ("\\%03o"):format(c:byte()) end)
    lines[#lines + 1] = '  "' .. line .. '"\n'
  end
  return table.concat(lines)
end

local out = assert(io.open(output, "wb"))
out:write '/* Made by lua/host/embed.lua. */\n#include "state.h"\n\n'
out:write "const mm_embedded mm_embedded_modules[] = {\n"
for _, module in ipairs(modules) do
  out:write(('{"%s", %d,\n%s},\n'):format(module.name, #module.bytes, literal(module.bytes)))
end
out:write "{0, 0, 0}};\n"
assert(out:close())
