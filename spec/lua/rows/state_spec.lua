-- Hidden state is refused: what a row function counts or collects over rows would depend on threads and batches.
local rowfn = require "rowfn"
local serialize = require "moonmill.rows.serialize"
local inspect = require "moonmill.rows.inspect"

local function refused(fn, what, line)
  local failure = rowfn.refused(fn)
  assert.are.equal("hidden-state", failure.id)
  assert.are.equal("the row function assigns to " .. what, failure.message)
  assert.are.equal(line, failure.line)
  assert(failure.file:find("state_spec.lua", 1, true))
  assert(failure.hint:find "group")
end

local function accepted(fn)
  assert(serialize(fn, { kind = "map", inputs = {}, outputs = {}, params = {}, place = 0, label = "spec:map" }))
end

describe("a row function is refused when it assigns to", function()
  it("a captured variable", function()
    local count, line = 0, rowfn.line() + 2
    refused(function(r)
      count = count + r.x
      return count
    end, "the captured variable 'count'", line)
    local last
    refused(function(r) last = nil return last, r end, "the captured variable 'last'", rowfn.line())
    refused(function() last = "x" end, "the captured variable 'last'", rowfn.line())
    refused(function() last = 5 end, "the captured variable 'last'", rowfn.line())
  end)

  it("a captured variable, in a function inside it", function()
    local count, line = 0, rowfn.line() + 2
    refused(function(r) -- luacheck: ignore
      local add = function() return (function() count = count + 1 end)() end
      return add()
    end, "the captured variable 'count'", line)
  end)

  it("a captured variable, in a function that it calls", function()
    local count = 0
    local line = rowfn.line() + 1
    local function add(x) count = count + x return count end
    refused(function(r) return add(r.x) end, "the captured variable 'count'", line)
  end)

  it("a global", function()
    local line = rowfn.line() + 1
    refused(function(r) total = r.x end, "the global 'total'", line) -- luacheck: ignore
  end)

  it("a field of a captured table", function()
    local seen = { deep = {} }
    refused(function(r) seen[r.x] = true end, "the captured table 'seen'", rowfn.line())
    refused(function() seen.n = 1 end, "the captured table 'seen'", rowfn.line())
    refused(function() seen[1] = 1 end, "the captured table 'seen'", rowfn.line())
    refused(function(r) seen.deep.x = r.x end, "the captured table 'seen.deep'", rowfn.line())
    refused(function(r) local list = seen list[1] = r.x end, "the captured table 'seen'", rowfn.line())
  end)

  it("a field of a library", function()
    refused(function() math.pi = 3 end, "the captured table 'math'", rowfn.line()) -- luacheck: ignore
  end)
end)

describe("a row function is accepted when it", function()
  it("counts in its own variables, also in functions inside it", function()
    accepted(function(r)
      local n = 0
      local function add() n = n + r.x end
      for _ = 1, 3 do add() end
      return n
    end)
  end)

  it("fills tables of its own", function()
    local defaults = { 1, 2 }
    accepted(function(r)
      local t = {}
      t.x, t[1] = r.x, defaults[1]
      local u = defaults[2] and t or {}
      u.y = 1
      return t
    end)
  end)

  it("fills a table of its own in a slot that held a captured one before", function()
    local rates = { a = {} }
    accepted(function(r)
      local t = rates -- luacheck: ignore
      if r.x then t = {} else t = { 1 } end
      t.y = 2
      return t
    end)
  end)
end)

describe("a captured table that changes while rows run", function()
  it("is found when it is changed through a call", function()
    local list = {}
    local out, err = rowfn.map({ { "x", "i64", function(i) return i end, n = 100 } }, "y: i64", function(r)
      table.insert(list, r.x)
      return #list
    end)
    local failure = rowfn.failure(out, err)
    assert.are.equal("hidden-state", failure.id)
    assert(failure.message:find("changed a table that it captured", 1, true), failure.message)
  end)

  it("is found when a value in it is replaced", function()
    local cache = { inner = { n = 0 } }
    local out, err = rowfn.map({ { "x", "i64", { 1, 2, 3 } } }, "y: i64", function(r)
      rawset(cache.inner, "n", r.x)
      return cache.inner.n
    end)
    assert.are.equal("hidden-state", rowfn.failure(out, err).id)
  end)

  it("is found when it changes in the last rows of a job only", function()
    local list = {}
    for i = 1, 5000 do list[i] = i end
    local function late(r)
      if r.x == 20000 then table.insert(list, r.x) end
      return #list
    end
    for _, threads in ipairs { 1, 3 } do
      local out, err = rowfn.map({ { "x", "i64", function(i) return i end, n = 20000 } }, "y: i64", late,
        { threads = threads, batch_rows = 1024 })
      local failure = rowfn.failure(out, err)
      assert.are.equal("hidden-state", failure.id)
      assert.are.same({ 7, 0 }, { failure.place, failure.stage })
    end
  end)

  it("is no error when it stays as it was", function()
    local list = { 1, 2, 3, nan = 0 / 0 }
    assert(rowfn.map({ { "x", "i64", function(i) return i end, n = 5000 } }, "y: i64", function(r)
      return list[r.x % 3 + 1] end, { batch_rows = 64 }))
  end)
end)

describe("the columns that a row function reads", function()
  local function reads(fn)
    local found = inspect.reads(fn)
    if not found then return nil end
    local names = {}
    for name in pairs(found) do names[#names + 1] = name end
    table.sort(names)
    return table.concat(names, " ")
  end

  it("are those it names", function()
    assert.are.equal("a b c", reads(function(r) if r.a > 1 then return r.b end return r["c"] end))
    assert.are.equal("", reads(function() return 1 end))
    assert.are.equal("", reads(function(r) return 1 end)) -- luacheck: ignore
    assert.are.equal("a", reads(function(r, p) return r.a * p.b end))
    assert.are.equal("a id", reads(function(r) return r:i64 "id" + r.a end))
    assert.are.equal("a", reads(function(r) for i = 1, r.a do if i > r.a then return i end end end))
  end)

  it("may be any when the row goes elsewhere, or the name is computed", function()
    local function f(r) return r.x end
    assert.is_nil(reads(function(r) return f(r) end))
    assert.is_nil(reads(function(r, p) return r[p.name] end))
    assert.is_nil(reads(function(r) return (function() return r.x end)() end))
    assert.is_nil(reads(function(r) local s = r return s.x end))
    assert.is_nil(reads(function(r) return { r } end))
    assert.is_nil(reads(function(r) return r end))
    assert.is_nil(reads(function(r) return r:i64(r.name) end))
    assert.is_nil(reads(function(r) r = r.x return r end))
    assert.is_nil(reads(function(...) return (...).x end))
  end)
end)
