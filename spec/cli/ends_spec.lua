-- Values at the ends of their types on the command line: options and parameters are taken or refused in one line, with
-- the exit code that says which.
local command = require "command"

local NUMBERS = { "nan", "-nan", "inf", "-inf", "1e308", "1e300", "9223372036854775808", "-9223372036854775808",
  "9007199254740993", "5e-324", "0", "-1", "", "x" }

describe("values at the ends of their types", function()
  local folder = command.folder()
  local path = folder:write("t.csv", "a,k\n1,x\n2,x\n3,y\n")
  teardown(function() folder:remove() end)

  -- Exit code; what is refused is refused in one line, perhaps with a hint.
  local function run(...)
    local code, out, err = command.run { ... }
    local about = table.concat({ ... }, " ") .. ": " .. err
    assert(code == 0 or code == 2, about)
    if code == 2 then
      assert.truthy(err:find "^[^\n]*error%[[%w-]+%][^\n]*\n", about)
      assert(not err:find "e%+%d", about) -- the number as it was given
    else
      assert.equal("", err, about)
    end
    return code, out
  end

  it("are no share of quantile", function()
    local pipeline = 'mm.pipeline { params = { "q: f64 = 0.5" } } :group("k", "v = quantile(a, p.q)")'
    for _, q in ipairs(NUMBERS) do
      local code = run("run", "-p", "q=" .. q, "-e", pipeline, path)
      assert.equal((q == "0" or q == "5e-324") and 0 or 2, code, q)
    end
    local _, out = run("run", "-p", "q=1", "-e", pipeline, path)
    assert.equal("k,v\nx,2.0\ny,3.0\n", out)
  end)

  it("are no number of threads, unless there can be as many", function()
    for _, n in ipairs(NUMBERS) do
      assert.equal(2, (run("run", "--threads=" .. n, "-e", ":limit(1)", path)), n)
    end
    for _, n in ipairs { "1", "2147483647" } do
      assert.equal(0, (run("run", "--threads=" .. n, "-e", ":limit(1)", path)), n)
    end
  end)

  it("are no number of rows of head, unless there can be as many", function()
    for _, n in ipairs(NUMBERS) do
      local fits = n == "0" or tonumber(n) == 2 ^ 53 -- 2^53 + 1 is no double
      assert.equal(fits and 0 or 2, (run("head", "-n" .. n, path)), n)
    end
    local code, out = run("head", "-n", "9007199254740992", path)
    assert.equal(0, code)
    assert.equal("a,k\n1,x\n2,x\n3,y\n", out)
  end)

  it("are a timeout when they are not negative", function()
    for _, n in ipairs { "inf", "1e308", "1e300", "9223372036854775808" } do
      assert.equal(0, (run("run", "--timeout=" .. n, "-e", ":limit(1)", path)), n)
    end
    for _, n in ipairs { "nan", "-inf", "-1", "", "x" } do
      assert.equal(2, (run("run", "--timeout=" .. n, "-e", ":limit(1)", path)), n)
    end
  end)
end)

describe("an instruction set that is not known", function()
  it("is refused in one line that lists those there are", function()
    for _, name in ipairs { "bogus", "AVX2", "avx5120", " " } do
      local code, out, err = command.run({ "version" }, { prefix = ("MM_ISA='%s'"):format(name) })
      assert.equal(2, code)
      assert.equal("", out)
      local line = 'error%%[bad%%-isa%%]: MM_ISA is "%s", expected base[%%w, ]*'
      assert.truthy(err:find(("^" .. line .. "\n  hint: [^\n]*\n$"):format(name)), err)
    end
  end)
end)
