-- moonmill.expr.typing.node - the typed tree, which check makes and fold, narrow and emit work on.
--
-- A node is {kind, type, nullable, at, source}: "const" (value, null; `literal` when it stands in the text and adapts
-- to its neighbour), "column" (name), or "call": op (name of an operation), args, `on` the type that it works
-- in (i64 for a duration, say), `on2` the type of the second operand of a mixed comparison or of a cast's operand,
-- `mode` of a cast, `items` of IN. `fails` says that the operation can fail at a row, `may_fail` that it or something
-- below it can. Values: int64 or uint64 cdata, Lua numbers, booleans, text.
local failure = require "moonmill.base.failure"
local types = require "moonmill.base.types"

local node = {}

local never_null = { IS_NULL = true, IS_NOT_NULL = true, IS_TRUE = true, IS_DISTINCT = true }
local fails_on_integers = { ADD = true, SUB = true, MUL = true, NEG = true, ABS = true, FLOORDIV = true, MOD = true }
local fails_on_text = { REPEAT = true, REPLACE = true, CONCAT = true } -- the result may grow beyond a vector's arena

---Operations whose later arguments are looked at only where the first one asks for it.
node.lazy = { AND = true, OR = true, SELECT = true, COALESCE = true }

---Raise a failure at a node or token that has `at` and `source`.
---@param where table
---@param id string
---@param message string
---@param hint string?
function node.fail(where, id, message, hint)
  failure.raise_at({ id = id, message = message, hint = hint }, where.source.origin, where.source.text, where.at)
end

-- A cast fails where a value of `from` may be outside of `to`.
local function cast_fails(from, to, mode)
  if mode == "try" then return false end
  if mode == "wrap" or mode == "sat" then return from.float end -- NaN has no integer
  if to == types.utf8 then return from == types.binary end
  if to == types.binary or from == types.bool then return false end
  if from.number and to.number then
    if to.float then return from == types.f64 and to == types.f32 end
    if from.float then return true end
    local low, high = types.range(from)
    return not (types.holds(low, to) and types.holds(high, to))
  end
  if from.id == to.id and from.time then return from.unit ~= to.unit end
  return true
end

local function can_fail(call)
  if call.safe then return false end
  if call.op == "CAST" then return cast_fails(call.on2, call.on, call.mode) end
  if call.on.integer or call.on.time then return fails_on_integers[call.op] or false end
  return call.on.text and fails_on_text[call.op] or false
end

local function any_nullable(args, from)
  for i = from or 1, #args do
    if args[i].nullable then return true end
  end
  return false
end

local function can_be_null(call)
  local op, args = call.op, call.args
  if never_null[op] then return false end
  if op == "FIND" or op == "CAST" and call.mode == "try" and cast_fails(call.on2, call.on) then return true end
  if op == "SELECT" then return any_nullable(args, 2) end
  if op == "COALESCE" then return args[1].nullable and args[2].nullable end
  return any_nullable(args)
end

---A constant; `value` nil is null.
---@param where table a node or tree node: where it stands
function node.const(type, value, where, literal)
  return {
    kind = "const", type = type, value = value, null = value == nil, nullable = value == nil, literal = literal
      or false, may_fail = false,
    at = where.at, source = where.source,
  }
end

---A column of a scope.
function node.column(name, type, nullable, where)
  return { kind = "column", name = name, type = type, nullable = nullable, may_fail = false, at = where.at,
    source = where.source }
end

---An operation. `fields`: type (default: on), on (default: the type of the first argument), on2, mode, items, literal,
---truth (null counts as false), safe (never fails, whatever the operation).
function node.call(op, args, fields, where)
  for _, arg in ipairs(args) do
    if arg.type.opaque then
      node.fail(where, "type", ("values of type %s can be kept, but not computed with"):format(arg.type.name))
    end
  end
  local call = {
    kind = "call", op = op, args = args, type = fields.type, on = fields.on or args[1].type, on2 = fields.on2,
    mode = fields.mode,
    items = fields.items, literal = fields.literal or false, truth = fields.truth or false,
    safe = fields.safe, at = where.at, source = where.source,
  }
  call.type = call.type or call.on
  call.nullable = can_be_null(call)
  call.fails = can_fail(call)
  call.may_fail = call.fails
  for _, arg in ipairs(args) do call.may_fail = call.may_fail or arg.may_fail end
  return call
end

---The same call over other arguments.
function node.with_args(call, args)
  for i, arg in ipairs(args) do
    if arg ~= call.args[i] then return node.call(call.op, args, call, call) end
  end
  return call
end

---The same node as a value of its own type: a literal no more, so it adapts to nothing.
function node.settled(n)
  if not n.literal then return n end
  local copy = {}
  for field, value in pairs(n) do copy[field] = value end
  copy.literal = false
  return copy
end

---Is this the constant null?
function node.is_null(n) return n.kind == "const" and n.null end

return node
