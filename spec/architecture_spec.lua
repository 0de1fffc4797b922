-- Arrows point down only: pybridge -> lua -> core; pipelines see the language and nothing else; within lua each folder
-- is a floor.
local floors = require "floors"

local function files(...)
  local list = {}
  local pipe = assert(io.popen("git ls-files --cached --others --exclude-standard -- " .. table.concat({ ... }, " ")))
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  return list
end

local function each_line(path, visit)
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    visit(line, path .. ":" .. number)
  end
end

---Lines of files that `forbidden` names something of.
local function offences(paths, forbidden)
  local found = {}
  for _, path in ipairs(paths) do
    each_line(path, function(line, place)
      local what = forbidden(line, path)
      if what then found[#found + 1] = place .. ": " .. what end
    end)
  end
  return found
end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local function code(line) return (line:gsub("%-%-.*", "")) end

-- Folders of lua/moonmill from the ground up. Each may require itself and those named behind it, all of which stand
-- above it in this list; so there is no circle of folders.
local LUA_FLOORS = {
  { "base" },
  { "functions", "base" },
  { "expr/syntax", "base" },
  { "expr/typing", "base functions" },
  { "expr/codegen", "base expr/typing" },
  { "expr", "base functions expr/syntax expr/typing expr/codegen" },
  { "script", "base expr" },
  { "io", "base" },
  { "typed", "base script" },
  { "store", "base typed" },
  { "rows", "base script store" },
  { "rows/vector", "base expr/codegen rows" },
  { "rows/worker", "base script rows" },
  { "plan", "base expr rows rows/vector" },
  { "stages", "base expr script plan" },
  { "pipeline", "base expr script io stages" },
  { "session", "base script io plan pipeline" },
  { "doctor", "base" },
  { "cli/output", "base" },
  { "cli/commands", "base functions script typed io plan stages pipeline doctor cli/output" },
  { "cli", "base cli/output cli/commands" },
  { "moonmill", "base typed store pipeline" }, -- lua/moonmill.lua
}

-- What points up all the same, with the reason.
local LUA_UPWARDS = {
  ["moonmill.script.script -> moonmill"] = "a script that is only a chain runs as one that requires it",
  ["moonmill.script.script_modules -> moonmill"] = "what scripts get when they require \"moonmill\"",
}

-- Folders of lua/host, by what their files include of each other.
local HOST_FLOORS = {
  { "state" },
  { "rows", "state" },
  { "session", "state" },
  { "command", "state" },
}

describe("the tree", function()
  it("has files to look at", function()
    assert.is_true(#files "'core/*.c'" > 10)
    assert.is_true(#files "'lua/moonmill/*.lua'" > 3)
  end)

  it("lets the core include only the core", function()
    assert.same({}, offences(files("'core/*.c'", "'core/*.h'", "'core/*.cc'"), function(line, path)
      local name = line:match '^%s*#%s*include%s+"([^"]+)"'
      if name and not exists("core/" .. (name:gsub("^%.%./", ""))) and not exists(path:match "^(.*/)" .. name) then
        return name
      end
      if name and (name:find "%.%./%.%./" or name:find "lua" or name:find "host%.h") then return name end
      local system = line:match "^%s*#%s*include%s+<([^>]+)>"
      if system and (system:find "^l?ua" or system:find "^lauxlib" or system:find "^Python") then return system end
    end))
  end)

  it("lets the language require only itself and LuaJIT", function()
    local own = { ffi = true, bit = true, jit = true, ["string.buffer"] = true, ["table.new"] = true,
      ["table.clear"] = true, argparse = true }
    assert.same({}, offences(files "'lua/moonmill/*.lua'", function(line)
      local name = code(line):match "%f[%w]require%s*%(?%s*[\"']([%w%._]+)[\"']"
      if name and not own[name] and not name:find "^moonmill" and not name:find "^jit%." then return name end
    end))
  end)

  it("lets each folder of the language require what stands below it alone, also inside functions", function()
    local modules = floors.modules(files "'lua/moonmill.lua' 'lua/moonmill/*.lua'")
    assert.same({}, floors.offences(modules, LUA_FLOORS, LUA_UPWARDS))
    assert.same({}, floors.circles(modules, LUA_UPWARDS))
    assert.same({}, floors.repeated(modules))
  end)

  it("lets each folder of lua/host include what stands below it alone", function()
    local sources = floors.sources(files("'lua/host/*.c'", "'lua/host/*.h'"), "lua/host/")
    assert.same({}, floors.offences(sources, HOST_FLOORS, {}))
    assert.same({}, floors.circles(sources, {}))
    assert.same({}, floors.repeated(sources))
  end)

  it("has the modules that lua/host names", function()
    assert.same({}, offences(files "'lua/host/*.c'", function(line)
      local name = line:match '"(moonmill%.[%l_%.]+)"'
      if name and not name:find "%.h$" and not exists("lua/" .. name:gsub("%.", "/") .. ".lua") then return name end
    end))
  end)

  it("lets the Python extension see the public headers and Python, neither the core's insides nor Lua", function()
    local public = { ["moonmill.h"] = true, ["arrow_abi.h"] = true, ["host.h"] = true, ["session.h"] = true,
      ["function_module.h"] = true, ["clock.h"] = true }
    assert.same({}, offences(files("'pybridge/src/*.c'", "'pybridge/src/*.h'"), function(line)
      local name = line:match '^%s*#%s*include%s+"([^"]+)"'
      if name and not public[name] and not exists("pybridge/src/" .. name) then return name end
      local system = line:match "^%s*#%s*include%s+<([^>]+)>"
      if system and (system:find "^l?ua" or system:find "^lauxlib") then return system end
    end))
  end)

  it("lets the core and the host know nothing of Python", function()
    assert.same({}, offences(files("'core/*.c'", "'core/*.h'", "'lua/host/*.c'", "'lua/host/*.h'"), function(line)
      local name = line:match '^%s*#%s*include%s+[<"]([^">]+)'
      if name and (name:find "^Python" or name:find "pybridge") then return name end
    end))
  end)

  it("binds C in one file", function()
    assert.same({}, offences(files "'lua/moonmill/*.lua'", function(line, path)
      if path ~= "lua/moonmill/base/ffi.lua" and code(line):find "ffi%.[cl][do][ea][fd]%f[%W]" then return line end
    end))
  end)

  it("lets pipelines require only the language", function()
    assert.same({}, offences(files "'pipelines/*.lua'", function(line)
      local name = code(line):match "%f[%w]require%s*%(?%s*[\"']([%w%._]+)[\"']"
      if name and name ~= "moonmill" then return name end
    end))
  end)

  it("has no place for odds and ends", function()
    local found = {}
    for _, path in ipairs(files "core lua pipelines pybridge") do
      local name = path:match "([^/]+)%.[^./]+$"
      if name and (name:find "^utils?$" or name == "common" or name == "misc" or name:find "^helpers?$") then
        found[#found + 1] = path
      end
    end
    assert.same({}, found)
  end)

  it("keeps the header readable by LuaJIT: no macros, no inline, no conditions around declarations", function()
    assert.same({}, offences({ "core/moonmill.h" }, function(line)
      for _, pattern in ipairs { "^%s*#%s*define", "^%s*#%s*if", "static%s+inline", "\\$" } do
        if line:match(pattern) then return line end
      end
    end))
  end)

  it("says the licence in every C file", function()
    local found = {}
    for _, path in ipairs(files("'core/*.c'", "'core/*.h'", "'core/*.cc'", "'lua/host/*.c'", "'lua/host/*.h'",
      "'pybridge/src/*.c'", "'pybridge/src/*.h'")) do
      local head = assert(io.open(path)):read(4000) or ""
      if not head:find("SPDX-License-Identifier: MIT", 1, true) then found[#found + 1] = path end
    end
    assert.same({}, found)
  end)
end)

describe("a floor", function()
  local list = { { "low" }, { "middle", "low" }, { "high", "low" } }
  local function graph(edges)
    local modules = {}
    for from, to in pairs(edges) do
      modules[from] = { folder = from:match "^(%a+)%.", path = from, needs = {} }
      for name in to:gmatch "%S+" do table.insert(modules[from].needs, { name = name, place = from }) end
    end
    return modules
  end

  it("is not left upwards, nor sideways", function()
    local modules = graph { ["low.a"] = "middle.b", ["middle.b"] = "", ["high.c"] = "low.a middle.b" }
    assert.same({ "high.c: high may not need middle (middle.b)", "low.a: low may not need middle (middle.b)" },
      floors.offences(modules, list, {}))
    assert.same({ "high.c: high may not need middle (middle.b)" },
      floors.offences(modules, list, { ["low.a -> middle.b"] = "a reason" }))
  end)

  it("is in the list, once, above what it names", function()
    assert.same({ "other.a: other is no floor" }, floors.offences(graph { ["other.a"] = "" }, list, {}))
    assert.same({ "low may need high, which is not below it" },
      floors.offences({}, { { "low", "high" }, { "high" } }, {}))
    assert.same({ "low is listed twice" }, floors.offences({}, { { "low" }, { "low" } }, {}))
  end)

  it("has no exception that is not needed", function()
    assert.same({ "low.a -> middle.b: nothing points there" },
      floors.offences(graph { ["low.a"] = "" }, list, { ["low.a -> middle.b"] = "a reason" }))
  end)

  it("holds no circle of files, unless a reason is stated", function()
    local modules = graph { ["low.a"] = "low.b", ["low.b"] = "low.c", ["low.c"] = "low.a", ["low.d"] = "low.a" }
    assert.same({ "low.a > low.b > low.c > low.a" }, floors.circles(modules, {}))
    assert.same({}, floors.circles(modules, { ["low.c -> low.a"] = "a reason" }))
    assert.same({}, floors.circles(graph { ["low.a"] = "low.b low.c", ["low.b"] = "low.c", ["low.c"] = "" }, {}))
  end)

  it("holds each name of a file once", function()
    assert.same({ "b: high.b low.b" }, floors.repeated(graph { ["low.b"] = "", ["high.b"] = "", ["low.a"] = "" }))
  end)
end)
