-- moonmill.expr.typing.operators - typing of the operators: a function(checker, tree, truth) for each.
local ffi = require "ffi"
local coerce = require "moonmill.expr.typing.coerce"
local forms = require "moonmill.expr.typing.forms"
local temporal = require "moonmill.expr.typing.temporal"
local logic = require "moonmill.expr.typing.logic"
local node = require "moonmill.expr.typing.node"
local types = require "moonmill.base.types"

local comparisons = { ["=="] = "EQ", ["~="] = "NE", ["<"] = "LT", ["<="] = "LE", [">"] = "GT", [">="] = "GE" }
local operations = {
  ["+"] = "ADD", ["-"] = "SUB", ["*"] = "MUL", ["/"] = "DIV", ["//"] = "FLOORDIV", ["%"] = "MOD", ["^"] = "POW",
}

local function two_types(tree, a, b, hint)
  node.fail(tree, "type", ('"%s" takes numbers, found %s and %s'):format(tree.op, a.type.name, b.type.name), hint)
end

local function operands(a, b, tree)
  if a.type == types.null then a = node.const(b.type == types.null and types.f64 or b.type, nil, a) end
  if b.type == types.null then b = node.const(a.type, nil, b) end
  if a.type.number and b.type.number then return a, b end
  local hint
  for _, n in ipairs { a, b } do
    if n.type == types.utf8 then
      hint = tree.op == "+" and "join text with .." or "f64(…) or i64(…) reads a text as a number"
    end
  end
  return a, b, hint
end

-- Small whole constants at once, so that x + 60 * 60 is typed like x + 3600.
local function literal_whole(op, a, b, tree)
  if a.kind ~= "const" or b.kind ~= "const" or a.type ~= types.i64 or b.type ~= types.i64 then return nil end
  local x, y = tonumber(a.value), tonumber(b.value)
  if math.abs(x) > 2 ^ 31 or math.abs(y) > 2 ^ 31 then return nil end
  local value = op == "ADD" and a.value + b.value or op == "SUB" and a.value - b.value or op == "MUL"
    and a.value * b.value
  return value and node.const(types.i64, value, tree, true) or nil
end

local function arithmetic(checker, tree)
  local a, b, hint = operands(checker:check(tree.a), checker:check(tree.b), tree)
  local op = operations[tree.op]
  local time = temporal(op, a, b, tree)
  if time then return time end
  if not (a.type.number and b.type.number) then two_types(tree, a, b, hint) end
  local literal = a.literal and b.literal
  local type
  if op == "POW" then
    type = types.f64
  else
    local whole = literal and literal_whole(op, a, b, tree)
    if whole then return whole end
    if op == "DIV" and a.type.integer and b.type.integer then
      type = types.f64
    else
      type = coerce.arithmetic(a, b, tree)
    end
  end
  return node.call(op, { coerce.cast(a, type, tree), coerce.cast(b, type, tree) }, { literal = literal }, tree)
end

local function comparison(checker, tree)
  local op = comparisons[tree.op]
  if op == "EQ" or op == "NE" then
    local other = tree.b.kind == "null" and tree.a or tree.a.kind == "null" and tree.b
    if other then
      local n = checker:check(other)
      if n.type == types.null then return node.const(types.bool, op == "EQ", tree) end
      return node.call(op == "EQ" and "IS_NULL" or "IS_NOT_NULL", { n }, { type = types.bool }, tree)
    end
  end
  return coerce.comparison(op, checker:check(tree.a), checker:check(tree.b), tree)
end

local function negative(checker, tree)
  if tree.a.kind == "number" then
    local value = tree.a.value
    if type(value) == "number" then return node.const(types.f64, -value, tree, true) end
    if value == 0x8000000000000000ULL or value < 0x8000000000000000ULL then
      return node.const(types.i64, -ffi.cast("int64_t", value), tree, true)
    end
    node.fail(tree, "type", ("-%s does not fit i64"):format(tostring(value):gsub("ULL", "")))
  end
  local n = checker:check(tree.a)
  if n.type == types.null then return node.const(types.f64, nil, n) end
  if n.type == types.u64 then node.fail(tree, "type", "a u64 has no negative", "write -i64(…)") end
  if n.type.integer then return node.call("NEG", { coerce.cast(n, types.i64, tree) }, { literal = n.literal }, tree) end
  if n.type.float then return node.call("NEG", { n }, { literal = n.literal }, tree) end
  if n.type.id == "duration" then return node.call("NEG", { n }, { type = n.type, on = types.i64 }, tree) end
  node.fail(tree, "type", ('"-" takes a number, found %s'):format(n.type.name))
end

local function join(checker, tree)
  local a, b = forms.text_of(checker:check(tree.a), tree), forms.text_of(checker:check(tree.b), tree)
  return node.call("CONCAT", { a, b }, {}, tree)
end

local operators = { unary = { ["-"] = negative, ["not"] = logic.negation }, binary = {} }
for op in pairs(operations) do operators.binary[op] = arithmetic end
for op in pairs(comparisons) do operators.binary[op] = comparison end
operators.binary["and"], operators.binary["or"], operators.binary[".."] = logic.conjunction, logic.disjunction, join

return operators
