-- Shipping: a worker gets the function with copies of all that it captured, and runs it as the script would.
local columns = require "columns"
local ffi = require "ffi"
local rowfn = require "rowfn"

local one = { { "x", "f64", { 1, 2, 3 } } }

local function results(fn, outputs, options) return assert(rowfn.map(one, outputs or "y: f64", fn, options)).y end

describe("a shipped function", function()
  it("keeps its captured numbers, text, booleans and nil exactly", function()
    local tenth, inf, none, yes, text = 0.1, 1 / 0, nil, true, "a\0b\255"
    assert.are.same({ 1.1, 2.1, 3.1 }, results(function(r) return r.x + tenth end))
    assert.are.equal(1 / 0, results(function() return inf end)[1])
    assert.are.equal("a\0b\255", results(function() return text end, "y: binary")[1])
    assert.are.equal(true, results(function() return yes and none == nil end, "y: bool")[1])
    local nan, zero = 0 / 0, -0.0
    assert.are.equal(true, results(function() return nan ~= nan and 1 / zero == -1 / 0 end, "y: bool")[1])
  end)

  it("keeps tables with shared and circular references", function()
    local shared = { 5 }
    local tree = { left = shared, right = shared, [1] = 10, [true] = 20 }
    tree.self = tree
    assert.are.equal(true, results(function() return tree.left == tree.right and tree.self.self == tree end,
      "y: bool")[1])
    assert.are.same({ 36, 37, 38 }, results(function(r) return r.x + tree.left[1] + tree[1] + tree[true] end))
  end)

  it("keeps tables with many entries and deep chains", function()
    local squares, chain = {}, {}
    for i = 1, 20000 do squares[i] = i * i end
    local at = chain
    for i = 1, 20000 do
      at.next = { value = i }
      at = at.next
    end
    assert.are.same({ 400000000, 400000000, 400000000 }, results(function()
      local n, node = 0, chain
      while node.next do n, node = n + 1, node.next end
      return squares[n]
    end))
  end)

  it("keeps metatables", function()
    local rates = setmetatable({ a = 1 }, { __index = function(_, key) return #key end })
    assert.are.same({ 5, 6, 7 }, results(function(r) return r.x + rates.a + rates.abc end))
  end)

  it("takes along the functions that it calls, recursive ones too", function()
    local function factorial(n) return n < 2 and 1 or n * factorial(n - 1) end
    local even, odd
    function even(n) return n == 0 or odd(n - 1) end
    function odd(n) return n ~= 0 and even(n - 1) end
    assert.are.same({ 1, 2, 6 }, results(function(r) return factorial(r.x) end))
    assert.are.same({ false, true, false }, results(function(r) return even(r.x) end, "y: bool"))
  end)

  it("uses the standard library by name, however it was captured", function()
    local floor, strings, getter = math.floor, string, select
    assert.are.same({ 3, 4, 5 }, results(function(r) return floor(r.x + 2.5) end))
    assert.are.equal("A2", results(function() return strings.upper "a" .. getter("#", 1, 2) end, "y: utf8")[1])
    local bits = require "bit"
    assert.are.equal(6, results(function() return bits.bor(2, 4) end)[1])
  end)

  it("uses modules by name", function()
    local suggest = require "moonmill.base.suggest"
    local nearest = suggest.nearest
    assert.are.equal("carrier", results(function() return suggest.nearest("carier", { "carrier" }) end, "y: utf8")[1])
    assert.are.equal("carrier", results(function() return nearest("carier", { "carrier" }) end, "y: utf8")[1])
  end)

  it("takes along the globals of the script that it reads", function()
    local environment = setmetatable({ rate = 2, twice = function(x) return 2 * x end }, { __index = _G })
    local fn = setfenv(function(r) return twice(r.x) * rate end, environment) -- luacheck: ignore
    assert.are.same({ 4, 8, 12 }, results(fn))
  end)

  it("keeps 64-bit integers that it captured", function()
    local big = 9007199254740993LL
    assert.are.equal("9007199254740993LL", tostring(results(function() return big end, "y: i64")[1]))
  end)

  it("gets parameters of every kind", function()
    local params = { n = 1.5, s = "text", b = false, big = 9007199254740993LL }
    assert.are.same({ 1.5, 1.5, 1.5 }, results(function(_, p) return p.n end, "y: f64", { params = params }))
    assert.are.equal("text", results(function(_, p) return p.s end, "y: utf8", { params = params })[1])
    assert.are.equal(false, results(function(_, p) return p.b end, "y: bool", { params = params })[1])
    assert.are.equal("9007199254740993LL",
      tostring(results(function(_, p) return p.big end, "y: i64", { params = params })[1]))
  end)

  it("is a copy: what the script changes later does not reach it", function()
    local list = { 1 }
    local source = columns.table(one)
    local stage = rowfn.stage(source, "map", rowfn.outputs "y: f64", function() return list[1] end)
    list[1] = 2
    assert.are.same({ 1, 1, 1 }, columns.run(source, { stage }).y)
  end)
end)

describe("a function is refused when it captures", function()
  local function refused(fn, name, what)
    local failure = rowfn.refused(fn)
    assert.are.equal("captured", failure.id)
    assert(failure.message:find("captures '" .. name .. "', " .. what, 1, true), failure.message)
    assert(failure.line > 0)
  end

  it("a file, a coroutine, a C value or a C function", function()
    local file = io.stdout
    refused(function() return file end, "file", "a userdata")
    local thread = coroutine.create(function() end)
    refused(function() return thread end, "thread", "a thread")
    local array = ffi.new "int[3]"
    refused(function() return array[0] end, "array", "a C value (ctype<int [3]>)")
    local step = ("x"):gmatch "x"
    refused(function() return step() end, "step", "a C function")
  end)

  it("one of them within a table, and says where", function()
    local settings = { out = { file = io.stderr } }
    refused(function() return settings end, "settings.out.file", "a userdata")
  end)
end)

describe("a function is refused when it reads", function()
  it("a global that nobody defined, with a suggestion", function()
    local line = rowfn.line() + 1
    local failure = rowfn.refused(function(r) return tostrin(r.x) end) -- luacheck: ignore
    assert.are.equal("unknown-name", failure.id)
    assert.are.equal("the row function reads the global 'tostrin', which is not defined", failure.message)
    assert.are.equal('did you mean "tostring"?', failure.hint)
    assert.are.equal(line, failure.line)
  end)
end)
