-- floors - what files need of each other, read from their text, and whether it points down.
--
-- A graph is a table of files by name: { folder = "expr/typing", path =, needs = { { name =, place = "file:line" } } }.
local floors = {}

local function each_line(path, visit)
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    visit(line, ("%s:%d"):format(path, number))
  end
end

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- Modules whose names begin with a prefix: what `require("moonmill.stages." .. name)` may mean.
local function beginning(modules, prefix, except)
  local names = {}
  for name in pairs(modules) do
    local rest = name:sub(1, #prefix) == prefix and name:sub(#prefix + 1)
    if rest and not rest:find(".", 1, true) and name ~= except then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

---Lua modules and what they require, wherever they do.
---@param paths string[] "lua/moonmill/expr/compiler.lua"
---@return table graph by module: "moonmill.expr.compiler"
function floors.modules(paths)
  local modules = {}
  for _, path in ipairs(paths) do
    local name = path:match "^lua/(.*)%.lua$"
    local folder = name:match "^moonmill/(.*)/[^/]*$" or name:match "[^/]*$"
    modules[name:gsub("/", ".")] = { folder = folder, path = path, needs = {} }
  end
  for name, module in pairs(modules) do
    each_line(module.path, function(line, place)
      for needed in line:gsub("%-%-.*", ""):gmatch "%f[%w_]require%s*%(?%s*[\"'](moonmill[%w_%.]*)" do
        local all = needed:find "%.$" and beginning(modules, needed, name) or { needed }
        for _, one in ipairs(all) do table.insert(module.needs, { name = one, place = place }) end
      end
    end)
  end
  return modules
end

---C files below a folder and what they include of it by a path from there; system headers and those of lower layers are
---left out.
---@param paths string[]
---@param root string "lua/host/"
---@return table graph by path from the root
function floors.sources(paths, root)
  local sources = {}
  for _, path in ipairs(paths) do
    local name = path:sub(#root + 1)
    sources[name] = { folder = name:match "^(.*)/" or ".", path = path, needs = {} }
  end
  for _, source in pairs(sources) do
    each_line(source.path, function(line, place)
      local name = line:match '^%s*#%s*include%s+"([^"]+)"'
      if name and sources[name] then table.insert(source.needs, { name = name, place = place }) end
    end)
  end
  return sources
end

-- Floors by folder, each with the folders that it may need; what is wrong with the list itself.
local function read_list(list, found)
  local by_folder = {}
  for _, floor in ipairs(list) do
    local folder, below = floor[1], {}
    if by_folder[folder] then found[#found + 1] = folder .. " is listed twice" end
    for name in (floor[2] or ""):gmatch "%S+" do
      if not by_folder[name] then
        found[#found + 1] = ("%s may need %s, which is not below it"):format(folder, name)
      end
      below[name] = true
    end
    below[folder] = true
    by_folder[folder] = below
  end
  return by_folder
end

---What points where it may not, and exceptions that nothing needs.
---@param graph table
---@param list { [1]: string, [2]: string? }[] a folder and those that it may need, all of which stand before it
---@param exceptions table<string, string> "a -> b" -> reason
---@return string[]
function floors.offences(graph, list, exceptions)
  local found, used = {}, {}
  local by_folder = read_list(list, found)
  for _, name in ipairs(sorted_keys(graph)) do
    local file = graph[name]
    local below = by_folder[file.folder]
    if not below then found[#found + 1] = ("%s: %s is no floor"):format(file.path, file.folder) end
    for _, need in ipairs(file.needs) do
      local arrow, target = name .. " -> " .. need.name, graph[need.name]
      used[arrow] = true
      if not target then
        found[#found + 1] = ("%s: there is no %s"):format(need.place, need.name)
      elseif below and not below[target.folder] and not exceptions[arrow] then
        found[#found + 1] = ("%s: %s may not need %s (%s)"):format(need.place, file.folder, target.folder, need.name)
      end
    end
  end
  for _, arrow in ipairs(sorted_keys(exceptions)) do
    if not used[arrow] then found[#found + 1] = arrow .. ": nothing points there" end
  end
  return found
end

---Circles of files, each as "a > b > a".
---@param graph table
---@param exceptions table<string, string> "a -> b" -> reason; such an arrow closes none
---@return string[]
function floors.circles(graph, exceptions)
  local state, way, found = {}, {}, {}
  local function visit(name)
    state[name] = "open"
    way[#way + 1] = name
    for _, need in ipairs(graph[name].needs) do
      local next_name = need.name
      if graph[next_name] and not exceptions[name .. " -> " .. next_name] then
        if state[next_name] == "open" then
          local from = #way
          while way[from] ~= next_name do from = from - 1 end
          found[#found + 1] = table.concat(way, " > ", from) .. " > " .. next_name
        elseif not state[next_name] then
          visit(next_name)
        end
      end
    end
    way[#way] = nil
    state[name] = "done"
  end
  for _, name in ipairs(sorted_keys(graph)) do
    if not state[name] then visit(name) end
  end
  return found
end

---Names of files that stand in several folders.
---@param graph table
---@return string[]
function floors.repeated(graph)
  local by_stem, found = {}, {}
  for _, name in ipairs(sorted_keys(graph)) do
    local stem = name:match "([^/%.]+%.[ch])$" or name:match "[^%.]+$"
    by_stem[stem] = by_stem[stem] or {}
    table.insert(by_stem[stem], name)
  end
  for _, stem in ipairs(sorted_keys(by_stem)) do
    if #by_stem[stem] > 1 then found[#found + 1] = stem .. ": " .. table.concat(by_stem[stem], " ") end
  end
  return found
end

return floors
