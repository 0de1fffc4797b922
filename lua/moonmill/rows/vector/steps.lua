-- moonmill.rows.vector.steps - the effect of each bytecode instruction in all lanes: steps[op](trace, instruction).
local ffi = require "ffi"
local calls = require "moonmill.rows.vector.calls"
local compare = require "moonmill.rows.vector.compare"
local index = require "moonmill.rows.vector.index"
local tags = require "moonmill.rows.vector.tags"
local types = require "moonmill.base.types"

local NUMBER, TEXT = tags.NUMBER, tags.TEXT
local ARGUMENTS = ffi.abi "gc64" and 2 or 1 -- from a call's function to its first argument

local steps = {}

---Why an instruction makes a vector program impossible.
steps.refusals = {
  UCLO = "makes a function", FNEW = "makes a function", TNEW = "makes a table", TDUP = "makes a table",
  VARG = "takes any number of arguments", KCDATA = "uses a C value", GSET = "assigns to a global",
}
for _, op in ipairs { "USETV", "USETS", "USETN", "USETP" } do steps.refusals[op] = "assigns to a captured variable" end
for _, op in ipairs { "TSETV", "TSETS", "TSETB", "TSETM", "TSETR" } do steps.refusals[op] = "changes a table" end
for _, op in ipairs { "FORI", "JFORI", "FORL", "IFORL", "JFORL", "ITERL", "IITERL", "JITERL", "LOOP", "ILOOP", "JLOOP",
  "ITERC", "ITERN", "ISNEXT" } do steps.refusals[op] = "has a loop" end

-- nil, false, true by number.
local function primitive(trace, number)
  local values = trace.values
  return number == 0 and values.none or number == 1 and values.no or values.yes
end

---- Tests: the next instruction is the jump that is taken where they hold ----

-- NOT a < b holds for NaN: that is how the compiler writes `if a >= b then` from its other side.
local orders = { ISLT = "LT", ISGE = "LT", ISLE = "LE", ISGT = "LE" }
for op, order in pairs(orders) do
  steps[op] = function(trace, item)
    local condition = compare.order(trace, order, trace:slot(item.a), trace:slot(item.d))
    if op == "ISGE" or op == "ISGT" then condition = trace.graph:negate(condition) end
    trace:branch(condition)
  end
end

local function test_equal(trace, item, b, negated)
  local a = trace:slot(item.a)
  local condition = compare.equal(trace, a, b)
  local yes, no = trace.state:tags(b), tags.ANY
  if b.tags == tags.NIL or b.tags == tags.FALSE or b.tags == tags.TRUE then no = tags.ANY - b.tags end
  if negated then condition, yes, no = trace.graph:negate(condition), no, yes end
  if a.kind then trace:branch(condition) else trace:branch(condition, a, yes, no) end
end

local operands = {
  V = function(trace, item) return trace:slot(item.d) end,
  S = function(trace, item) return trace.values:plain(item.text) end,
  N = function(trace, item) return trace.values:plain(item.number) end,
  P = function(trace, item) return primitive(trace, item.d) end,
}
for letter, operand in pairs(operands) do
  steps["ISEQ" .. letter] = function(trace, item) test_equal(trace, item, operand(trace, item), false) end
  steps["ISNE" .. letter] = function(trace, item) test_equal(trace, item, operand(trace, item), true) end
end

-- IST jumps where the value is true; ISTC also copies it, in the lanes that jump.
local function test_truth(copies, negated)
  return function(trace, item)
    local v = trace:slot(item.d)
    local condition, yes, no = trace.state:truth(v), tags.ANY - tags.FALSY, tags.FALSY
    if negated then condition, yes, no = trace.graph:negate(condition), no, yes end
    if v.tags == tags.OBJECT then yes, no = tags.ANY, tags.ANY end
    local jumped = trace:branch(condition, v, yes, no)
    if jumped and copies then jumped.slots[item.a] = v end
  end
end
steps.IST, steps.ISF = test_truth(false, false), test_truth(false, true)
steps.ISTC, steps.ISFC = test_truth(true, false), test_truth(true, true)

function steps.JMP(trace, item) trace:jump(item.target) end

---- Moves and constants ----

local function set_slot(trace, item, v) trace.state.slots[item.a] = v end

function steps.MOV(trace, item) set_slot(trace, item, trace:slot(item.d)) end
function steps.KSHORT(trace, item)
  set_slot(trace, item, trace.values:plain(item.d >= 0x8000 and item.d - 0x10000 or item.d))
end
function steps.KNUM(trace, item) set_slot(trace, item, trace.values:plain(item.number)) end
function steps.KSTR(trace, item) set_slot(trace, item, trace.values:plain(item.text)) end
function steps.KPRI(trace, item) set_slot(trace, item, primitive(trace, item.d)) end
function steps.KNIL(trace, item)
  for slot = item.a, item.d do trace.state.slots[slot] = trace.values.none end
end

---- Operators ----

