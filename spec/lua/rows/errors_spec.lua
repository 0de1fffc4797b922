-- Errors in row functions: the script's line, the input's row, always the lowest one.
local columns = require "columns"
local rowfn = require "rowfn"
local null = columns.null

local numbers = { { "price", "f64", function(i) return i end, n = 1000 },
  { "name", "utf8", function(i) return i % 2 == 0 and null or "n" end, true, n = 1000 } }

local function fails(fn, options) return rowfn.failure(rowfn.map(numbers, "y: f64?", fn, options)) end

local function at_line(line, text) return ("spec/lua/rows/errors_spec.lua:%d: %s"):format(line, text) end

describe("an error in a row function", function()
  it("names the line and the row", function()
    local line = rowfn.line() + 2
    local failure = fails(function(r)
      if r.price == 777 then error("no sevens") end
      return 1
    end)
    assert.are.equal(at_line(line, "no sevens"), failure.message)
    assert.are.equal(776, failure.row)
    assert.are.equal(-5, failure.code)
    assert.are.equal("script", failure.id)
    assert.are.equal(7, failure.place)
  end)

  it("is the lowest row's, with any number of threads", function()
    for _, threads in ipairs { 1, 2, 4 } do
      local out, err = rowfn.map({ { "x", "i64", function(i) return i end, n = 300000 } }, "y: f64", function(r)
        if r.x % 70001 == 0 then error("here") end
        return 1
      end, { threads = threads, batch_rows = 1024, rows = 10000 })
      assert.are.equal(70000, rowfn.failure(out, err).row)
    end
  end)

  it("names the line of nil arithmetic", function()
    local line = rowfn.line() + 1
    local failure = fails(function(r) return #r.name end)
    assert(failure.message:find(at_line(line, "attempt to get length of"), 1, true), failure.message)
    assert.are.equal(1, failure.row)
  end)

  it("is found beneath deep recursion", function()
    local function deep(n) return n == 0 and error("down here") or 1 + deep(n - 1) end
    local failure = fails(function(r) return r.price == 5 and deep(200) or 1 end)
    assert.are.equal(4, failure.row)
    assert(failure.message:find "down here", failure.message)
  end)

  it("is found when the stack overflows", function()
    local function endless(n) return 1 + endless(n + 1) end
    local failure = fails(function(r) return r.price == 5 and endless(1) or 1 end)
    assert.are.equal(4, failure.row)
    assert(failure.message:find "stack overflow", failure.message)
  end)

  it("is found inside a coroutine", function()
    local failure = fails(function(r)
      local step = coroutine.wrap(function() if r.price == 3 then error("within") end coroutine.yield(1) end)
      return step()
    end)
    assert.are.equal(2, failure.row)
    assert(failure.message:find "within", failure.message)
  end)

  it("may be a table that turns into text, or one that does not", function()
    local failure = fails(function() error(setmetatable({}, { __tostring = function() return "as text" end })) end)
    assert.are.equal("as text", failure.message)
    failure = fails(function() error({}) end)
    assert.are.equal("the error is a table, not a text", failure.message)
  end)

  it("that the function catches itself is none", function()
    local out = assert(rowfn.map(numbers, "y: f64?", function(r)
      local ok, value = pcall(function() return #r.name end)
      return ok and value or nil
    end))
    assert.are.equal(1, out.y[1])
    assert.are.equal(null, out.y[2])
  end)

  it("keeps its long text within bounds", function()
    local failure = fails(function() error(("ä"):rep(1000), 0) end)
    assert.are.equal("...", failure.message:sub(-3))
    assert(#failure.message < 512)
  end)
end)

describe("a row", function()
  it("refuses an unknown column with a suggestion, at the line of the function", function()
    local name, line = "prize", rowfn.line() + 1
    local failure = fails(function(r) return r[name] end)
    assert.are.equal(at_line(line, "there is no column 'prize'"), failure.message)
    assert.are.equal('did you mean "price"?', failure.hint)
  end)

  it("refuses an unknown column of r:i64", function()
    local line = rowfn.line() + 1
    local failure = fails(function(r) return tonumber(r:i64 "prices") end)
    assert.are.equal(at_line(line, "there is no column 'prices'"), failure.message)
    assert.are.equal('did you mean "price"?', failure.hint)
  end)

  it("refuses r:i64 of a column that is no integer", function()
    local line = rowfn.line() + 1
    local failure = fails(function(r) return tonumber(r:i64 "price") end)
    assert.are.equal(at_line(line, "column 'price' is f64, not an integer"), failure.message)
  end)

  it("cannot be assigned to", function()
    local line = rowfn.line() + 1
    local failure = fails(function(r) r.price = 5 return 1 end)
    assert.are.equal(at_line(line, "a row is read-only: r.price cannot be assigned"), failure.message)
  end)

  it("cannot be walked", function()
    local failure = fails(function(r) for _ in pairs(r) do end return 1 end)
    assert(failure.message:find("a row cannot be walked", 1, true), failure.message)
  end)

  it("cannot be read after its function has returned", function()
    local kept, line = {}, rowfn.line() + 3
    local function keep(list, r) rawset(list, "r", list.r or r) end
    local failure = fails(function(r)
      if kept.r then return kept.r.price end
      keep(kept, r)
      return 1
    end)
    assert.are.equal(1, failure.row)
    assert.are.equal(at_line(line, "a row is only valid while its function runs; this one was kept"), failure.message)
  end)
end)

describe("parameters", function()
  it("refuse an unknown name with a suggestion", function()
    local line = rowfn.line() + 1
    local failure = fails(function(_, p) return p.limits end, { params = { limit = 1 } })
    assert.are.equal(at_line(line, "there is no parameter 'limits'"), failure.message)
    assert.are.equal('did you mean "limit"?', failure.hint)
  end)

  it("cannot be assigned to", function()
    local failure = fails(function(_, p) p.limit = 2 return 1 end, { params = { limit = 1 } })
    assert(failure.message:find("p.limit cannot be assigned", 1, true), failure.message)
  end)
end)
