-- moonmill list: the pipelines and modules in a folder, each with its line about itself.
local failure = require "moonmill.base.failure"
local files = require "moonmill.io.files"
local script = require "moonmill.script.script"
local printable = require "moonmill.base.printable"

local print = printable.print

local list = { name = "list", summary = "the pipelines in ./pipelines, or in the given folders" }

function list.configure(parser) parser:argument("folders", "Folders to list."):args("*") end

-- The line about a script; nil when it is neither a pipeline nor a module.
local function about_of(path)
  local ok, result = pcall(script.load, path, "any")
  if ok then return (script.kind_of(result) == "module" and "(module) " or "") .. (result.about or "") end
  if failure.is(result) and result.id == "no-pipeline" then return nil end
  local reason = failure.is(result) and result.message or failure.describe(result)
  return "(broken: " .. reason:gsub(": no file .*", "") .. ")"
end

function list.run(options)
  local given = #options.folders > 0 and options.folders or { "pipelines" }
  for _, folder in ipairs(given) do
    local names = files.names_in(folder)
    if not names then
      failure.raise {
        code = "io", id = "cannot-open", message = ("cannot read the folder %s"):format(folder),
        hint = "moonmill list FOLDER",
      }
    end
    for _, name in ipairs(names) do
      local path = folder:gsub("/$", "") .. "/" .. name
      local about = name:find "%.lua$" and about_of(path)
      if about then print(("%-28s  %s"):format(printable.line(path), printable.line(about))) end
    end
  end
end

return list
