-- The questions of queries.txt: answers equal to those stored, which were stored when duckdb and polars agreed;
-- and side by side with both where they are installed (`make bench` installs them).
local build = os.getenv "MM_BUILD" or "build"
local year = "build/data/flights-2013.csv"
local python = "build/venv/bin/python"

local function read(path)
  local file = io.open(path)
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local function questions()
  local list = {}
  local text = read("spec/peers/queries.txt"):gsub("#[^\n]*\n", "")
  for block in (text .. "\n\n"):gmatch "(.-)\n\n+" do
    local name, chain = block:match "^%s*([^\n]+)\nmoonmill ([^\n]+)"
    if name then list[#list + 1] = { name = name, chain = chain } end
  end
  return list
end

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function check_stored(data, answers_path)
  local stored = {}
  for line in assert(read(answers_path), "no " .. answers_path):gmatch "[^\n]+" do
    local name, rows, md5 = line:match "^(.-)\t(%d+)\t(%x+)$"
    stored[name] = { rows = tonumber(rows), md5 = md5 }
  end
  for _, question in ipairs(questions()) do
    it(question.name, function()
      local file = os.tmpname()
      local status = os.execute(("%s/moonmill run -e %s %s > %s"):format(build, quoted(question.chain), data, file))
      assert.is_true(status == 0 or status == true)
      local answer = assert(stored[question.name], "no stored answer")
      local _, lines = read(file):gsub("\n", "")
      assert.equal(answer.rows, lines - 1)
      assert.equal(answer.md5, output("md5sum " .. file):match "^%x+")
      os.remove(file)
    end)
  end
end

describe("answers over a month of flights are those stored:", function()
  check_stored("pipelines/data/flights.csv.zst", "spec/peers/answers-month.txt")
end)

if read(year) then
  describe("answers over the year are those stored:", function() check_stored(year, "spec/peers/answers-year.txt") end)
end

if read(year) and os.execute(python .. " -c 'import polars, duckdb' 2>/dev/null") == 0 then
  it("answers over the year equal those of duckdb and polars", function()
    local text = output(("%s spec/peers/peers.py %s/moonmill %s 2>&1"):format(python, build, year))
    assert.truthy(text:find "answers compared, 0 differ\n", text)
  end)
end
