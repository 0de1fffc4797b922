-- Arrows point down only: pybridge -> lua -> core; pipelines see the language and nothing else.
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
    local below = { "formats/csv/csv_sniff.c", "formats/input.h" }
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

  it("lets the Python extension see the public headers and Python, neither the core's insides nor Lua", function()
    local public = { ["host.h"] = true, ["session.h"] = true, ["functions.h"] = true, ["base/clock.h"] = true }
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
      if path ~= "lua/moonmill/ffi.lua" and code(line):find "ffi%.[cl][do][ea][fd]%f[%W]" then return line end
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
