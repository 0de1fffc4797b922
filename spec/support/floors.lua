-- floors - what files need of each other, read from their text, and whether it points down.
--
-- A graph is a table of files by name: { folder = "expr/typing", path =, needs = { { name =, place = "file:line" } } }.
-- C is read by units: a file and the header beside it are one, "base/cpu".
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

---C files below a folder and what they include of it by a path from there, templates that a macro names among it;
---headers of other roots and of the system are left out.
---@param paths string[]
---@param root string "lua/host/"
---@param floor_of? fun(folder: string): string of the folder of a file, "." for the root's own
---@return table graph by unit
function floors.sources(paths, root, floor_of)
  local units, known = {}, {}
  local function unit_of(name) return (name:gsub("%.%w+$", ""):gsub("%.isa$", ""):gsub("%.inc$", "")) end
  for _, path in ipairs(paths) do
    local name = path:sub(#root + 1)
    local folder = name:match "^(.*)/" or "."
    local unit = units[unit_of(name)] or { folder = floor_of and floor_of(folder) or folder, path = path, needs = {} }
    units[unit_of(name)], known[name] = unit, true
  end
  for _, path in ipairs(paths) do
    local here = unit_of(path:sub(#root + 1))
    each_line(path, function(line, place)
      local name = line:match '^%s*#%s*include%s+"([^"]+)"' or line:match '^%s*#%s*define%s+%w+%s+"([^"]+%.h)"'
      if name and known[name] and unit_of(name) ~= here then
        table.insert(units[here].needs, { name = unit_of(name), place = place })
      end
    end)
  end
  return units
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

---Levels, from the lowest, as a list of floors: each may need all floors of lower levels.
---@param levels string[][]
---@return table list for `offences`
function floors.of_levels(levels)
  local list, below = {}, {}
  for _, level in ipairs(levels) do
    for _, floor in ipairs(level) do list[#list + 1] = { floor, table.concat(below, " ") } end
    for _, floor in ipairs(level) do below[#below + 1] = floor end
  end
  return list
end

---The same graph with folders for files.
---@param graph table
---@param folder_of fun(name: string): string
---@return table
function floors.folders(graph, folder_of)
  local folders = {}
  for name, file in pairs(graph) do
    local here = folder_of(name)
    folders[here] = folders[here] or { folder = here, path = here, needs = {} }
    for _, need in ipairs(file.needs) do
      if graph[need.name] and folder_of(need.name) ~= here then
        table.insert(folders[here].needs, { name = folder_of(need.name), place = need.place })
      end
    end
  end
  return folders
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
---@param paths string[]
---@return string[]
function floors.repeated(paths)
  local by_name, found = {}, {}
  for _, path in ipairs(paths) do
    local name = path:match "[^/]+$"
    by_name[name] = by_name[name] or {}
    table.insert(by_name[name], path)
  end
  for _, name in ipairs(sorted_keys(by_name)) do
    if #by_name[name] > 1 then found[#found + 1] = name .. ": " .. table.concat(by_name[name], " ") end
  end
  return found
end

---Folders with more than so many files, each as "folder: number".
---@param paths string[]
---@param most integer
---@return string[]
function floors.crowded(paths, most)
  local count, found = {}, {}
  for _, path in ipairs(paths) do
    local folder = path:match "^(.*)/"
    count[folder] = (count[folder] or 0) + 1
  end
  for _, folder in ipairs(sorted_keys(count)) do
    if count[folder] > most then found[#found + 1] = ("%s: %d"):format(folder, count[folder]) end
  end
  return found
end

return floors
