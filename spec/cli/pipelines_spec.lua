-- Every pipeline in pipelines/ runs over the sample, and gives the same bytes at one thread and at two; every function
-- of a module there is called.
local command = require "command"

local DATA = "pipelines/data/flights.csv.zst"

-- The pipelines, and the modules.
local function listed()
  local code, out = command.run { "list" }
  assert(code == 0)
  local list, modules = {}, {}
  for path, about in out:gmatch "(pipelines/[%w_]+%.lua)%s+([^\n]*)" do
    local kind = about:find "^%(module%)" and modules or list
    kind[#kind + 1] = path
  end
  return list, modules
end

-- Arguments for each function of the modules, and what it gives.
local CALLS = {
  ["pipelines/brighten.lua"] = {
    brighten = { { "10,100,250", "1.2" }, "12,120,255\n" },
    light = { { "10,20,30,20" }, "20.0\n7.0710678118654755\n" },
    histogram = { { "1,3,3" }, "0,1,0,2" .. (",0"):rep(252) .. "\n" },
  },
}

local function run(path, threads)
  local code, out, err = command.run { "run", path, DATA, "--threads", threads }
  assert.equal("", err)
  assert.equal(0, code)
  return out
end

describe("the pipelines of the project", function()
  local list, modules = listed()
  it("are there", function() assert.is_true(#list >= 8) end)

  for _, path in ipairs(list) do
    it(("%s runs over the sample, the same at any number of threads"):format(path), function()
      local out = run(path, "1")
      assert.is_true(select(2, out:gsub("\n", "")) > 1)
      assert.equal(out, run(path, "2"))
    end)

    it(("%s says what it is for"):format(path), function()
      local _, out = command.run { "info", path }
      assert.matches("^[^\n]+: %S[^\n]+\n", out)
    end)
  end

  for _, path in ipairs(modules) do
    it(("%s has functions that give what is expected"):format(path), function()
      local _, out = command.run { "call", path }
      local count = 0
      for name in out:gmatch "\n  ([%w_]+)%(" do
        local case = assert(CALLS[path] and CALLS[path][name], name .. " has no case here")
        count = count + 1
        assert.same({ 0, case[2], "" }, { command.run { "call", path, name, unpack(case[1]) } }, name)
      end
      assert.is_true(count > 0)
      assert.matches("^[^\n]+: %S[^\n]+\n", out)
    end)
  end

  it("give these answers", function()
    assert.equal([[
carrier,flights,delay,gained,fastest
EV,3964,25.160191725529767,-0.9967204843592331,447.9310344827586
9E,1480,10.207432432432432,6.370945945945946,456.0
MQ,2203,7.883794825238311,-1.383567862006355,443.8834951456311
B6,4413,4.717199184228416,4.734421028778609,535.6424581005587
UA,4590,3.175599128540305,5.142483660130719,524.3478260869565
US,1554,1.4311454311454312,0.39253539253539255,486.615969581749
AA,2724,0.9823788546255506,5.987518355359765,541.6949152542372
DL,3655,-4.404651162790698,8.191792065663474,591.4285714285714
]], run("pipelines/delays.lua", "2"))
    assert.equal([[
origin,flights,cancelled,mean,lower,median,upper,worst
EWR,9893,2.4,12.8,-12.0,0.0,21.0,1109.0
JFK,9161,1.1,1.4,-18.0,-7.0,9.0,1272.0
LGA,7950,2.3,3.4,-15.0,-4.0,10.0,486.0
]], run("pipelines/summarize.lua", "2"))
  end)
end)
