-- Arrows point down only: pybridge -> lua -> core, and within each of them from a floor to those that it may need,
-- which are listed here. Pipelines see the language and nothing else.
local floors = require "floors"
local imports = require "imports"

local function files(...)
  local list = {}
  local pipe = assert(io.popen("git ls-files --cached --others --exclude-standard -- " .. table.concat({ ... }, " ")
    .. " | sort -u"))
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

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local function code(line) return (line:gsub("%-%-.*", "")) end

-- ---- The floors ----

-- Folders of core/, from the lowest level. A file may include its own folder, folders of lower levels and the public
-- headers.
local CORE_LEVELS = {
  { "base" },
  { "text" },
  { "types", "io" },
  { "arrow", "kernels", "engine" },
  { "program", "hash", "formats" },
  { "aggregates" },
  { "stages" },
}
local PUBLIC = { ["moonmill.h"] = true, ["stage.h"] = true, ["arrow_abi.h"] = true }
-- Arrows that may close a circle of files, each with the reason.
local CORE_CIRCLES = {
  ["base/os -> base/alloc"] = "what a thread of the system is to run is allocated within the budget",
}

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
local HOST_CIRCLES = {
  ["session/module_state -> session/function_module"] = "the state is that of the object that the header declares",
}
local HOST_FLOORS = {
  { "state" },
  { "rows", "state" },
  { "session", "state" },
  { "command", "state" },
}

-- Folders of pybridge/src; "." is its root.
local BRIDGE_FLOORS = {
  { "." },
  { "import", "." },
  { "export", "." },
  { "table", ". import export" },
  { "run", ". import export table" },
  { "script", ". import export table run" },
}

-- The Python package: folders ("adapters/") and modules of its root, which are names that users import. _core, the
-- extension, is below all.
local PACKAGE_FLOORS = {
  { "base", holds = "base/ errors info outputs progress schema" },
  { "data", "base", holds = "column table to_pandas" },
  { "scripts", "base", holds = "module reading script" },
  { "adapters", "base data scripts", holds = "adapters/" },
  { "running", "base data scripts adapters", holds = "running/" },
  { "api", "base data scripts adapters running", holds = "function job loading memory pipeline store" },
  { "entry", "base data scripts adapters running api", holds = "__init__ __main__" },
}

local FILES_MOST = 12 -- of code in a folder
local CROWDED = { -- folders with more, each with the reason
  ["core/kernels/templates"] = "a file for each shape of loop",
  ["lua/moonmill/stages"] = "a file for each stage",
  ["lua/moonmill/rows/vector"] = "a file for each step of one translation",
  ["pybridge/moonmill"] = "names that users import",
}

-- ---- The graphs ----

local function core_graph()
  local graph = floors.sources(files("'core/*.c'", "'core/*.h'", "'core/*.cc'"), "core/",
    function(folder) return folder:match "^[^/]+" end)
  for name in pairs(PUBLIC) do -- every file may include them
    local unit = name:gsub("%.h$", "")
    graph[unit] = nil
    for _, file in pairs(graph) do
      for i = #file.needs, 1, -1 do
        if file.needs[i].name == unit then table.remove(file.needs, i) end
      end
    end
  end
  return graph
end

local function language_graph() return floors.modules(files "'lua/moonmill.lua' 'lua/moonmill/*.lua'") end
local function host_graph() return floors.sources(files("'lua/host/*.c'", "'lua/host/*.h'"), "lua/host/") end
local function bridge_graph()
  return floors.sources(files("'pybridge/src/*.c'", "'pybridge/src/*.h'"), "pybridge/src/")
end

local function package_floor(unit)
  local folder = unit:match "^(.-)%." or unit
  for _, floor in ipairs(PACKAGE_FLOORS) do
    for held in floor.holds:gmatch "%S+" do
      if held == unit or held == folder .. "/" then return floor[1] end
    end
  end
  return "none"
end

