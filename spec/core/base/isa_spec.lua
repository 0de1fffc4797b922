-- Every instruction set gives the same bits: random programs are run by child processes under MM_ISA. One that is not
-- known, or lacks what it is built with, is not used.
local interpreter = "build/luajit/src/luajit"
local PROGRAMS = 60

local function run(isa, seed)
  local child = assert(io.popen(("MM_ISA=%s %s spec/support/random_programs.lua %d %d 2>&1")
    :format(isa, interpreter, seed, PROGRAMS)))
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
        assert.equal(isa, used)
        assert.equal(best, result, ("%s, seed %d"):format(isa, s))
        if isa == name then break end -- this machine has no other
      end
    end
  end)

  it("are limited by MM_ISA", function() assert.equal("base", (run("base", 1))) end)

  it("that are not known are refused where programs and jobs are made", function()
    local script = os.tmpname()
    local file = assert(io.open(script, "w"))
    file:write [[
      package.path = "./spec/support/?.lua;./lua/?.lua;" .. package.path
      local ffi = require "ffi"
      local C = require("moonmill.base.ffi").C
      local err, out = ffi.new "mm_error", ffi.new "mm_program *[1]"
      local function show(status) print(status, ffi.string(err.id), ffi.string(err.message)) end
      show(C.mm_isa_check(err))
      err = ffi.new "mm_error"
      show(C.mm_program_new(nil, 0, nil, 0, nil, 0, nil, 0, 0, out, err))
      err = ffi.new "mm_error"
      local t = require("columns").table { { "a", "i64", { 1 } } }
      show(C.mm_job_new(C.mm_source_table(t, err), nil, err) == nil and err.code or 0)
    ]]
    file:close()
    local child = assert(io.popen(("MM_ISA=sse9 %s %s 2>&1"):format(interpreter, script)))
    local output = child:read "*a"
    child:close()
    os.remove(script)
    local line = '-2\tbad%-isa\tMM_ISA is "sse9", expected base[%w, ]*\n'
    assert.truthy(output:match("^" .. line:gsub("^%-", "%%-"):rep(3) .. "$"), output)
  end)

  it("are asked for every feature that the Makefile builds them with", function()
    local function text(path)
      local file = assert(io.open(path))
      local all = file:read "*a"
      file:close()
      return all
    end
    local makefile, header, source = text "Makefile", text "core/base/cpu.h", text "core/base/cpu_features.isa.c"
    local known = { lzcnt = header:find "FEATURE_LZCNT" and "LZCNT" or nil }
    local list = header:match "#define CPU_FEATURES%b()(.-\n)#"
    for macro, name in list:gmatch "X%((%w+), (%w+)%)" do known[name] = macro end
    local flags = 0
    for line in makefile:gmatch "\nISA_%w+%s*:=([^\n]*)" do
      for flag in line:gmatch "%-m([%w.]+)" do
        flags = flags + 1
        local macro = known[flag]
        assert.truthy(flag == "prefer" or macro, flag .. " is in the Makefile, not in CPU_FEATURES")
        if macro then assert.truthy(source:find(("#ifdef __%s__\n[^\n]*FEATURE_%s\n"):format(macro, macro)), macro) end
      end
    end
    assert.is_true(flags >= 12)
  end)
end)
