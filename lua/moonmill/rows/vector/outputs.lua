-- moonmill.rows.vector.outputs - what a function returns, as columns of the declared types. Lanes whose result does not
-- fit are left to Lua, which says what is wrong with them.
local bit = require "bit"
local native = require "moonmill.base.ffi"
local tags = require "moonmill.rows.vector.tags"
local types = require "moonmill.base.types"

local band, bnot = bit.band, bit.bnot

-- All lanes that count are known to be there: make the node say so.
local function without_nulls(graph, node, filler)
  return node.nulls and graph:node("COALESCE", node.type, node.type, { node, filler }, { nulls = false }) or node
end

-- Null where the mask is not set. Never the very column of the input, which is not ours to give.
local function owned(graph, node, given, filler)
  if given ~= graph.yes then
    local null = graph:constant(node.type, nil)
    return graph:node("SELECT", node.type, node.type, { given, node, null }, { nulls = true })
  end
  if node.op == "LOAD" then
    return graph:node("COALESCE", node.type, node.type, { node, filler }, { nulls = false })
  end
  return without_nulls(graph, node, filler)
end

-- May text of this node be no valid UTF-8?
local function doubtful(node)
  if node.doubtful ~= nil then return node.doubtful end
  node.doubtful = false
  if node.op == "CONST" then
    node.doubtful = tonumber(native.C.mm_utf8_invalid(node.value, #node.value)) >= 0
  elseif node.op == "LOAD" then
    node.doubtful = node.type ~= types.utf8
  end
  for _, arg in ipairs(node.args) do node.doubtful = node.doubtful or arg.type.text and doubtful(arg) end
  return node.doubtful
end

local stored = { date = types.i32, timestamp = types.i64, duration = types.i64 }
local makers = {}

local same_size = { NEG = true, ABS = true, FLOOR = true, CEIL = true }
local sizes = {
  ADD = function(a, b) return a + b end, SUB = function(a, b) return a + b end, MUL = function(a, b) return a * b end,
}

local size_of

local function find_size(node)
  local op, args = node.op, node.args
  if op == "CONST" then return node.null and 0 or node.value == node.value and math.abs(node.value) or nil end
  if op == "CAST" then return args[1].type.integer and 2 ^ args[1].type.bits or nil end
  if same_size[op] then return size_of(args[1]) end
  local chosen = op == "SELECT" or op == "COALESCE"
  if not chosen and not sizes[op] then return nil end
  local a, b = size_of(args[op == "SELECT" and 2 or 1]), size_of(args[op == "SELECT" and 3 or 2])
  if not a or not b then return nil end
  if chosen then return math.max(a, b) end
  return a < math.huge and b < math.huge and sizes[op](a, b) or nil
end

-- How far a number may be from zero; nil if it may be NaN.
function size_of(node)
  if node.size == nil then node.size = find_size(node) or false end
  return node.size or nil
end

local function float(trace, node, of)
  local graph = trace.graph
  local never_nan = size_of(node)
  if of == types.f32 then node = graph:cast(node, types.f32, "wrap") end
  return never_nan and node or graph:apply("PLAIN", of, node)
end

-- The cast fails where the number is not whole or does not fit, but for the 64-bit types, whose numbers are exact up to
-- 2^53 only.
local function integer(trace, node, of, lanes)
  local graph = trace.graph
  if of.bits == 64 then
    local exact = graph:compute("LE", graph:compute("ABS", node), graph:number(2 ^ 53))
    trace:refuse(graph:both(lanes, graph:negate(exact)))
  end
  return graph:node("CAST", of, of, { node }, { key = "check " .. lanes.id, mode = "check", guard = lanes })
end

makers[tags.NUMBER] = function(trace, v, field, lanes)
  local of = stored[field.type.id] or field.type
  if of.float then return float(trace, v.number, of), trace.graph:constant(of, 0) end
  local zero = of == types.u64 and 0ULL or of.bits == 64 and 0LL or 0
  return integer(trace, v.number, of, lanes), trace.graph:constant(of, zero)
end

makers[tags.TEXT] = function(trace, v, field)
  if field.type == types.utf8 and doubtful(v.text) then trace:reject("result '%s' may not be UTF-8", field.name) end
  return v.text, trace.graph:text ""
end

makers[tags.BOOL] = function(trace, v)
  return trace.graph:is_true(trace.state:is(v, tags.TRUE)), trace.graph.no
end

local function kind_of(field)
  if field.type == types.bool then return tags.BOOL end
  return field.type.text and tags.TEXT or tags.NUMBER
end

-- The node of a result's column.
local function column(trace, v, field)
  local graph, state = trace.graph, trace.state
  local kind, set = kind_of(field), state:tags(v)
  if v.kind or band(set, kind + (field.nullable and tags.NIL or 0)) == 0 then
    trace:reject("result '%s' is %s", field.name, tags.describe(set))
  end
  local given = graph.no
  for _, tag in ipairs(tags.LANES) do
    local lanes = state:is(v, tag)
    if band(kind, tag) ~= 0 then given = graph:either(given, lanes)
    elseif tag ~= tags.NIL or not field.nullable then trace:refuse(lanes)
    end
  end
  if band(set, kind) == 0 then return graph:constant(stored[field.type.id] or field.type, nil) end
  if band(set, bnot(kind)) == 0 or not field.nullable then given = graph.yes end
  local node, filler = makers[kind](trace, v, field, given)
  return owned(graph, node, given, filler)
end

local outputs = {}

---The columns of a map's results.
---@param trace moonmill.Trace its state is that of the return
---@param results moonmill.LaneValue[]
---@param fields { name: string, type: moonmill.Type, nullable: boolean }[]
---@return moonmill.GraphNode[]
function outputs.columns(trace, results, fields)
  local extra = results[#fields + 1]
  if extra then trace:refuse(trace.graph:negate(trace.state:is(extra, tags.NIL))) end
  local list = {}
  for k, field in ipairs(fields) do list[k] = column(trace, results[k] or trace.values.none, field) end
  return list
end

---The lanes that a predicate keeps.
function outputs.kept(trace, results)
  return trace.graph:is_true(trace.state:truth(results[1] or trace.values.none))
end

return outputs
