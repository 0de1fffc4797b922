-- moonmill.rows.vector.trace - walks through a row function's bytecode once, for all lanes at the same time.
--
-- DESIGN. Where the function branches, both sides are walked, each for its lanes; where they meet, states are merged
-- (moonmill.rows.vector.branch_merge). So what comes out has no branches. Only jumps forward can be followed. Functions
-- that are called are walked in place. Lanes in which Lua would raise an error, or in which it is not known what Lua
-- would do, are gathered in `refused`: a batch that has one is given to Lua. What could be right in no lane, or cannot
-- be told in time, makes reject give up the whole function.
local bit = require "bit"
local bytecode = require "moonmill.rows.bytecode"
local graphs = require "moonmill.rows.vector.graph"
local merge = require "moonmill.rows.vector.branch_merge"
local states = require "moonmill.rows.vector.state"
local tags = require "moonmill.rows.vector.tags"
local value = require "moonmill.rows.vector.value"

local band = bit.band
local DEEPEST, LONGEST = 20, 20000 -- calls within calls; instructions that are walked

---@class moonmill.Trace
---@field graph moonmill.Graph
---@field values moonmill.Values
---@field inputs table<string, table> columns by name
---@field params table<string, any>
---@field nulls table<string, true> parameters that are null
---@field refused moonmill.GraphNode mask
---@field frame table the function that is walked
---@field state moonmill.LaneState|false false: no lane comes here
local Trace = {}
Trace.__index = Trace

---@param inputs table<string, table>
---@param params table<string, any>
---@param nulls table<string, true>
---@param named table<any, table> modules and their functions
---@return moonmill.Trace
local function new(inputs, params, nulls, named)
  local self = setmetatable({
    inputs = inputs, params = params, nulls = nulls, named = named, frame = false, state = false, depth = 0, walked = 0,
  }, Trace)
  self.graph = graphs.new(function() self:reject "it is too long" end)
  self.values = value.new(self.graph)
  self.refused = self.graph.no
  return self
end

---Give up, at the line that is being walked.
function Trace:reject(what, ...)
  local frame = self.frame
  error({ reject = what:format(...), line = frame and frame.line, file = frame and frame.file }, 0)
end

---Leave lanes to Lua: those of a mask among those that come here.
function Trace:refuse(mask)
  local graph = self.graph
  self.refused = graph:either(self.refused, graph:both(self.state.mask, mask))
  if self.refused == graph.yes then self:reject "it fails for every row" end
end

---No lane goes on from here.
function Trace:stop()
  self:refuse(self.graph.yes)
  self.state = false
end

---What a value is where it is of a kind, NUMBER or TEXT; other lanes are left to Lua.
---@param action string what is done with it, for messages
function Trace:need(v, tag, action)
  local state = self.state
  local set = state:tags(v)
  if band(set, tag) == 0 then self:reject("%s %s", action, tags.describe(set)) end
  if set ~= tag then
    self:refuse(self.graph:negate(state:is(v, tag)))
    state:refine(v, tag)
  end
  return tag == tags.NUMBER and v.number or v.text
end

---The value in a slot.
function Trace:slot(number)
  local v = self.state.slots[number]
  if not v then self:reject "it uses what only some branches set" end
  if v.kind == "mixed" then self:reject "a variable holds different tables or functions" end
  return v
end

