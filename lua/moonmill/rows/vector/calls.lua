-- moonmill.rows.vector.calls - operators and functions of the standard library as operations of the machine, each with
-- the very bits that Lua gives.
local bit = require "bit"
local tags = require "moonmill.rows.vector.tags"
local types = require "moonmill.base.types"

local band = bit.band
local NUMBER = tags.NUMBER
local calls, known = {}, {}

---Modulo as Lua has it: a - floor(a / b) * b, each step rounded.
function calls.arithmetic(trace, op, a, b)
  local graph = trace.graph
  if op ~= "MOD" then return graph:compute(op, a, b) end
  return graph:compute("SUB", a, graph:compute("MUL", graph:compute("FLOOR", graph:compute("DIV", a, b)), b))
end

-- libm takes as long as twenty other operations, so lanes that do not come here are left out: they become null.
local function costly(trace, node)
  local mask = trace.state.mask
  if mask == trace.graph.yes then return node end
  return trace.graph:choose(mask, node, trace.graph:constant(types.f64, nil))
end

---x ^ 2 is one multiplication, as it is everywhere here (lua/host/state/power.c).
function calls.power(trace, a, b)
  local graph = trace.graph
  if b.op == "CONST" and b.value == 2 then return graph:compute("MUL", a, a) end
  if b.op == "CONST" and b.value == 1 then return a end
  if b.op == "CONST" and a.op == "CONST" then return graph:number(a.value ^ b.value) end
  return graph:compute("POW", costly(trace, a), b)
end

function calls.length(trace, text)
  if text.op == "CONST" then return trace.graph:number(#text.value) end
  return trace.graph:cast(trace.graph:apply("BYTES", types.utf8, text), types.f64, "wrap")
end

-- Argument k as a number.
local function number(trace, arguments, k, name)
  if not arguments[k] then trace:reject("it calls %s without argument %d", name, k) end
  return trace:need(arguments[k], NUMBER, name .. " of")
end

for _, name in ipairs { "abs", "floor", "ceil", "sqrt" } do
  known["math." .. name] = function(trace, arguments)
    return trace.graph:compute(name:upper(), number(trace, arguments, 1, "math." .. name))
  end
end

for _, name in ipairs { "exp", "log", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh" } do
  known["math." .. name] = function(trace, arguments)
    if name == "log" and arguments[2] then trace:reject "it calls math.log with a base" end
    local x = number(trace, arguments, 1, "math." .. name)
    return trace.graph:compute(name:upper(), x.op == "CONST" and x or costly(trace, x))
  end
end

known["math.atan2"] = function(trace, arguments)
  local y, x = number(trace, arguments, 1, "math.atan2"), number(trace, arguments, 2, "math.atan2")
  return trace.graph:compute("ATAN2", costly(trace, y), x)
end

known["math.pow"] = function(trace, arguments)
  return calls.power(trace, number(trace, arguments, 1, "math.pow"), number(trace, arguments, 2, "math.pow"))
end

known["math.deg"] = function(trace, arguments)
  return trace.graph:compute("MUL", number(trace, arguments, 1, "math.deg"), trace.graph:number(math.deg(1)))
end
known["math.rad"] = function(trace, arguments)
  return trace.graph:compute("MUL", number(trace, arguments, 1, "math.rad"), trace.graph:number(math.rad(1)))
end

-- Of two equal numbers, or where one is NaN, it is the second.
local function extreme(name, choose_first)
  known[name] = function(trace, arguments)
    local graph, result = trace.graph, number(trace, arguments, 1, name)
    for k = 2, #arguments do
      local next_one = number(trace, arguments, k, name)
      result = graph:choose(choose_first(graph, result, next_one), result, next_one)
    end
    return result
  end
end
extreme("math.min", function(graph, a, b) return graph:compute("LT", a, b) end)
extreme("math.max", function(graph, a, b) return graph:compute("LT", b, a) end)

-- These give values of other kinds: a list of results.
local special = {}

function special.error(trace)
  trace:stop()
  return {}
end

function special.assert(trace, arguments)
  local v = arguments[1] or trace.values.none
  local truth = trace.state:truth(v)
  if truth == trace.graph.no then return special.error(trace) end
  trace:refuse(trace.graph:negate(truth))
  if not v.kind then trace.state:refine(v, tags.ANY - tags.FALSY) end
  return arguments
end

local NAMES = { [tags.NIL] = "nil", [tags.FALSE] = "boolean", [tags.TRUE] = "boolean", [tags.NUMBER] = "number",
  [tags.TEXT] = "string" }

function special.type(trace, arguments)
  local v, state = arguments[1], trace.state
  if not v or v.kind then trace:reject "it calls type of a table or function" end
  local cases = {}
  for _, tag in ipairs(tags.LANES) do
    if band(state:tags(v), tag) ~= 0 then
      cases[#cases + 1] = { mask = state:is(v, tag), value = trace.values:plain(NAMES[tag]) }
    end
  end
  return { trace:cases(cases) }
end

function special.tonumber(trace, arguments)
  if #arguments ~= 1 then trace:reject "it calls tonumber with a base" end
  return { trace.values:number(trace:need(arguments[1], NUMBER, "tonumber of")) }
end

special["string.len"] = function(trace, arguments)
  local text = trace:need(arguments[1] or trace.values.none, tags.TEXT, "string.len of")
  return { trace.values:number(calls.length(trace, text)) }
end

---Call a function of the standard library.
---@param fn moonmill.LaneValue
---@param arguments moonmill.LaneValue[]
---@return moonmill.LaneValue[]
function calls.builtin(trace, fn, arguments)
  if fn.kind ~= "builtin" then trace:reject("it calls %s", fn.name or tags.describe(trace.state:tags(fn))) end
  if special[fn.object] then return special[fn.object](trace, arguments) end
  if not known[fn.object] then trace:reject("it calls %s", fn.object) end
  return { trace.values:number(known[fn.object](trace, arguments)) }
end

return calls
