-- Every instruction set gives the same bits: random programs are run by child processes under MM_ISA.
local interpreter = "build/luajit/src/luajit"
local PROGRAMS = 60

local function run(isa, seed)
  local child = assert(io.popen(("MM_ISA=%s %s spec/random_programs.lua %d %d 2>&1"):format(isa, interpreter, seed,
    PROGRAMS)))
  local output = child:read "*a"
  child:close()
  local name, rest = output:match "^(%w+) (%d+ rows.*)\n$"
  return name or output, rest
end

describe("instruction sets", function()
  local seed = os.time() % 1000000 + 1
  it(("give the same on %d random programs, seed %d"):format(PROGRAMS, seed), function()
    for _, s in ipairs { 1, seed } do
      local name, best = run("", s)
      assert.truthy(best, name)
      for _, isa in ipairs { "base", "avx2", "avx512" } do
        local used, result = run(isa, s)
        assert.equal(best, result, ("%s (asked for %s), seed %d"):format(used, isa, s))
      end
    end
  end)

  it("are limited by MM_ISA", function() assert.equal("base", (run("base", 1))) end)
end)
