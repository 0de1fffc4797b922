-- Row functions as vector programs: what becomes one, what not and why, and that nobody can tell the difference.
local ffi = require "ffi"
local files = require "files"
local pipelines = require "pipelines"
local columns = require "columns"
local native = require "moonmill.base.ffi"
local random = require "random_rows"
local rowfn = require "rowfn"
local vector = require "moonmill.rows.vector.vectorise"

local C, null = native.C, columns.null
local nan = 0 / 0

local fields = random.fields(300)
local source = columns.table(fields)

local function inputs_of(list)
  local inputs = {}
  for i, field in ipairs(list) do inputs[i] = { name = field[1], type = field[2], nullable = field[4] or false } end
  return inputs
end

local function vectorise(fn, outputs, kind, list)
  return vector(fn, { kind = kind or "map", inputs = inputs_of(list or fields),
    outputs = rowfn.outputs(outputs), params = random.params })
end

-- The same as the loop, and made a program.
local function same(outputs, fn)
  local made, why = vectorise(fn, outputs)
  assert.truthy(made, why and why.reason)
  local _, _, vectorised = rowfn.run(source, "map", rowfn.outputs(outputs), fn, { params = random.params })
  assert.is_true(vectorised)
end

local function reason(fn, outputs)
  local made, why = vectorise(fn, outputs or "y: f64")
  assert.is_nil(made)
  return why.reason
end

