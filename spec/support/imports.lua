-- imports - the modules of the Python package and what they import of it, as a graph of floors.lua: also imports within
-- functions, but not those for type checkers alone.
local imports = {}

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

---@param sources { unit: string, package: string, path: string, text: string }[] "running.prepare", "running", ...
---@param floor_of fun(unit: string): string
---@return table graph by unit; the package itself is "__init__"
function imports.graph(sources, floor_of)
  local units, graph = {}, {}
  for _, source in ipairs(sources) do
    units[source.unit] = true
    graph[source.unit] = { folder = floor_of(source.unit), path = source.path, needs = {} }
  end
  for _, source in ipairs(sources) do
    for _, line in ipairs(lines_that_run(source.text)) do
      for _, name in ipairs(imports_of(line, source.package, units)) do
        local target = units[name] and name or "__init__"
        if name ~= "_core" and target ~= source.unit then
          table.insert(graph[source.unit].needs, { name = target, place = source.path })
        end
      end
    end
  end
  return graph
end

---One source of the package.
---@param path string "pybridge/moonmill/running/prepare.py"
---@param text string
function imports.source(path, text)
  local unit = path:match("^pybridge/moonmill/(.*)%.py$"):gsub("/__init__$", ""):gsub("/", ".")
  local package = path:match "/__init__%.py$" and unit or unit:match "^(.*)%.[^.]*$" or ""
  return { unit = unit, package = package == "__init__" and "" or package, path = path, text = text }
end

return imports
