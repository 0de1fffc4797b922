-- moonmill.rows.inspect - what a row function may not do, and which columns it reads, seen in its bytecode.
--
-- DESIGN. A row's result may depend on that row, the parameters and values that never change, so that it is the same
-- with any number of threads. Hidden state is a write to something from outside: a captured variable, a global, a field
-- of a captured table. The first two are always seen here. For fields the walk is exact within straight code and
-- forgets at every jump, so that it never accuses wrongly; what it misses is found while the rows run, by
-- moonmill.rows.worker.guard.
local bytecode = require "moonmill.rows.bytecode"
local failure = require "moonmill.base.failure"

local inspect = {}

local HINT = "a result may only depend on its own row; what is counted or collected over rows belongs in a group"

local function jump_targets(code)
  local targets = {}
  for _, item in ipairs(code) do
    if item.target then targets[item.target] = true end
  end
  return targets
end

local sets_field = { TSETV = true, TSETS = true, TSETB = true, TSETM = true, TSETR = true }
local gets_field = { TGETV = true, TGETS = true, TGETB = true, TGETR = true }

-- Names of the captured tables that slots hold, as far as straight-line code shows.
local Known = {}
Known.__index = Known

function Known:follow(item, captured)
  local op, slots = item.op, self.slots
  local value
  if op == "UGET" then value = captured[item.d]
  elseif op == "GGET" then value = item.text
  elseif op == "MOV" then value = slots[item.d]
  elseif gets_field[op] and slots[item.b] then value = slots[item.b] .. (item.text and "." .. item.text or "[...]")
  end
  if item.a_kind == "base" or op == "CALL" then -- calls and loops use all slots above
    for slot in pairs(slots) do
      if slot >= item.a then slots[slot] = nil end
    end
  elseif item.a_kind == "dst" then
    slots[item.a] = value
  end
end

-- The captured upvalues of a function by index, given those of the function around it.
local function captured_names(proto, outer)
  local names = {}
  for i, upvalue in pairs(proto.upvalues) do
    if not outer then names[i] = upvalue.name
    elseif upvalue.outer then names[i] = outer[upvalue.outer]
    end
  end
  return names
end

local function find_writes(proto, outer, found)
  local captured, targets = captured_names(proto, outer), jump_targets(proto.code)
  local known = setmetatable({ slots = {} }, Known)
  for pc, item in ipairs(proto.code) do
    if targets[pc] then known.slots = {} end
    if item.a_kind == "uv" and captured[item.a] then
      found[#found + 1] = { line = item.line, what = ("the captured variable '%s'"):format(captured[item.a]) }
    elseif item.op == "GSET" then
      found[#found + 1] = { line = item.line, what = ("the global '%s'"):format(item.text) }
    elseif sets_field[item.op] and item.op ~= "TSETM" and known.slots[item.b] then
      found[#found + 1] = { line = item.line, what = ("the captured table '%s'"):format(known.slots[item.b]) }
    end
    known:follow(item, captured)
    if proto.children[pc] then find_writes(proto.children[pc], captured, found) end
  end
end

---Refuse a function that would carry state from row to row.
---@param fn function
---@param proto? moonmill.Prototype of the function, when it was read before
function inspect.refuse_state(fn, proto)
  local found = {}
  find_writes(proto or bytecode.read(fn), nil, found)
  if #found == 0 then return end
  table.sort(found, function(a, b) return a.line < b.line end)
  failure.raise {
    id = "hidden-state", message = "the row function assigns to " .. found[1].what, hint = HINT,
    file = debug.getinfo(fn, "S").short_src, line = found[1].line,
  }
end

local function add_globals(proto, list)
  for pc, item in ipairs(proto.code) do
    if item.op == "GGET" then list[#list + 1] = { name = item.text, line = item.line } end
    if proto.children[pc] then add_globals(proto.children[pc], list) end
  end
  return list
end

---The globals that a function reads.
---@param proto moonmill.Prototype
---@return { name: string, line: integer }[]
function inspect.globals(proto) return add_globals(proto, {}) end

-- r:i64 "name" at an index of the code: the name and the number of instructions.
local function exact_read(code, pc)
  local self, get, name, call = code[pc], code[pc + 1], code[pc + 2], code[pc + 3]
  if call and self.op == "MOV" and self.d == 0 and get.op == "TGETS" and get.b == 0 and get.text == "i64"
    and name.op == "KSTR" and name.a == self.a + 1 and call.op == "CALL" and call.a == get.a and call.d == 3 then
    return name.text
  end
end

local reads_range = { RET = true, RET1 = true, RETM = true, CALLT = true, CALLMT = true }

-- Does an instruction use or overwrite slot 0 in any way but r.name?
local function touches_row(item, child)
  if item.op == "TGETS" and item.b == 0 then return item.a == 0 end
  local kind = item.a_kind
  if item.a == 0 and (kind == "dst" or kind == "var" or kind == "base" or reads_range[item.op]) then return true end
  if item.b == 0 and (item.b_kind == "var" or item.b_kind == "rbase") then return true end
  if item.d == 0 and item.d_kind == "var" then return true end
  for _, upvalue in pairs(child and child.upvalues or {}) do
    if upvalue.slot == 0 then return true end
  end
  return false
end

---The columns that a row function reads as r.name or r:i64 "name"; nil when it may read any.
---@param fn function
---@return table<string, true>?
function inspect.reads(fn)
  local proto = bytecode.read(fn)
  local reads = {}
  if proto.parameters == 0 then return not proto.vararg and reads or nil end
  local pc = 1
  while proto.code[pc] do
    local item = proto.code[pc]
    local exact = exact_read(proto.code, pc)
    if exact then
      reads[exact] = true
      pc = pc + 3
    elseif touches_row(item, proto.children[pc]) then
      return nil
    elseif item.op == "TGETS" and item.b == 0 then
      reads[item.text] = true
    end
    pc = pc + 1
  end
  return reads
end

return inspect
