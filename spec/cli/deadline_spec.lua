-- One deadline for the script, the plan, the opening of files and the job: nothing escapes --timeout.
local command = require "command"

-- Scripts that would not end, each in its own way.
local HARD = '("a"):rep(34), ("a?"):rep(34) .. ("a"):rep(34)'
local ENDLESS = {
  ["a loop"] = "while true do end",
  ["loops in protected calls"] = "while true do pcall(function() while true do end end) end",
  ["a loop in a handler of errors"] = "xpcall(function() while true do end end, function() while true do end end)",
  ["a handler that swallows the stop"] = [[
    xpcall(function() while true do end end, function() return 1 end)
    while true do end]],
  ["loops in coroutines"] = "while true do pcall(coroutine.wrap(function() while true do end end)) end",
  ["a pattern that is hard to match"] = "string.find(" .. HARD .. ")",
  ["an error whose text never comes"] =
    "error(setmetatable({}, { __tostring = function() while true do end end }))",
  ["an error whose text is made of itself"] = [[
    local t
    t = setmetatable({}, { __tostring = function() while true do pcall(tostring, t) end end })
    error(t)]],
  ["a finalizer"] = [[
    local ffi = require "ffi"
    ffi.gc(ffi.new "int[1]", function() while true do end end)
    collectgarbage() collectgarbage()
    while true do end]],
  ["a call of C that looks for no hook"] = 'os.execute "exec sleep 8"',
  ["a row function"] = 'return mm.pipeline {} :map("x: f64", function(r) while true do end end)',
  ["a row function within a hard pattern"] =
    "return mm.pipeline {} :map('x: f64', function(r) return string.find(" .. HARD .. ") or 0 end)",
  ["a row function within a call of C"] =
    [[return mm.pipeline {} :map('x: f64', function(r)
      return string.find(('a'):rep(2e6), ('a'):rep(1e6) .. 'b', 1, true) end)]],
}

describe("the deadline of the command", function()
  local folder, data
  setup(function()
    folder = command.folder()
    data = folder:write("t.csv", "a\n1\n2\n")
  end)
  teardown(function() folder:remove() end)

  for name, script in pairs(ENDLESS) do
    it("ends " .. name .. ", without an output", function()
      local out = folder.path .. "/out.csv"
      local code, shown, err = command.run({ "run", "--timeout", "0.3", "-o", out, "-e", script, data },
        { prefix = "timeout -s KILL 5" }) -- 2 s more than the limit at most, and a loaded machine
      assert.equal(4, code, err)
      assert.equal("", shown)
      assert.matches("error%[timeout%]: stopped after 0.3 seconds, as %-%-timeout asked", err)
      assert.is_nil(command.read(out))
      assert.equal("t.csv", folder:names())
    end)
  end

  it("is one moment: what the script took is not given to the job again", function()
    local late = folder.path .. "/late"
    assert(os.execute("mkfifo " .. late) == 0)
    local script = 'os.execute "sleep 0.7" return mm.pipeline {}'
    assert.equal(4, (command.run({ "run", "--timeout", "1", "-e", script, late }, { prefix =
      ("timeout 9 sh -c 'sleep 1.4; cat %s >%s' 2>/dev/null & timeout -s KILL 5"):format(data, late) })))
    os.remove(late)
  end)
end)
