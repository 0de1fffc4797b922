-- moonmill.expr.typing.forms - typing rules of the functions that are more than one operation: if, coalesce, min,
-- casts, durations ...
--
-- A form is a function(checker, tree, entry, truth) that checks the arguments of a call and returns a typed node.
local ffi = require "ffi"
local cast = require "moonmill.expr.typing.explicit_cast"
local coerce = require "moonmill.expr.typing.coerce"
local node = require "moonmill.expr.typing.node"
local types = require "moonmill.base.types"

local forms = {}

local function arguments(checker, tree, least, most)
  local entry = checker:entry(tree)
  checker:count(tree, entry, least, most)
  local args = {}
  for i, arg in ipairs(tree.args) do args[i] = checker:check(arg) end
  return args
end

-- The least (MIN) or greatest (MAX) of two nodes of one type; text and bool are compared.
local function extreme(op, a, b, type, where)
  if not type.text and type ~= types.bool then return node.call(op, { a, b }, {}, where) end
  local before = node.call(op == "MIN" and "LT" or "GT", { a, b }, { type = types.bool, on2 = type }, where)
  if a.nullable then -- a null a is the result
    before = node.call("OR", { before, node.call("IS_NULL", { a }, { type = types.bool }, where) },
      { type = types.bool }, where)
  end
  return node.call("SELECT", { before, a, b }, { type = type, on = type }, where)
end

-- Shared between texts, numbers ...: refuse what has no order.
local function ordered(nodes, type, what)
  if type == types.null then
    node.fail(nodes[1], "type", ("%s cannot order values of type %s"):format(what, type.name))
  end
end

function forms.extreme(checker, tree, entry)
  if #tree.args == 1 then
    node.fail(tree, "argument-count", ("%s of one value is an aggregate, which belongs into group"):format(entry.name),
      entry.usage)
  end
  local args, type = coerce.unify(arguments(checker, tree, 2), entry.name)
  ordered(args, type, entry.name)
  local result = args[1]
  for i = 2, #args do result = extreme(entry.name:upper(), result, args[i], type, tree) end
  return result
end

function forms.clamp(checker, tree)
  local args, type = coerce.unify(arguments(checker, tree, 3, 3), "clamp")
  ordered(args, type, "clamp")
  return extreme("MIN", extreme("MAX", args[1], args[2], type, tree), args[3], type, tree)
end

function forms.rounding(checker, tree, entry)
  local x = checker:kind(arguments(checker, tree, 1, 1)[1], "number", entry, 1, tree)
  return x.type.float and node.call(entry.op, { x }, {}, tree) or x -- whole numbers are round already
end

