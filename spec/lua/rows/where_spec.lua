-- where with a row function: keeps the rows for which it returns neither nil nor false, with every column and the rows'
-- numbers.
local columns = require "columns"
local native = require "moonmill.base.ffi"
local rowfn = require "rowfn"
local null = columns.null

local function fields(n)
  return {
    { "x", "i64", function(i) return i end, n = n },
    { "s", "utf8", function(i) return i % 4 == 0 and null or "s" .. i end, true, n = n },
    { "b", "bool", function(i) return i % 3 == 0 end, n = n },
    { "d", "i8", function(i) return i % 5 == 0 and null or i % 100 end, true, n = n },
  }
end

local function check(n, keep, options)
  local out = assert(rowfn.where(fields(n), keep, options))
  local at = 0
  for i = 1, n do
    local s, d = i % 4 ~= 0 and "s" .. i or null, i % 5 ~= 0 and i % 100 or null
    if keep { x = i, s = s ~= null and s or nil, b = i % 3 == 0, d = d ~= null and d or nil } then
      at = at + 1
      assert(out.x[at] == i and out.s[at] == s and out.b[at] == (i % 3 == 0) and out.d[at] == d,
        ("row %d, from %d"):format(at, i))
    end
  end
  assert.are.equal(at, #(out.x or {}))
end

describe("where with a function", function()
  for _, n in ipairs { 0, 1, 63, 64, 65, 1023, 1024, 1025, 2047, 2048, 2049, 65537 } do
    it(("keeps rows of %d"):format(n), function()
      check(n, function(r) return r.x % 3 ~= 1 end, { batch_rows = 64 })
      check(n, function(r) return r.s and r.d end)
    end)
  end

  it("keeps all rows and none", function()
    check(1000, function() return true end)
    check(1000, function() return false end)
    check(1000, function() return nil end)
  end)

  it("takes anything but nil and false as a yes, as Lua does", function()
    local out = assert(rowfn.where(fields(4), function(r)
      if r.x == 1 then return 0 elseif r.x == 2 then return "" elseif r.x == 3 then return nil end
      return {}
    end))
    assert.are.same({ 1, 2, 4 }, out.x)
  end)

  it("gives the same with any number of threads and any size of a batch", function()
    local function odd(r) return math.random() < 0.5 end -- luacheck: ignore
    local one = assert(rowfn.where(fields(150000), odd, { threads = 1, seed = 3 }))
    local four = assert(rowfn.where(fields(150000), odd, { threads = 4, batch_rows = 128, rows = 5000, seed = 3 }))
    assert.are.equal(#one.x, #four.x)
    for i = 1, #one.x do assert(one.x[i] == four.x[i], i) end
    local other = assert(rowfn.where(fields(150000), odd, { seed = 4 }))
    assert.are_not.equal(#one.x, #other.x)
  end)

  it("tells the input's row of an error that a later stage meets", function()
    local source = columns.table(fields(1000))
    local first = rowfn.stage(source, "where", {}, function(r) return r.x % 10 == 0 end)
    local second = rowfn.stage(source, "where", {}, function(r)
      if r.x >= 500 then error("here") end
      return true
    end)
    local failure = rowfn.failure(columns.run(source, { first, second }, { batch_rows = 64 }))
    assert.are.equal(499, failure.row)
    assert.are.equal(1, failure.stage)
  end)

  it("hands on the rows before an error", function()
    local source = columns.table(fields(1000))
    local stage = rowfn.stage(source, "where", {}, function(r)
      if r.x == 700 then error("too far") end
      return r.x % 2 == 0
    end)
    local err = require("ffi").new "mm_error"
    local out, schema = columns.run(source, { stage, native.C.mm_stage_limit(100, nil, 0, nil, 0, err) },
      { threads = 1 })
    assert(out, schema)
    assert.are.equal(200, out.x[100])
  end)
end)
