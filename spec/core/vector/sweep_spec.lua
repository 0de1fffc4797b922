-- Every kernel, over 2 x 65,536 + 1,025 rows: in long vectors and in short ones, with nulls and without, filtered, with
-- constants; the same on every instruction set, and whatever memory held before. The children are of this build: with
-- SAN=address each scratch array has an end that nothing may pass. What runs is in spec/sweep.lua.
local interpreter = "build/luajit/src/luajit"

-- The lines of a child, which runs meanwhile.
local function start(environment)
  return assert(io.popen(("%s %s spec/sweep.lua 2>&1"):format(environment, interpreter)))
end

local function finish(child)
  local lines = {}
  for line in child:lines() do lines[#lines + 1] = line end
  child:close()
  return lines, table.remove(lines) or ""
end

local sets = { "base", "avx2", "avx512" } -- from the plainest to the best

describe("every kernel", function()
  local filled = start "MM_ISA= MM_FILL=0xa7"
  local lines, last = finish(start "MM_ISA=")
  local best = last:match "^(%w+): %d+ kernels$"

  it("gives the same in long vectors and in short ones", function()
    assert.truthy(best, (lines[#lines] or "") .. "\n" .. last)
    assert.is_true(#lines > 4000, last)
  end)

  it("gives the same whatever memory held before", function()
    local others, name = finish(filled)
    assert.equal(last, name)
    for i, line in ipairs(lines) do
      if line ~= others[i] then assert.equal(line, others[i]) end
    end
  end)

  it("gives the same on every instruction set", function()
    local children = {}
    for _, set in ipairs(sets) do
      if set == best then break end
      children[set] = start("MM_ISA=" .. set)
    end
    for set, other in pairs(children) do
      local others, name = finish(other)
      assert.equal(set, name:match "^%w+", (others[#others] or "") .. "\n" .. name)
      for i, line in ipairs(lines) do
        if line ~= others[i] then assert.equal(line, others[i], set) end
      end
      assert.equal(#lines, #others)
    end
  end)
end)