function forms.round(checker, tree, entry)
  local args = arguments(checker, tree, 1, 2)
  local x = checker:kind(args[1], #args == 1 and "number" or "float", entry, 1, tree)
  if x.type.integer then return x end
  local digits = args[2] and checker:kind(args[2], "int", entry, 2, tree) or node.const(types.i64, 0LL, tree)
  return node.call("ROUND", { x, digits }, {}, tree)
end

---if(condition, a, b), also for `c and a or b`.
function forms.select(condition, a, b, where)
  local values, type = coerce.unify({ a, b }, "if")
  if type == types.null then node.fail(where, "type", "both values of if are null", "cast one, as in i64(null)") end
  return node.call("SELECT", { condition, values[1], values[2] }, { type = type, on = type }, where)
end

forms["if"] = function(checker, tree, entry)
  checker:count(tree, entry, 3, 3)
  local condition = checker:condition(tree.args[1], "the condition of if")
  return forms.select(condition, checker:check(tree.args[2]), checker:check(tree.args[3]), tree)
end

function forms.coalesce(checker, tree)
  local args, type = coerce.unify(arguments(checker, tree, 1), "coalesce")
  local result = args[#args]
  for i = #args - 1, 1, -1 do result = node.call("COALESCE", { args[i], result }, { type = type, on = type }, tree) end
  return result
end

function forms.nullif(checker, tree)
  local args = arguments(checker, tree, 2, 2)
  if args[1].type == types.null or args[2].type == types.null then return args[1] end
  local a, b = coerce.compared(args[1], args[2], tree)
  local same = node.call("EQ", { a, b }, { type = types.bool, on2 = b.type }, tree)
  return node.call("SELECT", { same, node.const(args[1].type, nil, tree), args[1] },
    { type = args[1].type, on = args[1].type }, tree)
end

function forms.between(checker, tree, _, truth)
  local args = arguments(checker, tree, 3, 3)
  local low = coerce.comparison("GE", args[1], args[2], tree)
  local high = coerce.comparison("LE", args[1], args[3], tree)
  return node.call("AND", { low, high }, { type = types.bool, truth = truth }, tree)
end

-- One constant of a set, as the type that x is compared in; nil when it cannot be equal to any x.
local function member(item, type)
  if item.type == types.null then
    node.fail(item, "type", "null is not found by is_in", "write x == null or is_in(x, {…})")
  end
  if type == types.null then return nil end -- x is null in every row
  if item.literal and item.kind == "const" and item.type.number and type.number then
    local value = coerce.exact(item.value, type)
    return value ~= nil and node.const(type, value, item) or nil
  end
  if coerce.common(item.type, type) ~= type and not (item.type.integer and type.integer) then
    node.fail(item, "type", ("%s is not found among values of type %s"):format(item.type.name, type.name),
      item.type == types.utf8 and (type == types.date or type.id == "timestamp") and ('write %s("…")'):format(type.id)
        or nil)
  end
  return coerce.cast(item, type)
end

function forms.is_in(checker, tree, entry)
  checker:count(tree, entry, 2, 2)
  local x, set = checker:check(tree.args[1]), tree.args[2]
  if set.kind ~= "set" then
    node.fail(set, "type", "the second argument of is_in is a list of constants in braces", "write is_in(x, {1, 2, 3})")
  end
  local type = x.type.integer and coerce.wide(x.type) or x.type
  local items = {}
  for _, item in ipairs(set.items) do
    local checked = checker:constant(item)
    items[#items + 1] = member(checked, type)
  end
  x = coerce.cast(x, type)
  if #items == 0 or type == types.null then -- false, and null where x is
    local null = node.const(types.bool, nil, tree)
    local is_null = node.call("IS_NULL", { x }, { type = types.bool }, tree)
    return node.call("SELECT", { is_null, null, node.const(types.bool, false, tree) },
      { type = types.bool, on = types.bool }, tree)
  end
  return node.call("IN", { x }, { type = types.bool, items = items }, tree)
end

function forms.is_distinct(checker, tree)
  local args = arguments(checker, tree, 2, 2)
  for i = 1, 2 do
    if node.is_null(args[i]) then return node.call("IS_NOT_NULL", { args[3 - i] }, { type = types.bool }, tree) end
  end
  local a, b = coerce.compared(args[1], args[2], tree)
  if a.type == b.type then return node.call("IS_DISTINCT", { a, b }, { type = types.bool }, tree) end
  local function null(n) return node.call("IS_NULL", { n }, { type = types.bool }, tree) end
  local differ = node.call("NE", { a, b }, { type = types.bool, on2 = b.type }, tree)
  local one_null = node.call("NE", { null(a), null(b) }, { type = types.bool }, tree)
  return node.call("COALESCE", { differ, one_null }, { type = types.bool }, tree)
end

function forms.hash(checker, tree)
  local x = node.settled(arguments(checker, tree, 1, 1)[1])
  if x.type == types.null then return node.const(types.u64, nil, tree) end
  return node.call("HASH", { x }, { type = types.u64, on = types.u64, on2 = x.type }, tree)
end

function forms.sub(checker, tree, entry)
  local args = arguments(checker, tree, 2, 3)
  local s = checker:kind(args[1], "text", entry, 1, tree)
  local first = checker:kind(args[2], "int", entry, 2, tree)
  local last = args[3] and checker:kind(args[3], "int", entry, 3, tree) or node.const(types.i64, -1LL, tree)
  return node.call("SUB_TEXT", { s, first, last }, {}, tree)
end

---A value as text; numbers and times are written out, as Lua's `..` does for numbers.
function forms.text_of(n, where)
  if n.type == types.utf8 then return n end
  if node.is_null(n) then return node.const(types.utf8, nil, n) end
  if n.type.number or n.type == types.bool or n.type == types.date or n.type.time then
    return node.call("CAST", { n }, { type = types.utf8, on = types.utf8, on2 = n.type, mode = "check" }, where)
  end
  node.fail(where, "type", ("%s cannot be joined with text"):format(n.type.name), "write utf8(…) to read bytes as text")
end

function forms.concat(checker, tree)
  local args = arguments(checker, tree, 1)
  local result = forms.text_of(args[1], tree)
  for i = 2, #args do result = node.call("CONCAT", { result, forms.text_of(args[i], tree) }, {}, tree) end
  return result
end

local seconds = { days = 86400, hours = 3600, minutes = 60, seconds = 1 }

function forms.duration(checker, tree, entry)
  local n = arguments(checker, tree, 1, 1)[1]
  local micros = seconds[entry.name] * 1000000
  if n.type.float then
    local scaled = node.call("MUL", { checker:kind(n, "f64", entry, 1, tree), node.const(types.f64, micros, tree) }, {},
      tree)
    local whole = node.call("ROUND", { scaled, node.const(types.i64, 0LL, tree) }, {}, tree)
    return node.call("CAST", { whole }, { type = types.duration, on = types.i64, on2 = types.f64, mode = "check" },
      tree)
  end
  n = checker:kind(n, "int", entry, 1, tree)
  local result = node.call("MUL", { n, node.const(types.i64, ffi.cast("int64_t", micros), tree) },
    { type = types.duration, on = types.i64 }, tree)
  if entry.name == "days" then result.days = n end -- date + days(n) is a date
  return result
end

function forms.cast(checker, tree, entry)
  local to = types[entry.to]
  checker:count(tree, entry, 1, to.time and 2 or 1)
  if tree.args[2] then
    local unit = tree.args[2]
    if unit.kind ~= "text" or not types.per_second[unit.value] then
      node.fail(unit, "type", 'the unit is one of "s" "ms" "us" "ns"', ('as in %s(x, "ms")'):format(entry.to))
    end
    to = types.make(entry.to, unit.value)
  end
  return cast(checker:check(tree.args[1]), to, entry.mode, tree)
end

return forms
