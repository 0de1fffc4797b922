-- The command where the system denies executable memory: everything works, without the JIT, and that is said once.
local command = require "command"

local interpreter = arg[-1] or "luajit"
local DENIED = interpreter .. " spec/support/denied.lua"
local known = os.execute(DENIED .. " true 2>/dev/null") == 0

local folder, input
setup(function()
  local rows = { "a,k" }
  for i = 1, 2000 do rows[i + 1] = ("%d,%s"):format(i, i % 2 == 0 and "x" or "y") end
  folder = command.folder()
  input = folder:write("in.csv", table.concat(rows, "\n") .. "\n")
end)
teardown(function() folder:remove() end)

local WARNING = "moonmill: warning: the system denies machine code, so scripts run without JIT, slower\n"

describe("where machine code is denied,", function()
  local function it_can(name, fn)
    it(name, function()
      if os.getenv "MM_DENIED" then return pending "all specs are run there" end
      if not known then return pending "this system cannot deny executable memory to a process" end
      fn()
    end)
  end

  for name, script in pairs {
    ["row functions with loops"] = [[:map("x: f64", function(r)
      local s = 0
      for i = 1, r.a % 50 do s = s + i * 0.5 end
      return s
    end) :group("k", "s = sum(x)")]],
    ["row functions as vector programs"] = ':map("x: f64", function(r) return r.a * 2 end) :group("k", "s = sum(x)")',
    ["expressions"] = ':where "a % 3 == 0" :group("k", "s = sum(a)")',
    ["scripts that loop"] = "local n = 0 for i = 1, 1e5 do n = n + i % 7 end return mm.pipeline {} :limit(n % 10)",
  } do
    it_can(name .. " give what they give elsewhere, and one warning", function()
      local arguments = { "run", "-e", script, input }
      local code, out, err = command.run(arguments, { prefix = DENIED })
      local _, wanted, silent = command.run(arguments)
      assert.same({ 0, wanted, WARNING }, { code, out, err })
      assert.equal("", silent)
    end)
  end

  it_can("errors of row functions are the same", function()
    local arguments = { "run", "-e", ':map("x: f64", function(r) return r.a > 1500 and r.k + 1 or 0 end)', input }
    local code, _, err = command.run(arguments, { prefix = DENIED })
    local wanted, _, text = command.run(arguments)
    assert.same({ wanted, WARNING .. text }, { code, err })
  end)

  it_can("typed functions can be called", function()
    local path = folder:write("f.lua", [[local mm = require "moonmill"
return mm.module { f = mm.fn("n: i64 -> f64", function(n)
  local v, s = mm.array("f64", n), 0
  for i = 0, n - 1 do v[i] = i end
  for i = 0, n - 1 do s = s + v[i] end
  return s
end) }]])
    local code, out = command.run({ "call", path, "f", "1000" }, { prefix = DENIED })
    assert.same({ 0, "499500.0\n" }, { code, out })
  end)

  it_can("endless loops are stopped", function()
    local code = command.run({ "run", "--timeout", "0.2", "-e", ":where(function(r) while r.a do end end)", input },
      { prefix = DENIED })
    assert.equal(4, code)
  end)

  it_can("doctor says so", function()
    local code, out = command.run({ "doctor" }, { prefix = DENIED })
    assert.equal(0, code)
    assert.matches("machine code%s+denied by the system, scripts run without JIT", out)
    local _, elsewhere = command.run { "doctor" }
    assert.matches("machine code%s+can be run", elsewhere)
  end)
end)
