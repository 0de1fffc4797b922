-- The linked LuaJIT computes what it should: the cases of moonmill doctor, and random expressions with a new seed each
-- time.
local miscompilations = require "moonmill.doctor.miscompilations"
local differential = require "moonmill.doctor.differential"
local doctor = require "moonmill.doctor.diagnosis"

describe("LuaJIT", function()
  for _, case in ipairs(miscompilations) do
    it(("compiles %s correctly"):format(case.name), function()
      local ok, seen = case.run()
      assert(ok, seen)
    end)
  end

  it("computes random expressions alike, interpreted and compiled", function()
    local seed = os.time() % 2147483646 + 1
    local wrong = differential.run(seed, 1000)
    assert(#wrong == 0, ("seed %d: %s"):format(seed, wrong[1]))
  end)
end)

describe("doctor", function()
  it("finds this build sound and says what it is made of", function()
    local lines = {}
    local out = { write = function(_, text) lines[#lines + 1] = text end }
    assert.are.equal(0, doctor.run(out))
    local text = table.concat(lines)
    assert.is_nil(text:find "FAIL")
    for _, word in ipairs { "u32 to i64", "endless loops", "LuaJIT", "kernels", "huge pages", "libzstd" } do
      assert(text:find(word, 1, true), word)
    end
  end)

  it("reports a case that fails, with what it means and what was seen", function()
    local lines = {}
    table.insert(miscompilations, 1, { name = "made up", means = "two and two are five",
      run = function() return false, "5" end })
    local code = doctor.run { write = function(_, text) lines[#lines + 1] = text end }
    table.remove(miscompilations, 1)
    assert.are.equal(70, code)
    assert.are.equal("FAIL  made up                two and two are five: 5\n", lines[1])
  end)
end)
