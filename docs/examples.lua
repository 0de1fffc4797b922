-- The examples of the documents, run: luajit docs/examples.lua [--update] FILE.md...
-- In a fenced block marked `console`, a line that starts with "$ " is a command (it goes on after a line that ends with
-- a backslash) and what follows, up to the next command, is all it prints on stdout and stderr. A block marked
-- `lua NAME.lua` is first written to that file. Commands run in one scratch folder a document, which has the tree's
-- `pipelines`, with the build folder first in PATH.
-- `--update` writes what the commands print into the documents.
local M = {}

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

---The commands of a console block as a list of { text, expected lines }.
local function commands_of(body)
  local list = {}
  for line in (body .. "\n"):gmatch "([^\n]*)\n" do
    local last = list[#list]
    if line:sub(1, 2) == "$ " then
      list[#list + 1] = { text = line:sub(3), lines = {} }
    elseif last and #last.lines == 0 and last.text:sub(-1) == "\\" then
      last.text = last.text .. "\n" .. line
    elseif last then
      table.insert(last.lines, line)
    end
  end
  return list
end

---Run the commands of a document's text. Returns the text with what they print now,
---and a list of { command=, expected=, got= }.
---@param text string Markdown
---@param build string build folder, absolute
---@param root string the tree, absolute
function M.run(text, build, root)
  local folder, list = output("mktemp -d"):gsub("%s+$", ""), {}
  assert(os.execute(("ln -s %s/pipelines %s/pipelines"):format(quoted(root), folder)) == 0)
  local function run_block(body)
    local lines = {}
    for _, command in ipairs(commands_of(body)) do
      local script = ("cd %s; PATH=%s:$PATH; { %s\n} 2>&1"):format(quoted(folder), quoted(build), command.text)
      local got = output("sh -c " .. quoted(script)):gsub("\n$", "")
      list[#list + 1] = { command = command.text, expected = table.concat(command.lines, "\n"), got = got }
      lines[#lines + 1] = "$ " .. command.text
      if got ~= "" then lines[#lines + 1] = got end
    end
    return table.concat(lines, "\n")
  end
  local result = ("\n" .. text):gsub("\n```([^\n]*)\n(.-)\n```", function(mark, body)
    local name = mark:match "^lua (%S+%.lua)$"
    if name then write(folder .. "/" .. name, body .. "\n") end
    if mark == "console" then body = run_block(body) end
    return "\n```" .. mark .. "\n" .. body .. "\n```"
  end)
  os.execute("rm -rf " .. quoted(folder))
  return result:sub(2), list
end

local function main(names)
  local root = output("pwd"):gsub("%s+$", "")
  local build = root .. "/" .. (os.getenv "MM_BUILD" or "build")
  local update, wrong = false, 0
  for _, name in ipairs(names) do
    if name == "--update" then
      update = true
    else
      local text, list = M.run(read(name), build, root)
      if update then write(name, text) end
      for _, example in ipairs(list) do
        if example.got ~= example.expected then
          wrong = wrong + 1
          print(("%s: $ %s\n--- expected\n%s\n--- got\n%s\n"):format(name, example.command, example.expected,
            example.got))
        end
      end
    end
  end
  os.exit((wrong > 0 and not update) and 1 or 0)
end

if arg and arg[0] and arg[0]:match "examples%.lua$" then main(arg) end

return M