function steps.NOT(trace, item)
  set_slot(trace, item, trace.values:bool(trace.graph:negate(trace.state:truth(trace:slot(item.d)))))
end

function steps.UNM(trace, item)
  local node = trace.graph:compute("NEG", trace:need(trace:slot(item.d), NUMBER, "arithmetic on"))
  set_slot(trace, item, trace.values:number(node))
end

function steps.LEN(trace, item)
  local v = trace:slot(item.d)
  if v.kind == "table" then return set_slot(trace, item, trace.values:plain(#v.object)) end
  set_slot(trace, item, trace.values:number(calls.length(trace, trace:need(v, TEXT, "the length of"))))
end

for name, op in pairs { ADD = "ADD", SUB = "SUB", MUL = "MUL", DIV = "DIV", MOD = "MOD" } do
  local function step(pick)
    return function(trace, item)
      local a, b = pick(trace, item)
      a = trace:need(a, NUMBER, "arithmetic on")
      b = trace:need(b, NUMBER, "arithmetic on")
      set_slot(trace, item, trace.values:number(calls.arithmetic(trace, op, a, b)))
    end
  end
  steps[name .. "VV"] = step(function(trace, item) return trace:slot(item.b), trace:slot(item.d) end)
  steps[name .. "VN"] = step(function(trace, item) return trace:slot(item.b), trace.values:plain(item.number) end)
  steps[name .. "NV"] = step(function(trace, item) return trace.values:plain(item.number), trace:slot(item.b) end)
end

function steps.POW(trace, item)
  local a = trace:need(trace:slot(item.b), NUMBER, "arithmetic on")
  local b = trace:need(trace:slot(item.d), NUMBER, "arithmetic on")
  set_slot(trace, item, trace.values:number(calls.power(trace, a, b)))
end

-- A number becomes text only when it is known; the sign of a NaN is not.
local function joined(trace, v)
  if v.tags == NUMBER and v.number.value and v.number.value == v.number.value then
    return trace.graph:text(v.number.value .. "")
  end
  return trace:need(v, TEXT, "joining")
end

-- From the right, as Lua does.
function steps.CAT(trace, item)
  local text
  for slot = item.d, item.b, -1 do
    local part = joined(trace, trace:slot(slot))
    text = text and trace.graph:apply("CONCAT", types.utf8, part, text) or part
  end
  set_slot(trace, item, trace.values:text(text))
end

---- Captured variables, globals, fields ----

function steps.UGET(trace, item)
  local name, captured = debug.getupvalue(trace.frame.fn, item.d + 1)
  set_slot(trace, item, index.captured(trace, captured, name))
end

function steps.GGET(trace, item) set_slot(trace, item, index.global(trace, item.text)) end
function steps.TGETS(trace, item) set_slot(trace, item, index.field(trace, trace:slot(item.b), item.text)) end
function steps.TGETB(trace, item) set_slot(trace, item, index.field(trace, trace:slot(item.b), item.d)) end
function steps.TGETV(trace, item) set_slot(trace, item, index.at(trace, trace:slot(item.b), trace:slot(item.d))) end

---- Calls and returns ----

-- The values of `count` slots.
local function range(trace, first, count)
  local list = {}
  for k = 1, count do list[k] = trace:slot(first + k - 1) end
  return list
end

-- Call the function in slot A. Returns nothing when no lane comes back.
local function call(trace, item, count)
  local fn, arguments = trace:slot(item.a), range(trace, item.a + ARGUMENTS, count)
  local results, even
  if fn.kind == "function" then
    results, even = trace:enter(steps, fn.object, arguments)
  else
    results, even = calls.builtin(trace, fn, arguments), true
  end
  return trace.state and results, even
end

local function call_within(trace, item, count)
  local results, even = call(trace, item, count)
  if not results then return end
  local slots = trace.state.slots
  for slot = item.a, table.maxn(slots) do slots[slot] = nil end -- a call uses all slots above
  local wanted = item.b - 1
  if wanted < 0 then
    if not even then trace:reject "it passes on results whose number differs" end
    wanted, trace.frame.open = #results, #results
  end
  for k = 1, wanted do slots[item.a + k - 1] = results[k] or trace.values.none end
end

function steps.CALL(trace, item) call_within(trace, item, item.d - 1) end
function steps.CALLM(trace, item) call_within(trace, item, item.d + trace.frame.open) end

local function call_last(trace, item, count)
  local results, even = call(trace, item, count)
  if not results then return end
  if not even and trace.depth > 1 then trace:reject "it passes on results whose number differs" end
  trace:give(results)
end

function steps.CALLT(trace, item) call_last(trace, item, item.d - 1) end
function steps.CALLMT(trace, item) call_last(trace, item, item.d + trace.frame.open) end

function steps.RET0(trace) trace:give {} end
function steps.RET1(trace, item) trace:give { trace:slot(item.a) } end
function steps.RET(trace, item) trace:give(range(trace, item.a, item.d - 1)) end
function steps.RETM(trace, item) trace:give(range(trace, item.a, item.d + trace.frame.open)) end

return steps
