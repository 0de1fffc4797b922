local trees = require "expr.trees"
local expr = require "moonmill.expr.compiler"
local catalogue = require "moonmill.functions.catalogue"
local registry = require "moonmill.base.aggregate_registry"
local types = require "moonmill.base.types"

local function split(text, keys)
  local scope = trees.scope()
  scope.keys = keys or { "utf8" }
  return expr.split_aggregates(expr.parse(text), scope)
end

describe("aggregates in an expression", function()
  it("are taken out, each once, and leave placeholders", function()
    local found, rest = split "sum(i8) / count() + sum( i8 )"
    assert.same({ "sum(i8)", "count()" }, { found[1].key, found[2].key })
    assert.same({ "SUM", "COUNT" }, { found[1].op, found[2].op })
    assert.equal("i8", expr.print(found[1].arg))
    assert.is_nil(found[2].arg)
    assert.equal("(`sum(i8)` / `count()`) + `sum(i8)`", expr.print(rest))
  end)
  it("have the types of the table", function()
    for text, type in pairs {
      ["count()"] = "i64", ["count(nutf8)"] = "i64", ["count_null(nutf8)"] = "i64", ["sum(i8)"] = "i64",
      ["sum(nu16)"] = "u64", ["sum(f32)"] = "f64",
      ["sum(duration)"] = "duration", ["sum(bool)"] = "i64", ["mean(i8)"] = "f64", ["min(i8)"] = "i8",
      ["max(nutf8)"] = "utf8?", ["var(f64)"] = "f64?",
      ["std(i8)"] = "f64?", ["first(ndate)"] = "date?", ["last(bool)"] = "bool", ["median(nf64)"] = "f64?",
      ["quantile(i8, 0.9)"] = "f64",
      ["n_unique(nutf8)"] = "i64", ["any(nbool)"] = "bool", ["all(bool)"] = "bool", ["max(i8 * 2)"] = "i64",
    } do
      local found = split(text)
      assert.equal(type, found[1].type.name .. (found[1].nullable and "?" or ""), text)
    end
  end)
  it("may be null without keys, where a table without rows still gives a row", function()
    assert.is_true(split("mean(i8)", {})[1].nullable)
    assert.is_false(split("sum(i8)", {})[1].nullable)
  end)
  it("take conditions to be added up as numbers", function()
    assert.equal("i64(f64 > 1.0)", expr.print(split("sum(f64 > 1.0)")[1].arg))
  end)
  it("leave min and max of several values alone", function()
    local found, rest = split "max(min(i8), 0)"
    assert.same({ 1, "min(i8)", "max(`min(i8)`, 0)" }, { #found, found[1].key, expr.print(rest) })
  end)
  it("find another name when a key has theirs", function()
    local scope = trees.scope()
    scope.columns["sum(i8)"] = { type = types.f64, nullable = false }
    scope.keys = { "sum(i8)" }
    assert.equal("sum(i8)'", expr.split_aggregates(expr.parse "sum(i8)", scope)[1].key)
  end)
  it("know the share of quantile when it is a parameter or computed", function()
    local scope = trees.scope()
    scope.params.q = { type = types.f64, value = 0.25 }
    assert.equal(0.25, expr.split_aggregates(expr.parse "quantile(i8, p.q)", scope)[1].q)
  end)
  it("let keys stand outside", function()
    assert.equal("utf8 .. `count()`", expr.print((select(2, split "utf8 .. count()"))))
  end)
  for _, case in ipairs {
    { "i8 + count()", "1:1", 'column "i8" is neither a key nor within an aggregate' },
    { "sum(max(i8))", "1:5", "max stands within another aggregate" },
    { "mean(utf8)", "1:6", "mean takes numbers, found utf8" }, { "any(i8)", "1:5", "any takes conditions, found i8" },
    { "sum()", "1:1", "sum takes 1 argument, found 0" }, { "count(i8, i8)", "1:1", "count takes 1 argument, found 2" },
    { "quantile(i8)", "1:1", "quantile takes 2 arguments, found 1" },
    { "quantile(i8, 2)", "1:14", "the share of quantile is a number from 0 to 1" },
    { "sum(i9)", "1:5", 'there is no column "i9"' },
  } do
    it(("refuses %q"):format(case[1]), function()
      local ok, err = pcall(split, case[1])
      assert.is_false(ok)
      assert.same({ case[2], case[3] }, { err.line .. ":" .. err.column, err.message })
    end)
  end
  it("say what to do where all is null and nobody knows the type", function()
    local scope = { columns = { n = { type = types.null, nullable = true } }, order = { "n" }, keys = {} }
    local ok, err = pcall(expr.split_aggregates, expr.parse "sum(n)", scope)
    assert.same({ false, "sum takes numbers, found null" }, { ok, err.message })
    assert.matches("declare it, input", err.hint, 1, true)
  end)
  it("accept the usage of every aggregate of the table", function()
    local scope = { columns = { x = { type = types.f64, nullable = true }, q = { type = types.f64 } }, order = { "x" },
      keys = { "q" } }
    for name, entry in pairs(catalogue.aggregates) do
      scope.columns.x.type = registry.type_of(name, types.f64) and types.f64 or types.bool
      local usage = entry.usage:gsub(", q", ", 0.5")
      assert.equal(1, #expr.split_aggregates(expr.parse(usage), scope), name)
      assert.is_truthy(require("moonmill.base.ffi").C["MM_AGG_" .. entry.op])
    end
  end)
end)
