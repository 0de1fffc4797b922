-- moonmill.expr.codegen.program - a list of instructions to the core's mm_program, without those whose result nobody
-- uses, and as text. An operation that can fail stays even when its result is unused: what was written is computed, so
-- errors never depend on what a later stage keeps.
local ffi = require "ffi"
local binding = require "moonmill.base.ffi"
local failure = require "moonmill.base.failure"
local node = require "moonmill.expr.typing.node"
local printable = require "moonmill.base.printable"
local types = require "moonmill.base.types"
local C = binding.C

local program = {}

-- Operations by the names that instructions have: those of the core in capitals.
local operations = setmetatable({}, { __index = function(known, name)
  local op = C.mm_op_find(name:lower())
  assert(op >= 0, name)
  known[name] = op
  return op
end })
local modes = { check = C.MM_CAST_CHECK, try = C.MM_CAST_TRY, wrap = C.MM_CAST_WRAP, sat = C.MM_CAST_SATURATE }

-- Instructions that outputs, filters and errors need, and the new number of each register. Filters and what can fail
-- keep their order; everything else moves down to just before its first use, so that what only later rows need is
-- computed for those only.
local function live_code(code, outputs)
  local turns = {} -- register -> index of the first instruction that needs it
  local function need(register, turn) turns[register] = math.min(turns[register] or turn, turn) end
  for _, register in ipairs(outputs) do need(register, #code + 1) end
  local order = {}
  for i = #code, 1, -1 do
    local instr = code[i]
    local turn = (instr.op == "FILTER" or instr.fails) and i or turns[instr.dst]
    if turn then
      order[#order + 1] = { turn = turn, index = i }
      for _, register in ipairs(instr.args) do need(register, turn) end
      if instr.guard and instr.guard >= 0 then need(instr.guard, turn) end
    end
  end
  table.sort(order, function(x, y)
    if x.turn ~= y.turn then return x.turn < y.turn end
    return x.index < y.index
  end)
  local live, numbers, count = {}, { [-1] = -1 }, 0
  for i, entry in ipairs(order) do
    live[i] = code[entry.index]
    if live[i].dst then
      numbers[live[i].dst] = count
      count = count + 1
    end
  end
  return live, numbers, count
end

local function set_value(to, n)
  to.type, to.null = types.to_c(n.type), n.null and 1 or 0
  if n.null then return end
  local type, value = n.type, n.value
  if type.text then
    to.text, to.size = value, #value
  elseif type.float then
    to.f = value
  elseif type == types.bool then
    to.i = value and 1 or 0
  elseif type.integer and not type.signed then
    to.u = value
  else
    to.i = value
  end
end

-- The constants of the code: one for each CONST, a run for each IN.
local function pool(live)
  local constants, first = {}, {}
  for _, instr in ipairs(live) do
    if instr.const or instr.items then
      first[instr] = #constants
      for _, n in ipairs(instr.items or { instr.const }) do constants[#constants + 1] = n end
    end
  end
  local values = ffi.new("mm_value[?]", math.max(#constants, 1))
  for i, n in ipairs(constants) do set_value(values[i - 1], n) end
  return values, #constants, first
end

---Build the core's program.
---@param code table[] instructions
---@param outputs integer[] registers
---@param columns integer number of input columns
---@param inputs table<integer, integer> index of a LOAD -> index of the program's input column
---@return ffi.cdata* program freed by the collector unless taken
function program.build(code, outputs, columns, inputs)
  local live, numbers, count = live_code(code, outputs)
  local values, value_count, first = pool(live)
  local instrs = ffi.new("mm_instr[?]", math.max(#live, 1))
  local registers = ffi.new("mm_type[?]", math.max(count, 1))
  for i, instr in ipairs(live) do
    local to = instrs[i - 1]
    to.op, to.type, to.type2 = operations[instr.op], instr.type.code, (instr.type2 or instr.type).code
    to.dst = instr.dst and numbers[instr.dst] or -1
    to.a, to.b, to.c = -1, -1, -1
    for k, register in ipairs(instr.args) do to[k == 1 and "a" or k == 2 and "b" or "c"] = numbers[register] end
    if instr.op == "LOAD" then to.a = inputs[instr.input] end
    if instr.const then to.a = first[instr] end
    if instr.items then to.b, to.c = first[instr], #instr.items end
    if instr.op == "CAST" then to.b = modes[instr.mode] end
    to.guard, to.place = numbers[instr.guard or -1], instr.place or -1
    if instr.dst then registers[numbers[instr.dst]] = types.to_c(instr.result) end
  end
  local out = ffi.new("int32_t[?]", math.max(#outputs, 1))
  for i, register in ipairs(outputs) do out[i - 1] = numbers[register] end
  local result, err = ffi.new "mm_program *[1]", binding.err
  failure.check(C.mm_program_new(instrs, #live, registers, count, values, value_count, out, #outputs, columns, result,
    err), err)
  return ffi.gc(result[0], C.mm_program_free)
end

---Input columns that the code reads: a set of indexes.
function program.reads(code, outputs)
  local reads = {}
  for _, instr in ipairs((live_code(code, outputs))) do
    if instr.input then reads[instr.input] = true end
  end
  return reads
end

local function shown_value(n)
  if n.null then return "null" end
  if type(n.value) == "string" then return ('"%s"'):format(n.value:gsub('[%c"\\]', function(c)
    return ("\\%03d"):format(c:byte()) end))
  end
  if type(n.value) == "number" then
    local text = ("%.15g"):format(n.value)
    return tonumber(text) == n.value and text or ("%.17g"):format(n.value)
  end
  return (tostring(n.value):gsub("U?LL$", ""))
end

local SHOWN = 8 -- items of a set

local function shown_items(items)
  local parts = {}
  for i = 1, math.min(#items, SHOWN) do parts[i] = shown_value(items[i]) end
  if #items > SHOWN then parts[#parts + 1] = ("... %d values"):format(#items) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

local function shown_instr(instr, numbers)
  local parts = {}
  for _, register in ipairs(instr.args) do parts[#parts + 1] = "%" .. numbers[register] end
  if instr.op == "FILTER" then return "filter " .. parts[1] end
  if instr.name then parts[1] = printable.line(instr.name) end
  if instr.const then parts[1] = shown_value(instr.const) end
  if instr.items then parts[#parts + 1] = shown_items(instr.items) end
  local type = instr.op == "CAST" and instr.result.name or instr.type.name
  if instr.op == "CAST" then
    type = (instr.mode == "check" and "" or instr.mode .. " ") .. type .. " <- " .. instr.type2.name
  elseif instr.op == "HASH" then
    type = instr.type2.name
  elseif instr.type2 and instr.type2 ~= instr.type then
    type = type .. "," .. instr.type2.name
  end
  local guard = instr.guard and instr.guard >= 0 and " when %" .. numbers[instr.guard] or ""
  return ("%%%d = %s %s %s%s"):format(numbers[instr.dst], instr.op:lower(), type, table.concat(parts, " "), guard)
end

---The operations as text, one a line, for `explain`.
---@param code table[]
---@param outputs integer[]
---@param names string[] of the outputs
---@return string
function program.listing(code, outputs, names)
  local live, numbers = live_code(code, outputs)
  local lines = {}
  for i, instr in ipairs(live) do lines[i] = shown_instr(instr, numbers) end
  local results = {}
  for i, name in ipairs(names) do results[i] = ("%s = %%%d"):format(printable.line(name), numbers[outputs[i]]) end
  lines[#lines + 1] = "return " .. table.concat(results, ", ")
  return table.concat(lines, "\n")
end

---A constant of the core as a constant node.
---@param value ffi.cdata* mm_value
---@param type moonmill.Type
---@param where table
function program.value(value, type, where)
  if value.null ~= 0 then return node.const(type, nil, where) end
  local plain
  if type.text then
    plain = ffi.string(value.text, value.size)
  elseif type.float then
    plain = value.f
  elseif type == types.bool then
    plain = value.i ~= 0
  elseif type.integer and not type.signed then
    plain = value.u
  else
    plain = value.i
  end
  return node.const(type, plain, where)
end

return program
