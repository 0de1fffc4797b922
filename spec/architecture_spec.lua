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

-- The floors of core/, from the lowest. A file may include its own room, rooms on lower floors and the public headers.
local FLOORS = {
  { "base" },
  { "text" },
  { "types", "io" },
  { "arrow", "kernels", "engine" },
  { "program", "hash", "formats" },
  { "aggregates" },
  { "stages" },
}
local PUBLIC = { ["moonmill.h"] = true, ["stage.h"] = true, ["arrow_abi.h"] = true }
-- Files that may include each other, each with the reason: { ["room/unit"] = { ["room/other"] = "because" } }.
local CIRCLES = {
  ["base/os"] = { ["base/alloc"] = "what a thread of the system is to run is allocated within the budget" },
}
local FILES_MOST = 12 -- .c files in a folder
local CROWDED = {} -- folders with more: { ["room"] = number }

local floor_of = {}
for number, rooms in ipairs(FLOORS) do
  for _, room in ipairs(rooms) do floor_of[room] = number end
end

---Every #include of one file of core/ in another: { from, to }, paths below core/.
local function inclusions()
  local list = {}
  for _, path in ipairs(files("'core/*.c'", "'core/*.h'", "'core/*.cc'")) do
    each_line(path, function(line)
      -- A template may be named by a macro.
      local name = line:match '^%s*#%s*include%s+"([^"]+)"' or line:match '^%s*#%s*define%s+%w+%s+"([^"]+%.h)"'
      if name then list[#list + 1] = { path:match "^core/(.*)", name } end
    end)
  end
  return list
end

local function room(path) return path:match "^([^/]+)/" end
local function folder(path) return path:match "^(.*)/" end
---A file and the header beside it are one: "base/cpu".
local function unit(path) return (path:gsub("%.%w+$", ""):gsub("%.isa$", ""):gsub("%.inc$", "")) end

---Inclusions that point up or sideways, or leave core/.
local function upward(list)
  local found = {}
  for _, edge in ipairs(list) do
    local from, to = edge[1], edge[2]
    local here, there = floor_of[room(from) or ""], floor_of[room(to) or ""]
    local fine
    if PUBLIC[to] then fine = true
    elseif PUBLIC[from] then fine = false
    else fine = here and there and (there < here or room(from) == room(to)) end
    if not fine then found[#found + 1] = from .. " includes " .. to end
  end
  return found
end

---Circles among what `name` makes of the paths, each once: "a > b > a". `excused[a][b]` takes an edge out.
local function circles(list, name, excused)
  local graph, nodes = {}, {}
  for _, edge in ipairs(list) do
    local from, to = name(edge[1]), name(edge[2])
    if from and to and from ~= to and not (excused[from] and excused[from][to]) then
      if not graph[from] then graph[from], nodes[#nodes + 1] = {}, from end
      graph[from][to] = true
    end
  end
  table.sort(nodes)
  local found, state, trail = {}, {}, {}
  local function visit(node)
    state[node], trail[#trail + 1] = "open", node
    local next_ones = {}
    for other in pairs(graph[node] or {}) do next_ones[#next_ones + 1] = other end
    table.sort(next_ones)
    for _, other in ipairs(next_ones) do
      if state[other] == "open" then
        local first = #trail
        while trail[first] ~= other do first = first - 1 end
        found[#found + 1] = table.concat(trail, " > ", first) .. " > " .. other
      elseif not state[other] then
        visit(other)
      end
    end
    state[node], trail[#trail] = "done", nil
  end
  for _, node in ipairs(nodes) do
    if not state[node] then visit(node) end
  end
  return found
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

  it("has its core in floors: an include points down, or stays in its room", function()
    local list = inclusions()
    assert.is_true(#list > 300)
    assert.same({}, upward(list))
  end)

  it("has no circle of folders in its core", function() assert.same({}, circles(inclusions(), folder, {})) end)

  it("has no circle of files in its core but those that are given a reason", function()
    assert.same({}, circles(inclusions(), unit, CIRCLES))
  end)

  it("would see an include that points up or sideways, and circles", function()
    local function with(...)
      local list = inclusions()
      for _, edge in ipairs { ... } do list[#list + 1] = edge end
      return list
    end
    assert.same({ "base/error.c includes types/column.h" }, upward(with { "base/error.c", "types/column.h" }))
    assert.same({ "arrow/foreign.c includes kernels/kernel.h" }, upward(with { "arrow/foreign.c", "kernels/kernel.h" }))
    assert.same({ "moonmill.h includes base/error.h" }, upward(with { "moonmill.h", "base/error.h" }))
    assert.same({ "io/wait.c includes nowhere/else.h" }, upward(with { "io/wait.c", "nowhere/else.h" }))
    local below = { "formats/csv/csv_dialect.c", "formats/input.h" }
    assert.same({ "formats > formats/csv > formats" }, circles(with(below), folder, {}))
    local pair = with({ "base/arena.c", "base/block.h" }, { "base/block.c", "base/arena.h" })
    assert.same({ "base/arena > base/block > base/arena" }, circles(pair, unit, CIRCLES))
    local excused = { ["base/block"] = { ["base/arena"] = "an example" }, ["base/os"] = CIRCLES["base/os"] }
    assert.same({}, circles(pair, unit, excused))
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

  it("has no file name twice in its core, and no more files in a folder than one can look over", function()
    local seen, twice, count = {}, {}, {}
    for _, path in ipairs(files "core") do
      local name = path:match "([^/]+)$"
      if seen[name] then twice[#twice + 1] = path .. " and " .. seen[name] end
      seen[name] = path
      if name:find "%.cc?$" then count[folder(path)] = (count[folder(path)] or 0) + 1 end
    end
    assert.same({}, twice)
    local crowded = {}
    for where, number in pairs(count) do
      if number > FILES_MOST then crowded[where:match "^core/(.*)"] = number end
    end
    assert.same(CROWDED, crowded)
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

  it("holds each name of a file once", function()
    assert.same({ "b: high.b low.b" }, floors.repeated(graph { ["low.b"] = "", ["high.b"] = "", ["low.a"] = "" }))
  end)
end)

-- The floors of the Python bridge: what a room may use beside itself. C of pybridge/src by folders; the package by
-- folders ("adapters/") and modules, where _core, the extension, is below all.
local BRIDGE_C = {
  { room = "root", holds = "", may = "" },
  { room = "import", holds = "import/", may = "root" },
  { room = "export", holds = "export/", may = "root" },
  { room = "table", holds = "table/", may = "root import export" },
  { room = "run", holds = "run/", may = "root import export table" },
  { room = "script", holds = "script/", may = "root import export table run" },
}
local BRIDGE_PYTHON = {
  { room = "base", holds = "base/ errors info outputs progress schema", may = "" },
  { room = "data", holds = "column table to_pandas", may = "base" },
  { room = "scripts", holds = "module reading script", may = "base" },
  { room = "adapters", holds = "adapters/", may = "base data scripts" },
  { room = "running", holds = "running/", may = "base data scripts adapters" },
  { room = "api", holds = "function job loading memory pipeline store", may = "base data scripts adapters running" },
  { room = "entry", holds = "__init__ __main__", may = "base data scripts adapters running api" },
}
local BRIDGE_FILES_MOST = 12 -- in a folder; modules of the package's root are names that users import

describe("the Python bridge", function()
  local function read(path)
    local file = assert(io.open(path))
    local text = file:read "*a"
    file:close()
    return text
  end

  ---Texts by unit: of C a file and the header beside it are one ("table/slice"), of Python a module ("running.prepare";
  ---the package itself is "__init__", that of a folder its name).
  local function sources_of_c()
    local list = {}
    for _, path in ipairs(files("'pybridge/src/*.c'", "'pybridge/src/*.h'")) do
      list[#list + 1] = { unit = path:match "^pybridge/src/(.*)%.[ch]$", text = read(path) }
    end
    return list
  end
  local function sources_of_python()
    local list = {}
    for _, path in ipairs(files "'pybridge/moonmill/*.py'") do
      local unit = path:match("^pybridge/moonmill/(.*)%.py$"):gsub("/__init__$", ""):gsub("/", ".")
      local package = path:match "/__init__%.py$" and unit or unit:match "^(.*)%.[^.]*$" or ""
      list[#list + 1] = { unit = unit, package = package == "__init__" and "" or package, text = read(path) }
    end
    return list
  end

  local function units_of(sources)
    local units = {}
    for _, source in ipairs(sources) do units[source.unit] = true end
    return units
  end

  local function edges_of_c(sources)
    local edges, units = {}, units_of(sources)
    for _, source in ipairs(sources) do
      for name in ("\n" .. source.text):gmatch '\n%s*#%s*include%s+"([^"]+)%.h"' do
        if units[name] then edges[#edges + 1] = { source.unit, name } end
      end
    end
    return edges
  end

  ---Lines of code without those under `if TYPE_CHECKING:`; what stands in brackets is one line.
  local function lines_that_run(text)
    local lines, within, open = {}, nil, nil
    for line in text:gmatch "[^\n]+" do
      local indent = #line:match "^%s*"
      if open then
        lines[#lines] = lines[#lines] .. " " .. line
        if line:find "%)" then open = nil end
      elseif line:find "%S" then
        if within and indent <= within then within = nil end
        if line:find "^%s*if [%w_.]*TYPE_CHECKING:" then within = indent end
        if not within then
          lines[#lines + 1] = line
          open = line:find "^%s*from%s+%S+%s+import%s+%(" and not line:find "%)" or nil
        end
      end
    end
    return lines
  end

  ---Modules of the package that a line imports.
  local function imports_of(line, package, units)
    local from, names = line:match "^%s*from%s+([%w_.]+)%s+import%s+%(?([^#)]*)"
    local whole = line:match "^%s*import%s+moonmill%.([%w_.]+)"
    if whole then return { whole } end
    if not from then return {} end
    local dots, base = from:match "^(%.*)(.*)$"
    if dots == "" then
      base = from == "moonmill" and "" or from:match "^moonmill%.(.*)$"
      if not base then return {} end
    else
      for _ = 2, #dots do package = package:match "^(.*)%.[^.]*$" or "" end
      base = package .. (package ~= "" and base ~= "" and "." or "") .. base
    end
    local found = {}
    for name in names:gmatch "[%w_]+" do
      local inner = base == "" and name or base .. "." .. name
      found[#found + 1] = (units[inner] or base == "") and inner or base
    end
    return found
  end

  local function edges_of_python(sources)
    local edges, units = {}, units_of(sources)
    for _, source in ipairs(sources) do
      for _, line in ipairs(lines_that_run(source.text)) do
        for _, name in ipairs(imports_of(line, source.package, units)) do
          if name ~= "_core" then edges[#edges + 1] = { source.unit, units[name] and name or "__init__" } end
        end
      end
    end
    return edges
  end

  ---The room of a unit: its own line, or that of its folder.
  local function room_of(floors, unit)
    local folder = unit:match "^(.-)[./]" or ""
    for _, floor in ipairs(floors) do
      for held in (floor.holds == "" and "/" or floor.holds):gmatch "%S+" do
        if held == unit or held == folder .. "/" or held == unit .. "/" then return floor end
      end
    end
  end

  local function words(text)
    local set = {}
    for word in text:gmatch "%S+" do set[word] = true end
    return set
  end

  local function upward(floors, edges)
    local found = {}
    for _, edge in ipairs(edges) do
      local here, there = room_of(floors, edge[1]), room_of(floors, edge[2])
      local fine = here and there and (here == there or words(here.may)[there.room])
      if not fine then found[#found + 1] = edge[1] .. " uses " .. edge[2] end
    end
    return found
  end

  ---Circles of units, each once.
  local function circles(edges)
    local graph, state, trail, found = {}, {}, {}, {}
    for _, edge in ipairs(edges) do
      local from, to = edge[1], edge[2]
      graph[from] = graph[from] or {}
      if from ~= to then table.insert(graph[from], to) end
    end
    local function visit(unit)
      state[unit], trail[#trail + 1] = "open", unit
      for _, other in ipairs(graph[unit] or {}) do
        if state[other] == "open" then
          local first = #trail
          while trail[first] ~= other do first = first - 1 end
          found[#found + 1] = table.concat(trail, " > ", first) .. " > " .. other
        elseif not state[other] then
          visit(other)
        end
      end
      state[unit], trail[#trail] = "done", nil
    end
    local units = {}
    for unit in pairs(graph) do units[#units + 1] = unit end
    table.sort(units)
    for _, unit in ipairs(units) do
      if not state[unit] then visit(unit) end
    end
    return found
  end

  it("has a room for every file", function()
    local homeless = {}
    for _, source in ipairs(sources_of_c()) do
      if not room_of(BRIDGE_C, source.unit) then homeless[#homeless + 1] = source.unit end
    end
    for _, source in ipairs(sources_of_python()) do
      if not room_of(BRIDGE_PYTHON, source.unit) then homeless[#homeless + 1] = source.unit end
    end
    assert.same({}, homeless)
  end)

  it("includes and imports downwards only, also within functions", function()
    local c, python = edges_of_c(sources_of_c()), edges_of_python(sources_of_python())
    assert.is_true(#c > 100 and #python > 100)
    assert.same({}, upward(BRIDGE_C, c))
    assert.same({}, upward(BRIDGE_PYTHON, python))
  end)

  it("has no circle of files", function()
    assert.same({}, circles(edges_of_c(sources_of_c())))
    assert.same({}, circles(edges_of_python(sources_of_python())))
  end)

  it("finds modules by name in one place: where adapters are loaded", function()
    assert.same({}, offences(files "'pybridge/moonmill/*.py'", function(line, path)
      local by_name = line:find "__import__" or line:find "importlib"
      if by_name and path ~= "pybridge/moonmill/adapters/__init__.py" then return line end
    end))
  end)

  it("would see what points up, and circles", function()
    local function with_c(unit, text)
      local list = sources_of_c()
      list[#list + 1] = { unit = unit, text = text }
      return edges_of_c(list)
    end
    local function with_python(unit, text)
      local list = sources_of_python()
      list[#list + 1] = { unit = unit, package = unit:match "^(.*)%.[^.]*$" or "", text = text }
      return edges_of_python(list)
    end
    local value = with_c("export/value", '#include "table/table.h"')
    assert.same({ "export/value uses table/table" }, upward(BRIDGE_C, value))
    assert.same({ "errors uses import/mask" }, upward(BRIDGE_C, edges_of_c {
      { unit = "errors", text = '# include "import/mask.h"' }, { unit = "import/mask", text = "" } }))
    assert.same({ "errors > text > errors" }, circles(with_c("errors", '#include "text.h"')))
    local function up(...) return upward(BRIDGE_PYTHON, with_python(...)) end
    assert.same({ "table uses adapters.pandas" }, up("table", "def f():\n    from .adapters.pandas import frame_of\n"))
    assert.same({ "base.engines uses pipeline" }, up("base.engines", "from ..pipeline import (\n    Pipeline,\n)\n"))
    assert.same({ "column uses running.prepare" }, up("column", "from .running import prepare\n"))
    assert.same({ "schema uses pipeline" }, up("schema", "import moonmill.pipeline\n"))
    assert.same({ "reading uses __init__" }, up("reading", "from moonmill import load\n"))
    local after = "if TYPE_CHECKING:\n    from .job import Job\nfrom .store import x\n"
    assert.same({ "schema uses store" }, up("schema", after))
    assert.same({}, up("schema", "if TYPE_CHECKING:\n    from .store import (\n        Store,\n    )\n"))
    assert.same({ "column > table > column" }, circles(with_python("column", "def f():\n  from .table import Table")))
  end)

  it("has no file name twice, and no more files in a folder than one can look over", function()
    local seen, twice, count, crowded = {}, {}, {}, {}
    for _, path in ipairs(files("'pybridge/src/*.[ch]'", "'pybridge/moonmill/*.py'")) do
      local folder, name = path:match "^(.*)/([^/]+)$"
      if seen[name] and name ~= "__init__.py" then twice[#twice + 1] = path .. " and " .. seen[name] end
      seen[name] = path
      if not name:find "%.h$" then count[folder] = (count[folder] or 0) + 1 end
    end
    for folder, number in pairs(count) do
      if number > BRIDGE_FILES_MOST and folder ~= "pybridge/moonmill" then crowded[folder] = number end
    end
    assert.same({}, twice)
    assert.same({}, crowded)
  end)
end)
