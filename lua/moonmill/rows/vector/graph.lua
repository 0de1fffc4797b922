-- moonmill.rows.vector.graph - operations of the vector machine as a graph without repetitions, simplified as it grows.
--
-- DESIGN. A node is one operation over all lanes. Masks are nodes of bool: lanes for which something holds. In a lane
-- that a mask leaves out, anything may stand in what was computed for it, null too; whoever uses it asks the mask.
local types = require "moonmill.base.types"

---@class moonmill.GraphNode
---@field id integer
---@field op string name of an operation
---@field type moonmill.Type of the result
---@field on moonmill.Type of the operands
---@field args moonmill.GraphNode[]
---@field nulls boolean may have nulls, if only in lanes that do not count
---@field opposite moonmill.GraphNode? of a mask
---@field value any of a constant
local Graph = {}
Graph.__index = Graph

local MOST = 4000 -- operations

---@param too_long fun() called when there are too many operations
local function new(too_long)
  local self = setmetatable({ count = 0, known = {}, too_long = too_long }, Graph)
  self.yes, self.no = self:constant(types.bool, true), self:constant(types.bool, false)
  self.yes.opposite, self.no.opposite = self.no, self.yes
  return self
end

local function value_key(value)
  if value == nil then return "null" end
  if type(value) == "number" then return value ~= value and "=nan" or ("=%.17g"):format(value) end
  return "=" .. tostring(value)
end

local function any_nulls(args)
  for _, arg in ipairs(args) do
    if arg.nulls then return true end
  end
  return false
end

-- The one node of this operation.
function Graph:node(op, on, type, args, extra)
  local parts = { op, on.name, type.name, extra and extra.key or "" }
  for _, arg in ipairs(args) do parts[#parts + 1] = arg.id end
  local key = table.concat(parts, " ")
  local node = self.known[key]
  if node then return node end
  self.count = self.count + 1
  if self.count > MOST then self.too_long() end
  node = { id = self.count, op = op, on = on, type = type, args = args, nulls = any_nulls(args) }
  for name, value in pairs(extra or {}) do node[name] = value end
  self.known[key] = node
  return node
end

---@param value any nil: null
function Graph:constant(of, value)
  local extra = { key = value_key(value), value = value, null = value == nil, nulls = value == nil }
  return self:node("CONST", of, of, {}, extra)
end

function Graph:number(value) return self:constant(types.f64, value) end
function Graph:text(value) return self:constant(types.utf8, value) end

---A column of the input. `index` counts from 1.
function Graph:load(index, name, of, nullable)
  return self:node("LOAD", of, of, {}, { key = index, input = index, name = name, nulls = nullable })
end

function Graph:cast(node, to, mode)
  return self:node("CAST", to, to, { node }, { key = mode, mode = mode })
end

-- What Lua computes of constants. Both are the same double operations.
local folds = {
  ADD = function(a, b) return a + b end, SUB = function(a, b) return a - b end, MUL = function(a, b) return a * b end,
  DIV = function(a, b) return a / b end, POW = function(a, b) return a ^ b end, ATAN2 = math.atan2,
  NEG = function(a) return -a end,
  LT = function(a, b) return a < b end, LE = function(a, b) return a <= b end, EQ = function(a, b) return a == b end,
  CONCAT = function(a, b) return a .. b end,
}
for _, name in ipairs { "abs", "floor", "ceil", "sqrt", "exp", "log", "log10", "sin", "cos", "tan", "asin", "acos",
  "atan", "sinh", "cosh", "tanh" } do folds[name:upper()] = math[name] end

local gives = { EQ = types.bool, LT = types.bool, LE = types.bool, BYTES = types.i64 }

---An operation on numbers (f64) or text, null where an operand is null.
---@param op string
---@param on moonmill.Type
function Graph:apply(op, on, ...)
  local args, type = { ... }, gives[op] or on
  local a, b = args[1], args[2]
  if folds[op] and a.value ~= nil and (not b or b.value ~= nil) then
    local value
    if b then value = folds[op](a.value, b.value) else value = folds[op](a.value) end
    if value == true or value == false then return value and self.yes or self.no end
    return self:constant(type, value)
  end
  return self:node(op, on, type, args)
end

function Graph:compute(op, ...) return self:apply(op, types.f64, ...) end

---The lanes where a column is not null.
function Graph:known_in(load)
  if not load.nulls then return self.yes end
  return self:node("IS_NOT_NULL", load.type, types.bool, { load }, { nulls = false })
end

function Graph:is_true(node)
  if not node.nulls and node.op ~= "LOAD" then return node end
  return self:node("IS_TRUE", types.bool, types.bool, { node }, { nulls = false })
end

---@return moonmill.GraphNode
function Graph:negate(mask)
  if not mask.opposite then
    local node = self:node("NOT", types.bool, types.bool, { mask })
    mask.opposite, node.opposite = node, mask
  end
  return mask.opposite
end

local function has(node, op, part) return node.op == op and (node.args[1] == part or node.args[2] == part) end
local function other_argument(node, part) return node.args[1] == part and node.args[2] or node.args[1] end

-- a op b for AND and OR. `neutral op a` is a; `dual` is the other operation. `free`: nil if that takes an operation.
function Graph:junction(op, dual, neutral, a, b, free)
  local ending = neutral.opposite
  if a == ending or b == ending or a.opposite == b then return ending end
  if a == neutral or a == b then return b end
  if b == neutral then return a end
  for _ = 1, 2 do
    if has(a, op, b) then return a end
    if has(a, dual, b) then return b end
    if b.opposite and has(a, op, b.opposite) then return ending end
    if b.opposite and has(a, dual, b.opposite) then
      return self:junction(op, dual, neutral, b, other_argument(a, b.opposite), free)
    end
    a, b = b, a
  end
  if free then return nil end
  if a.id > b.id then a, b = b, a end
  return self:node(op, types.bool, types.bool, { a, b })
end

function Graph:both(a, b) return self:junction("AND", "OR", self.yes, a, b) end

---@param free boolean? only if that takes no further operation; else nil
function Graph:either(a, b, free)
  if a.op == "AND" and b.op == "AND" then -- p and c or p and not c
    for _, part in ipairs(a.args) do
      if has(b, "AND", part) and other_argument(a, part).opposite == other_argument(b, part) then return part end
    end
  end
  return self:junction("OR", "AND", self.no, a, b, free)
end

-- The validity of a node that was made from a column and nothing else.
local function same_nulls(node, load) return node == load or node.op == "CAST" and node.args[1] == load end

---a where the mask is set, else b.
function Graph:choose(mask, a, b)
  if mask == self.yes or a == b then return a end
  if mask == self.no then return b end
  if a.type == types.bool then return self:either(self:both(mask, a), self:both(self:negate(mask), b)) end
  if mask.op == "NOT" then mask, a, b = mask.args[1], b, a end
  if mask.op == "IS_NOT_NULL" and same_nulls(a, mask.args[1]) then
    return self:node("COALESCE", a.type, a.type, { a, b }, { nulls = b.nulls })
  end
  return self:node("SELECT", a.type, a.type, { mask, a, b }, { nulls = a.nulls or b.nulls })
end

return { new = new }