---@param extra? { path: string, text: string } one more file
local function package_graph(extra)
  local sources = {}
  for _, path in ipairs(files "'pybridge/moonmill/*.py'") do
    local text = read(path)
    if extra and extra.path == path then text = text .. "\n" .. extra.text end
    sources[#sources + 1] = imports.source(path, text)
  end
  return imports.graph(sources, package_floor)
end

-- Folders of units, down to the last.
local function folder_of(name) return name:match "^(.*)/" or "." end

describe("the tree", function()
  local graphs = {
    ["the core"] = { core_graph(), floors.of_levels(CORE_LEVELS), {}, CORE_CIRCLES, 300 },
    ["lua/moonmill"] = { language_graph(), LUA_FLOORS, LUA_UPWARDS, LUA_UPWARDS, 200 },
    ["lua/host"] = { host_graph(), HOST_FLOORS, {}, HOST_CIRCLES, 20 },
    ["pybridge/src"] = { bridge_graph(), BRIDGE_FLOORS, {}, {}, 100 },
    ["the Python package"] = { package_graph(), PACKAGE_FLOORS, {}, {}, 100 },
  }
  for name, graph in pairs(graphs) do
    it("has floors in " .. name .. ": arrows point down, and close no circle without a reason", function()
      local arrows = 0
      for _, file in pairs(graph[1]) do arrows = arrows + #file.needs end
      assert.is_true(arrows > graph[5], arrows)
      assert.same({}, floors.offences(graph[1], graph[2], graph[3]))
      assert.same({}, floors.circles(graph[1], graph[4]))
    end)
  end

  it("has no circle of folders in the core, those within a floor among them", function()
    assert.same({}, floors.circles(floors.folders(core_graph(), folder_of), {}))
  end)

  it("would see arrows that point up in what is there", function()
    local core, list = core_graph(), floors.of_levels(CORE_LEVELS)
    table.insert(core["base/error"].needs, { name = "types/column", place = "base/error.c:1" })
    table.insert(core["arrow/foreign"].needs, { name = "kernels/dispatch", place = "arrow/foreign.c:1" })
    assert.same({ "arrow/foreign.c:1: arrow may not need kernels (kernels/dispatch)",
      "base/error.c:1: base may not need types (types/column)" }, floors.offences(core, list, {}))
    local bridge = bridge_graph()
    table.insert(bridge["export/value"].needs, { name = "table/slice", place = "export/value.c:1" })
    assert.same({ "export/value.c:1: export may not need table (table/slice)" },
      floors.offences(bridge, BRIDGE_FLOORS, {}))
    for path, text in pairs {
      ["table"] = "def f():\n    from .adapters.pandas import frame_of\n",
      ["base/engines"] = "from ..pipeline import (\n    Pipeline,\n)\n",
      ["column"] = "from .running import prepare\n",
      ["schema"] = "import moonmill.pipeline\n",
      ["reading"] = "from moonmill import load\n",
      ["errors"] = "if TYPE_CHECKING:\n    from .job import Job\nfrom .store import x\n",
    } do
      local extra = { path = ("pybridge/moonmill/%s.py"):format(path), text = text }
      assert.equal(1, #floors.offences(package_graph(extra), PACKAGE_FLOORS, {}), path)
    end
    local checked = { path = "pybridge/moonmill/schema.py",
      text = "if TYPE_CHECKING:\n    from .store import (\n        Store,\n    )\n" }
    assert.same({}, floors.offences(package_graph(checked), PACKAGE_FLOORS, {}))
    local circle = { path = "pybridge/moonmill/column.py", text = "def f():\n  from .table import Table" }
    assert.same({ "column > table > column" }, floors.circles(package_graph(circle), {}))
  end)

  it("has no file name twice within a layer, and no more files in a folder than one can look over", function()
    local code_of = {
      files("'core/*.c'", "'core/*.cc'"), files("'core/*.h'"),
      files "'lua/moonmill/*.lua'", files "'lua/host/*.c'", files "'lua/host/*.h'",
      files("'pybridge/src/*.c'"), files("'pybridge/src/*.h'"), files("'pybridge/moonmill/*.py'"),
    }
    local repeated, crowded, excused = {}, {}, {}
    for _, paths in ipairs(code_of) do
      for _, what in ipairs(floors.repeated(paths)) do
        if not what:find "^__init__%.py" then repeated[#repeated + 1] = what end
      end
      for _, what in ipairs(floors.crowded(paths, FILES_MOST)) do
        local folder = what:match "^[^:]+"
        if CROWDED[folder] then excused[folder] = true else crowded[#crowded + 1] = what end
      end
    end
    assert.same({}, repeated)
    assert.same({}, crowded)
    for folder in pairs(CROWDED) do assert(excused[folder], folder .. " is not crowded") end
  end)

  it("finds modules of the package by name in one place: where adapters are loaded", function()
    assert.same({}, offences(files "'pybridge/moonmill/*.py'", function(line, path)
      local by_name = line:find "__import__" or line:find "importlib"
      if by_name and path ~= "pybridge/moonmill/adapters/__init__.py" then return line end
    end))
  end)

  it("lets the core include only the core", function()
    assert.same({}, offences(files("'core/*.c'", "'core/*.h'", "'core/*.cc'"), function(line)
      local name = line:match '^%s*#%s*include%s+"([^"]+)"'
      if name and not exists("core/" .. name) then return name end
      local system = line:match "^%s*#%s*include%s+<([^>]+)>"
      if system and (system:find "^l?ua" or system:find "^lauxlib" or system:find "^Python") then return system end
    end))
  end)

  it("gives the prefix mm_ to nothing in its core but what is public", function()
    local function names(path)
      local file = assert(io.open(path))
      local text = file:read("*a"):gsub("/%*.-%*/", " "):gsub('"[^"\n]*"', '""')
      file:close()
      return text:gmatch "%f[%w_][mM][mM]_[%w_]+"
    end
    local public, found = {}, {}
    for _, path in ipairs { "core/moonmill.h", "core/stage.h", "core/base/clock.h" } do
      for name in names(path) do public[name] = true end
    end
    for _, path in ipairs(files("'core/*.c'", "'core/*.h'", "'core/*.cc'")) do
      for name in names(path) do
        if not public[name] and not name:find "_$" then found[#found + 1] = path .. ": " .. name end
      end
    end
    assert.is_true(public.mm_job_new and public.MM_STAGE_BREAKER)
    assert.same({}, found)
  end)

  it("lets the language require only itself and LuaJIT", function()
    local own = { ffi = true, bit = true, jit = true, ["string.buffer"] = true, ["table.new"] = true,
      ["table.clear"] = true, argparse = true }
    assert.same({}, offences(files "'lua/moonmill/*.lua'", function(line)
      local name = code(line):match "%f[%w]require%s*%(?%s*[\"']([%w%._]+)[\"']"
      if name and not own[name] and not name:find "^moonmill" and not name:find "^jit%." then return name end
    end))
  end)

  it("has the modules that lua/host names", function()
    assert.same({}, offences(files "'lua/host/*.c'", function(line)
      local name = line:match '"(moonmill%.[%l_%.]+)"'
      if name and not name:find "%.h$" and not exists("lua/" .. name:gsub("%.", "/") .. ".lua") then return name end
    end))
  end)

  it("lets the Python extension see the public headers and Python, neither the core's insides nor Lua", function()
    local public = { ["host.h"] = true, ["session.h"] = true, ["function_module.h"] = true, ["base/clock.h"] = true }
    for name in pairs(PUBLIC) do public[name] = true end
    assert.same({}, offences(files("'pybridge/src/*.c'", "'pybridge/src/*.h'"), function(line)
      local name = line:match '^%s*#%s*include%s+"([^"]+)"'
      if name and not public[name] and not exists("pybridge/src/" .. name) then return name end
      local system = line:match "^%s*#%s*include%s+<([^>]+)>"
      if system and (system:find "^l?ua" or system:find "^lauxlib") then return system end
    end))
  end)

  it("lets the host see the public headers of the core alone, and the clock", function()
    assert.same({}, offences(files("'lua/host/*.c'", "'lua/host/*.h'"), function(line)
      local name = line:match '^%s*#%s*include%s+"([^"]+)"'
      if name and exists("core/" .. name) and not PUBLIC[name] and name ~= "base/clock.h" then return name end
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

  it("keeps the public headers readable by LuaJIT: no macros, no inline, no conditions around declarations", function()
    assert.same({}, offences({ "core/moonmill.h", "core/stage.h" }, function(line)
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

  it("of a level may need all lower levels", function()
    assert.same({ { "a", "" }, { "b", "a" }, { "c", "a" }, { "d", "a b c" } },
      floors.of_levels { { "a" }, { "b", "c" }, { "d" } })
  end)

  it("holds no circle of folders", function()
    local modules = graph { ["low.a"] = "high.b", ["low.c"] = "", ["high.b"] = "", ["high.d"] = "low.c" }
    local folders = floors.folders(modules, function(name) return modules[name].folder end)
    assert.same({ "high > low > high" }, floors.circles(folders, {}))
  end)

  it("holds each name of a file once, and not too many", function()
    local paths = { "low/b.c", "high/b.c", "low/a.c" }
    assert.same({ "b.c: low/b.c high/b.c" }, floors.repeated(paths))
    assert.same({ "low: 2" }, floors.crowded(paths, 1))
  end)
end)
