-- Check the text of the tree: no line is longer than 120 characters, and no document names a file that is not there.
-- Prints what it finds; exit code 1 when there is something.
local MOST = 120

local function lines_of_command(command)
  local list = {}
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

local tracked = lines_of_command "git ls-files --cached --others --exclude-standard"

local found = {}
local function report(path, number, what) found[#found + 1] = ("%s:%d: %s"):format(path, number, what) end

-- Characters of UTF-8: bytes that do not continue one.
local function length_of(line) return select(2, line:gsub("[^\128-\191]", "")) end

-- Tables and what is shown of a terminal keep their lines.
local function may_be_long(line, in_fence)
  return in_fence or line:find "^%s*|" or line:find "^%s*!?%[.-%]%(.-%)%s*$"
end

local names = {} -- last parts of paths that are there
for _, path in ipairs(tracked) do
  for at in ("/" .. path):gmatch "()/" do names[path:sub(at)] = true end
end
for _, path in ipairs(tracked) do
  local folder = path:match "^(.*)/"
  while folder do
    for at in ("/" .. folder):gmatch "()/" do names[folder:sub(at)] = true end
    folder = folder:match "^(.*)/"
  end
end

local SOURCE = { c = true, h = true, cc = true, lua = true, py = true, pyi = true, md = true, toml = true }

-- Names of files in a line of a document: in backticks with an ending of a source, or the target of a link.
local function check_names(path, number, line)
  for name in line:gmatch "`([%w_./{},*-]+)`" do
    local ending = name:match "%.(%l+)$"
    local plain = SOURCE[ending] and not name:find "[{*]" and not name:find "^/"
    if plain and not names[(name:gsub("^%./", ""))] then report(path, number, "there is no file " .. name) end
  end
  for target in line:gmatch "%]%(([^)#%s]+)[^)]*%)" do
    local folder = path:match "^(.*/)" or ""
    local full = folder .. target
    while full:find "[^/]+/%.%./" do full = full:gsub("[^/]+/%.%./", "", 1) end
    local known = target:find "^%a+:" or names[(full:gsub("/$", ""))]
    if not known then report(path, number, "there is no file " .. target) end
  end
end

local function check(path)
  local number, in_fence, document = 0, false, path:find "%.md$"
  for line in io.lines(path) do
    number = number + 1
    if document and line:find "^%s*```" then in_fence = not in_fence end
    if length_of(line) > MOST and not (document and may_be_long(line, in_fence)) then
      report(path, number, ("%d characters, at most %d"):format(length_of(line), MOST))
    end
    if document and not in_fence and path ~= "CHANGELOG.md" then check_names(path, number, line) end
  end
end

for _, path in ipairs(tracked) do
  if SOURCE[path:match "%.(%l+)$"] then check(path) end
end
for _, line in ipairs(found) do print(line) end
os.exit(#found == 0 and 0 or 1)
