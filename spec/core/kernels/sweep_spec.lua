-- Every kernel, over 2 x 65,536 + 1,025 rows: in long vectors and in short ones, with nulls and without, filtered, with
-- constants; the same on every instruction set, and whatever memory held before. The children are of this build: with
-- SAN=address each scratch array has an end that nothing may pass. What runs is in spec/support/sweep.lua.
local interpreter = "build/luajit/src/luajit"

-- A child that runs meanwhile.
local function start(environment)
  return assert(io.popen(("%s %s spec/support/sweep.lua 2>&1"):format(environment, interpreter)))
end

local function finish(child)
  local lines = {}
  for line in child:lines() do lines[#lines + 1] = line end
  child:close()
  return lines, table.remove(lines) or ""
end

describe("every kernel", function()
  local lines, best

  it("gives the same in long vectors and in short ones", function()
    local last
    lines, last = finish(start "MM_ISA=")
    best = last:match "^(%w+): %d+ kernels$"
    assert.truthy(best, (lines[#lines] or "") .. "\n" .. last)
    assert.is_true(#lines > 4500, last)
  end)

  it("gives the same on every instruction set, and whatever memory held before", function()
    local children = {}
    for _, set in ipairs { "base", "avx2", "avx512" } do -- from the plainest to the best
      if set == best and set ~= "base" then break end
      children[set] = start(("MM_FILL=0xa7 MM_ISA=%s"):format(set))
      if set == best then break end
    end
    for set, child in pairs(children) do
      local others, last = finish(child)
      assert.equal(set, last:match "^(%w+): %d+ kernels$", (others[#others] or "") .. "\n" .. last)
      for i, line in ipairs(lines) do
        if line ~= others[i] then assert.equal(line, others[i], set) end
      end
      assert.equal(#lines, #others)
    end
  end)
end)