describe("a row function becomes a vector program", function()
  it("with arithmetic, modulo, powers and signs of zero", function()
    same("y: f64", function(r) return r.a * 2 + 1 end)
    same("y: f64, z: f64, w: f64", function(r) return r.a % r.b, r.a % -3, 7 % r.c end)
    same("y: f64, z: f64, w: f64", function(r) return r.b ^ 3, r.a ^ 0.5, 2 ^ r.c end)
    same("y: f64, z: f64", function(r) return -r.a * 0, 1 / -r.b end)
  end)

  it("with branches, `and`, `or` and values that are nil in some rows", function()
    same("y: f64", function(r) if r.a > 1 then return r.a * 3 elseif r.a > 0.2 then return r.a + 7 end return -r.a end)
    same("y: f64", function(r) return (r.x or 0) * (r.q or 1) end)
    same("y: f64?", function(r) return r.x and r.x > 0 and r.x or nil end)
    same("y: f64?", function(r)
      local best
      if r.x then best = r.x end
      if r.q and (not best or r.q > best) then best = r.q end
      return best
    end)
    same("y: bool, z: bool?", function(r) return r.t ~= r.m, r.m end)
    same("y: f64", function(r) return r.a >= r.b and 1 or r.a <= r.b and 2 or 3 end)
  end)

  it("with text: constants, columns, order, equality, length, joining", function()
    same("y: utf8", function(r) if r.a > 0.5 then return "very" elseif r.a > 0 then return "a bit" end return "no" end)
    same("y: utf8, z: utf8?", function(r) return r.s or r.k, r.s end)
    same("y: bool, z: bool", function(r) return r.k < "b", r.s == "basic" end)
    same("y: i64, z: utf8", function(r) return #r.k, r.k .. "/" .. (r.s or "-") end)
    same("y: binary", function(r) return r.k end)
    same("y: utf8?, z: utf8", function(r) return r.a > 9e99 and "null" or nil, r.t and "nil" or "null" end)
  end)

  it("with integers, dates and booleans in and out", function()
    same("y: i32, z: i64, w: u8", function(r) return r.d + 1, r.d * 1000, r.u end)
    same("y: date, z: timestamp, w: duration?", function(r) return r.d, r.d * 86400, r.i end)
    same("y: f32, z: f64", function(r) return r.f * 2, r.f end)
    same("y: i16?", function(r) return r.t and r.u - 128 or nil end)
    same("y: bool", function(r) return r.t end)
  end)

  it("with functions of math, also under other names", function()
    local mm, floor = math, math.floor
    same("y: f64, z: f64, w: f64", function(r) return mm.floor(r.a), floor(r.b + 0.5), math.ceil(r.a) end)
    same("y: f64, z: f64, w: f64", function(r) return math.min(r.a, r.b, 0), math.max(r.a, r.b), math.max(0, -r.c) end)
    same("y: f64, z: f64, w: f64", function(r) return math.sqrt(r.a), math.abs(r.b), math.exp(r.a) end)
    same("y: f64, z: f64, w: f64", function(r) return math.log(r.u), math.log10(r.u), math.sin(r.a) end)
    same("y: f64, z: f64, w: f64", function(r) return math.atan2(r.a, r.b), math.deg(r.a), math.rad(r.b) end)
    same("y: f64, z: f64", function(r) return math.pow(r.a, 3), r.a < math.huge and math.pi or 0 end)
    same("y: f64", function(r) return r.a > 0 and math.log(r.a) or math.tanh(r.a) end)
  end)

  it("with parameters and captured values, tables of them, and keys that rows give", function()
    local rates, names = { low = 0.5, high = 2, a = -0.0 }, { "one", "two", nil, "four" }
    same("y: f64", function(r, p) return r.a * p.rate + p.zero end)
    same("y: utf8", function(r, p) return p.flag and p.name or r.k end)
    same("y: f64", function(r) return r.a > 0 and rates.high or rates["low"] end)
    same("y: f64, z: utf8?", function(r) return rates[r.k] or 7, names[r.u % 6] end)
    same("y: f64", function(r) return rates[r.s] or rates[r.t and "low"] or 1 end)
    same("y: i64, z: utf8, w: f64", function(r, p) return #names, "v" .. 1.5 .. p.rate .. r.k, tonumber(r.a) end)
  end)

  it("with functions that it calls", function()
    local function clip(x, low, high) return x < low and low or x > high and high or x end
    local function both(x) if x > 0 then return x, "plus" end return -x, "minus" end
    local function rest(...) return ... end
    same("y: f64", function(r) return clip(r.a, -1, 1) + clip(r.b, 0, clip(r.c, 0, 2)) end)
    same("y: f64, z: utf8", function(r) return both(r.a) end)
    same("y: f64", function(r, p) return clip(r.a, p.neg, (both(r.b))) end)
    assert.equal("it takes any number of arguments", reason(function(r) return rest(r.a) end))
  end)

  it("with error and assert where they are not reached", function()
    same("y: f64", function(r)
      if r.d < -5000 then error("too early") end
      return r.a
    end)
    -- busted has another assert
    local plain = "return function(r) return assert(r.a, 'no a'), (assert(r.x ~= 1e99)) end"
    same("y: f64, z: bool", loadstring(plain)())
    same("y: utf8", function(r) return type(r.x) .. type(r.m) .. type(r.k) end)
  end)

  it("of a size that grows with its text only", function()
    local lines = { "local x, s = r.u, r.k" }
    for i = 1, 30 do lines[i + 1] = "if r.a > " .. i .. " then x = x + x s = s else x = x - x end" end
    same("y: f64, z: utf8", loadstring("return function(r) " .. table.concat(lines, " ") .. " return x, s end")())
  end)

  it("as a predicate", function()
    local function kept(fn)
      assert.truthy(vectorise(fn, "", "where"))
      local _, _, vectorised = rowfn.run(source, "where", {}, fn, { params = random.params })
      assert.is_true(vectorised)
    end
    kept(function(r) return r.a > 0 end)
    kept(function(r) return r.x end)
    kept(function(r) return r.m and r.s ~= "basic" end)
    kept(function() return true end)
    kept(function() end)
    kept(function(r) return 0 > r.d and r.k end)
  end)
end)

describe("a row function stays with LuaJIT", function()
  local shared = setmetatable({}, { __index = function() return 1 end })
  local big = {}
  for i = 1, 9 do big[i] = i end
  local cases = {
    ["it has a loop"] = function(r) local s = 0 for i = 1, 3 do s = s + i * r.a end return s end,
    ["it makes a table"] = function(r) local t = { r.a } return t[1] end,
    ["it makes a function"] = function(r) local f = function() return r.a end return f() end,
    ["it changes a table"] = function(r) big.x = r.a return 1 end,
    ["it calls math.random"] = function() return math.random() end,
    ["it calls tostring"] = function(r) return #tostring(r.a) end,
    ["it calls a method of text"] = function(r) return r.k:byte() end,
    ["it uses shared, a table with a metatable"] = function(r) return shared[r.u] end,
    ["it looks into big, which has more than 8 keys"] = function(r) return big[r.u] end,
    ["it calls math.log with a base"] = function(r) return math.log(r.a, 3) end,
    ["arithmetic on text"] = function(r) return r.k + 1 end,
    ["joining a number"] = function(r) return #(r.k .. r.a) end,
    ["it calls nil"] = function(r) local f if r.a then f = nil end return f(r) end,
    ["it fails for every row"] = function() error("never") end,
    ["result 'y' is text"] = function(r) return r.k end,
  }
  for why, fn in pairs(cases) do
    it("because " .. why, function() assert.equal(why, reason(fn)) end)
  end
  it("because both ways through many branches take longer than one", function()
    local lines = {}
    for i = 1, 90 do lines[i] = "if r.a > " .. i .. " then return r.b * " .. i .. " end" end
    local fn = loadstring("return function(r) " .. table.concat(lines, " ") .. " return 0 end")()
    assert.equal("it has so many branches that a loop is faster", reason(fn))
  end)
  it("and the line is told", function()
    local _, why = vectorise(function(r)
      local x = r.a
      for _ = 1, 2 do x = x * 2 end
      return x
    end, "y: f64")
    assert.equal(rowfn.line() - 3, why.line)
    assert.matches("vectorise_spec.lua$", why.file)
  end)
  it("when it reads exact integers", function()
    assert.equal("it uses r.i64", reason(function(r) return r:i64 "n" end))
  end)
end)

describe("a batch that a vector program cannot answer for", function()
  -- The failure of the loop and of the program: rowfn compares all of it.
  local function fails(message, list, outputs, fn)
    assert.truthy(vectorise(fn, outputs, "map", list))
    for _, batch_rows in ipairs { 64, 1024, 0 } do
      local failure = rowfn.failure(rowfn.run(columns.table(list), "map", rowfn.outputs(outputs), fn,
        { batch_rows = batch_rows }))
      assert.matches(message, failure.message)
      assert.equal(list.row, failure.row)
    end
  end
  local function numbers(n, row, value, name)
    local list = { n = n }
    for i = 1, n do list[i] = i end
    list[row + 1] = value
    return { { name or "x", "f64", list, value == null }, row = row }
  end

  it("fails as the function does, at the same row", function()
    local inc = function(r) return r.x + 1 end
    for _, row in ipairs { 0, 63, 64, 1023, 1024, 2999 } do
      fails("attempt to perform arithmetic on field 'x'", numbers(3000, row, null), "y: f64", inc)
    end
    fails("attempt to compare nil with number", numbers(3000, 1700, null), "y: bool", function(r) return r.x < 1 end)
    fails("'y' is nil", numbers(3000, 1700, null), "y: f64", function(r) return r.x end)
    fails("'y' is 0.5, which is not i32", numbers(3000, 1700, 0.5), "y: i32", function(r) return r.x end)
    fails("'y' is 300, which does not fit u8", { numbers(200, 99, 300)[1], row = 99 }, "y: u8",
      function(r) return r.x end)
    fails("'y' is 18014398509481984, which is not i64", numbers(3000, 5, 2 ^ 54), "y: i64",
      function(r) return r.x end)
    fails("'y' is nan", numbers(3000, 5, nan), "y: i64?", function(r) return r.x end)
    fails("odd", numbers(3000, 5, -1), "y: f64", function(r) if r.x < 0 then error "odd" end return 1 end)
    fails("more than the 1 results", numbers(3000, 77, -1), "y: f64",
      function(r) if r.x < 0 then return 1, 2 end return 1 end)
    fails("cannot hold exactly", { { "x", "i64", { 1LL, 2LL ^ 53 + 1, n = 2 } }, row = 1 }, "y: f64",
      function(r) return r.x end)
  end)

  it("is given to the function, which may have an answer", function()
    local list = { n = 3000 }
    for i = 1, 3000 do list[i] = i % 1000 == 0 and 2LL ^ 53 or 1LL * i end
    local out = assert(rowfn.map({ { "x", "i64", list } }, "y: f64", function(r) return r.x end, { batch_rows = 64 }))
    assert.equal(2 ^ 53, out.y[2000])
    local last = { { "x", "i64", function() return 2LL ^ 53 end, n = 3000 } } -- every batch
    assert.equal(2 ^ 53, assert(rowfn.map(last, "y: f64", function(r) return r.x end, { batch_rows = 64 })).y[3000])
    out = assert(rowfn.map({ { "x", "f64", function(i) return i % 3 end, n = 3000 } }, "y: f64",
      function(r) return r.x == 2 and tostring(r.x) and 7 or 0 end))
    assert.equal(7, out.y[2])
  end)

  it("is one whose columns have nulls that were not declared", function()
    local table_of = columns.table { { "x", "f64", { 1, null, 3 } } }
    table_of.schema.fields[0].nullable = false
    local _, err = rowfn.run(table_of, "map", rowfn.outputs "y: f64", function(r) return r.x end)
    assert.matches("'y' is nil", ffi.string(err.message))
  end)
end)

describe("a NaN as a result", function()
  it("has the same bits from a program, a compiled and an interpreted function", function()
    local list = { n = 2000 }
    for i = 1, 2000 do list[i] = i % 7 == 0 and nan or i % 7 == 1 and -nan or i % 7 == 2 and 1 / 0 or i end
    local input = columns.table { { "x", "f64", list } }
    local function interpreted(r)
      jit.off()
      return r.x - r.x, -r.x
    end
    local function plain(r) return r.x - r.x, -r.x end
    local outputs, seen = rowfn.outputs "y: f64, z: f32", {}
    for i, case in ipairs { { plain, true }, { plain, false }, { interpreted, false } } do
      local stage, err = rowfn.stage(input, "map", outputs, case[1], {}, case[2]), ffi.new "mm_error"
      local locals, out = ffi.new "void *[1]", ffi.new "mm_batch"
      assert(stage.vtable.bind(stage, input.schema, err) >= 0)
      local job = C.mm_job_new(C.mm_source_table(input, err), ffi.new "mm_job_options", err)
      assert(stage.vtable.open(stage, job, locals, err) >= 0)
      assert(stage.vtable.run(stage, locals[0], input.batches[0], out, err) >= 0, ffi.string(err.message))
      seen[i] = ffi.string(ffi.cast("const char *", out.columns[1].data), 8 * 2000)
        .. ffi.string(ffi.cast("const char *", out.columns[2].data), 4 * 2000)
      C.mm_batch_free(out)
      stage.vtable.close(stage, locals[0])
      C.mm_stage_free(stage)
      C.mm_job_free(job)
    end
    assert.is_true(seen[1] == seen[2] and seen[2] == seen[3])
  end)
end)

describe("x ^ 2", function()
  it("is one multiplication for a program, a compiled and an interpreted function, and an expression", function()
    local function x(i) return 1 + i * 1e-5 * math.pi end
    local input = { { "x", "f64", x, n = 3000 }, { "two", "f64", function() return 2 end, n = 3000 } }
    local function plain(r) return r.x ^ 2, r.x ^ r.two end
    local function compiled(r) return r.x ^ #(r.x .. ""):sub(1, 2), r.x ^ r.two end
    local function interpreted(r)
      jit.off()
      return r.x ^ 2, r.x ^ r.two
    end
    for _, fn in ipairs { plain, compiled, interpreted } do
      local out = assert(rowfn.map(input, "y: f64, z: f64", fn))
      for i = 1, 3000 do assert(out.y[i] == x(i) * x(i) and out.z[i] == out.y[i], i) end
    end
    local out = assert(pipelines.over(':derive "y = x ^ 2"', columns.table(input)))
    for i = 1, 3000 do assert(out.y[i] == x(i) * x(i), i) end
  end)
end)

describe("random row functions", function()
  local seed = tonumber(os.getenv "MM_SEED") or os.time() % 1000000
  it(("give the same bits, nulls and errors as loops, seed %d"):format(seed), function()
    assert.is_true(random.check(seed, 25) > 12)
  end)
  for _, isa in ipairs { "base", "avx2" } do
    it(("do so with the instruction set %s"):format(isa), function()
      local run = ([[LUA_PATH="spec/support/?.lua;$LUA_PATH" MM_ISA=%s %s -e 'print(require("random_rows").check(%d, 8),
        require("ffi").string(require("moonmill.base.ffi").C.mm_isa_name()))' 2>&1]])
        :format(isa, files.luajit(), seed + 1)
      local child = assert(io.popen(run))
      local output = child:read "*a"
      child:close()
      local vectorised, used = output:match "^(%d+)%s+(%w+)\n$"
      assert.is_true((tonumber(vectorised) or 0) > 3, output)
      assert.is_true(used == isa or used == "base", output)
    end)
  end
end)

describe("chains with vectorised functions", function()
  it("share the stage's program among threads, and skip Lua where it is not needed", function()
    local input = columns.table({ { "x", "f64", function(i) return i % 1000 end, n = 200000 } }, 8192)
    local chain = ':map("y: f64", function(r) if r.x > 600 then return r.x * 3 end return -r.x end) '
      .. ':where(function(r) return r.y > 2000 end) :group({}, { "s = sum(y)", "n = count()" })'
    local expected = 0
    for i = 1, 200000 do if i % 1000 > 666 then expected = expected + 3 * (i % 1000) end end
    for threads = 1, 4 do
      local out = assert(pipelines.over(chain, input, { threads = threads }))
      assert.equal(expected, out.s[1])
    end
  end)
end)