-- Let lanes go on at a later instruction. Returns their state, unless there are none.
function Trace:follow(target, mask)
  if target <= self.frame.pc then self:reject "it has a loop" end
  if mask == self.graph.no then return nil end
  local state = self.state:copy(mask)
  local list = self.frame.arriving[target] or {}
  self.frame.arriving[target] = list
  list[#list + 1] = state
  return state
end

---Branch: lanes where `condition` holds jump to the target of the next instruction, the others go on behind it. A value
---is one of `yes` in the former and one of `no` in the latter, if they are given.
---@return moonmill.LaneState? state of the lanes that jump
function Trace:branch(condition, v, yes, no)
  local frame, graph, state = self.frame, self.graph, self.state
  local target = frame.code[frame.pc + 1].target
  local jumping = graph:both(state.mask, condition)
  local staying = graph:both(state.mask, graph:negate(condition))
  local possible = not v or band(state:tags(v), yes) ~= 0
  local jumped = possible and self:follow(target, jumping)
  if jumped and v then jumped:refine(v, yes) end
  state.mask = staying
  if staying == graph.no or v and not state:refine(v, no) then self.state = false end
  frame.next = frame.pc + 2
  return jumped or nil
end

function Trace:jump(target)
  self:follow(target, self.state.mask)
  self.state = false
end

---A value that differs by lane: that of the case whose mask is set, and nil where none is.
---@param cases { mask: moonmill.GraphNode, value: moonmill.LaneValue }[] of masks that have no lane in common
---@return moonmill.LaneValue
function Trace:cases(cases)
  local graph, here, list = self.graph, self.state, {}
  local rest = here.mask
  for _, case in ipairs(cases) do
    local mask = graph:both(here.mask, case.mask)
    if mask ~= graph.no then list[#list + 1] = states.new(graph, mask, { case.value }, here.refined) end
    rest = graph:both(rest, graph:negate(case.mask))
  end
  if rest ~= graph.no then list[#list + 1] = states.new(graph, rest, { self.values.none }, here.refined) end
  return merge(self.values, list).slots[1]
end

---The function ends here with these results.
function Trace:give(results)
  local state, slots = self.state, {}
  for k, v in ipairs(results) do slots[k] = v end
  local returns = self.frame.returns
  returns[#returns + 1] = { state = states.new(self.graph, state.mask, slots, state.refined), count = #results }
  self.state = false
end

-- States that jumped to an instruction join the one that comes there.
function Trace:arrive(pc)
  local list = self.frame.arriving[pc]
  if not list then return end
  if self.state then table.insert(list, 1, self.state) end
  self.state = merge(self.values, list)
end

-- A jump behind a condition may be the target of another jump.
local function pass_on(frame, pc)
  local list = frame.arriving[pc]
  if not list then return end
  local target = frame.code[pc].target
  frame.arriving[target] = frame.arriving[target] or {}
  for _, state in ipairs(list) do table.insert(frame.arriving[target], state) end
end

function Trace:walk(steps)
  local frame = self.frame
  local code, pc = frame.code, 1
  while code[pc] do
    local item = code[pc]
    frame.pc, frame.line, frame.next = pc, item.line, pc + 1
    self:arrive(pc)
    self.walked = self.walked + 1
    if self.walked > LONGEST then self:reject "it is too long" end
    if self.state then
      local step = steps[item.op] or self:reject("it %s", steps.refusals[item.op] or "does something unusual")
      step(self, item)
      if frame.next > pc + 1 then pass_on(frame, pc + 1) end
    end
    pc = frame.next
  end
end

---Walk a function in the present lanes. Afterwards they have left it, with its results.
---@param steps table moonmill.rows.vector.steps
---@param fn function
---@param arguments moonmill.LaneValue[]
---@return moonmill.LaneValue[] results in all lanes; those that only some lanes have are nil in the others
---@return boolean even the number of results is the same in all lanes
function Trace:enter(steps, fn, arguments)
  local outer, state = self.frame, self.state
  local proto = bytecode.read(fn)
  if proto.vararg then self:reject "it takes any number of arguments" end
  if self.depth == DEEPEST then self:reject "calls are too deep" end
  local slots = {}
  for k = 1, proto.parameters do slots[k - 1] = arguments[k] or self.values.none end
  self.frame = {
    fn = fn, code = proto.code, arriving = {}, returns = {}, open = 0, file = debug.getinfo(fn, "S").short_src,
    line = proto.first_line,
  }
  self.depth = self.depth + 1
  self.state = states.new(self.graph, state.mask, slots, state:copy(state.mask).refined)
  self:walk(steps)
  local results, even = self:leave()
  self.depth = self.depth - 1
  self.frame = outer
  if self.state then self.state.slots = state.slots end
  return results, even
end

-- All returns of a function as one.
function Trace:leave()
  local returns, most, even = self.frame.returns, 0, true
  for _, item in ipairs(returns) do
    even = even and item.count == returns[1].count
    most = math.max(most, item.count)
  end
  local list = {}
  for i, item in ipairs(returns) do
    for k = item.count + 1, most do item.state.slots[k] = self.values.none end
    list[i] = item.state
  end
  self.state = #list > 0 and merge(self.values, list)
  local results = {}
  for k = 1, self.state and most or 0 do results[k] = self.state.slots[k] end
  return results, even
end

return { new = new }
