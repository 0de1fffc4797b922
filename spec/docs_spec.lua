-- Every command shown in the documents is run, and prints what is shown.
package.path = "./docs/?.lua;" .. package.path
local examples = require "examples"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local root = io.popen("pwd"):read "*l"
local build = root .. "/" .. (os.getenv "MM_BUILD" or "build")

for _, name in ipairs { "README.md", "docs/guide.md" } do
  describe(name, function()
    local _, list = examples.run(read(name), build, root)
    it("has examples", function() assert.is_true(#list > 0) end)
    for i, example in ipairs(list) do
      it(("example %d: %s"):format(i, example.command), function() assert.equal(example.expected, example.got) end)
    end
  end)
end
