-- moonmill.expr.codegen.emit - the sixth pass: typed trees to a list of instructions over registers, each written once.
--
-- DESIGN. Equal operations on equal registers are emitted once, across all expressions of an emitter. An operation that
-- can fail carries a guard where it stands on a side that may not be taken: a bool register, true in the lanes that
-- matter. Guards are themselves instructions, made only when such an operation asks for one. What was computed for all
-- lanes serves guarded uses too; what was computed under a guard serves that guard only.
--
-- An instruction is {op, type, type2 (ids), result (Type), dst, args (registers), mode, guard, place, fails} with
-- `input` of LOAD, `const` of CONST, `items` of IN. moonmill.expr.codegen.program makes the core's program of them.
local failure = require "moonmill.base.failure"
local node = require "moonmill.expr.typing.node"
local types = require "moonmill.base.types"

---@class moonmill.Emitter
---@field code table[]
---@field places table<integer, table>
local Emitter = {}
Emitter.__index = Emitter

---@param first_place integer? number of the first place, default 1
---@return moonmill.Emitter
local function new(first_place)
  return setmetatable({ code = {}, count = 0, seen = {}, memo = {}, places = {}, place = first_place or 1 }, Emitter)
end

local ALWAYS = {} -- no guard: key of the memo

function Emitter:push(instr)
  instr.dst = self.count
  self.count = self.count + 1
  self.code[#self.code + 1] = instr
  return instr.dst
end

-- One instruction per key.
function Emitter:once(key, make)
  local register = self.seen[key]
  if not register then
    register = self:push(make())
    self.seen[key] = register
  end
  return register
end

---The register of an input column.
function Emitter:load(index, name, type)
  return self:once("load " .. index, function()
    return { op = "LOAD", type = type, result = type, args = {}, input = index, name = name }
  end)
end

local function value_key(n)
  local value = n.value
  if type(value) == "number" then value = ("%.17g"):format(value) end
  return n.type.name .. " " .. (n.null and "null" or "=" .. tostring(value))
end

function Emitter:const(n)
  return self:once("const " .. value_key(n), function()
    return { op = "CONST", type = n.type, result = n.type, args = {}, const = n }
  end)
end

-- A bool operation that cannot fail.
function Emitter:logic(op, on, ...)
  local args = { ... }
  return self:once(("%s %s %s"):format(op, on.name, table.concat(args, " ")), function()
    return { op = op, type = on, type2 = on, result = types.bool, args = args }
  end)
end

-- The register that is true where a side is taken, given the register of its condition.
local taken = {
  ["true"] = function(_, condition) return condition end,
  ["not true"] = function(self, condition, n)
    return self:logic("NOT", types.bool, n.nullable and self:logic("IS_TRUE", types.bool, condition) or condition)
  end,
  ["not false"] = function(self, condition, n)
    return n.nullable and self:logic("OR", types.bool, condition, self:logic("IS_NULL", types.bool, condition))
      or condition
  end,
  ["null"] = function(self, value, n) return self:logic("IS_NULL", n.type, value) end,
}

-- A guard for later: the side of `n` (emitted as `register`) named by `side`, within the guard `parent`.
local function guard_of(parent, side, n, register)
  return { parent = parent, side = side, node = n, register = register }
end

function Emitter:guard_register(guard)
  if not guard then return -1 end
  if not guard.made then
    local own = taken[guard.side](self, guard.register, guard.node)
    local outer = self:guard_register(guard.parent)
    guard.made = outer < 0 and own or self:logic("AND", types.bool, outer, own)
  end
  return guard.made
end

-- The arguments of a lazy operation, each under its guard.
function Emitter:lazy_args(call, guard)
  local a, b, c = call.args[1], call.args[2], call.args[3]
  local first = self:node(a, guard)
  local function side(n, which) return self:node(n, n.may_fail and guard_of(guard, which, a, first) or nil) end
  if call.op == "AND" then return { first, side(b, call.truth and "true" or "not false") } end
  if call.op == "OR" then return { first, side(b, "not true") } end
  if call.op == "COALESCE" then return { first, side(b, "null") } end
  return { first, side(b, "true"), side(c, "not true") }
end

function Emitter:new_place(n)
  local place = self.place
  self.place = place + 1
  self.places[place] = { origin = failure.locate(n.source.origin, n.source.text, n.at), text = n.source.text,
    stage = self.stage }
  return place
end

local function call_key(call, args, items)
  return ("%s %s %s %s %s %s %s"):format(call.op, call.type.name, call.on.name, call.on2 and call.on2.name or "",
    call.mode or "",
    table.concat(args, " "), items)
end

function Emitter:call(call, guard)
  local args = {}
  if node.lazy[call.op] then
    args = self:lazy_args(call, guard)
  else
    for i, arg in ipairs(call.args) do args[i] = self:node(arg, guard) end
  end
  local items = {}
  for i, item in ipairs(call.items or items) do items[i] = value_key(item) end
  local key = call_key(call, args, table.concat(items, "\0"))
  if self.seen[key] then return self.seen[key] end
  local guarded = call.fails and self:guard_register(guard) or -1
  return self:once(guarded < 0 and key or key .. " guard " .. guarded, function()
    return {
      op = call.op, type = call.on, type2 = call.on2 or call.on, result = call.type, args = args, mode = call.mode,
      items = call.items,
      guard = guarded, fails = call.fails, place = self:new_place(call),
    }
  end)
end

---The register of a whole expression.
---@param n table
---@return integer register
function Emitter:expression(n)
  self.memo = {} -- names may mean other registers than in the last expression
  return self:node(n)
end

---The register of a typed node. `self.bindings` gives the registers of columns.
---@param n table
---@param guard table?
---@return integer register
function Emitter:node(n, guard)
  if n.kind == "const" then return self:const(n) end
  if n.kind == "column" then return self.bindings(n.name) end
  if not n.may_fail then guard = nil end
  local memo = self.memo[n]
  if not memo then
    memo = {}
    self.memo[n] = memo
  end
  local register = memo[guard or ALWAYS]
  if not register then
    register = self:call(n, guard)
    memo[guard or ALWAYS] = register
  end
  return register
end

---Keep only rows where a condition is true; conditions joined by `and` filter one after the other.
---@param n table
function Emitter:filter(n)
  if n.kind == "call" and n.op == "AND" then
    self:filter(n.args[1])
    return self:filter(n.args[2])
  end
  if n.kind == "const" and n.value == true then return end
  local register = self:expression(n)
  self.code[#self.code + 1] = { op = "FILTER", type = types.bool, result = types.bool, args = { register } }
end

return { new = new }
