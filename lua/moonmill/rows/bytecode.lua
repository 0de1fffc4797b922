-- moonmill.rows.bytecode - what a Lua function does, as a list of instructions, without running it.
--
-- DESIGN. LuaJIT patches the bytecode of functions that it compiles, so a copy (dumped and loaded) is read. Everything
-- comes from jit.util, except how the upvalues of inner functions are bound, which only the dump tells.
local bit = require "bit"
local native = require "moonmill.base.ffi"
local util = require "jit.util"

local band, rshift = bit.band, bit.rshift

-- In the order of LuaJIT's opcodes.
local names = {}
for name in ([[
  ISLT ISGE ISLE ISGT ISEQV ISNEV ISEQS ISNES ISEQN ISNEN ISEQP ISNEP ISTC ISFC IST ISF ISTYPE ISNUM MOV NOT UNM LEN
  ADDVN SUBVN MULVN DIVVN MODVN ADDNV SUBNV MULNV DIVNV MODNV ADDVV SUBVV MULVV DIVVV MODVV POW CAT
  KSTR KCDATA KSHORT KNUM KPRI KNIL UGET USETV USETS USETN USETP UCLO FNEW TNEW TDUP GGET GSET
  TGETV TGETS TGETB TGETR TSETV TSETS TSETB TSETM TSETR CALLM CALL CALLMT CALLT ITERC ITERN VARG ISNEXT
  RETM RET RET0 RET1 FORI JFORI FORL IFORL JFORL ITERL IITERL JITERL LOOP ILOOP JLOOP JMP
]]):gmatch "%u+%d?" do names[#names + 1] = name end

-- Kinds of operands, as jit.util.funcbc tells them.
local kinds = { [0] = false, "dst", "base", "var", "rbase", "uv", "lit", "lits", "pri", "num", "str", "tab", "func",
  "jump", "cdata",
}

---@class moonmill.Instruction
---@field op string
---@field a integer
---@field b integer? of instructions with three operands
---@field d integer second or third operand
---@field a_kind string|false "dst", "var", "uv" ...
---@field b_kind string|false
---@field d_kind string|false
---@field line integer
---@field target integer? index of the instruction that a jump goes to
---@field text string? constant of d, when it is text
---@field number number? constant of d, when it is a number

---@class moonmill.Prototype
---@field code moonmill.Instruction[]
---@field parameters integer
---@field vararg boolean
---@field first_line integer
---@field upvalues { name: string, slot: integer?, outer: integer? }[] from 0; of the function around it: a slot, or
---  the number of an upvalue
---@field children moonmill.Prototype[] by index of the FNEW that makes them

-- Positions in a dump: numbers of 7 bits a byte, low first.
local function read_number(dump, at)
  local value, scale = 0, 1
  while true do
    local byte = dump:byte(at)
    value, scale, at = value + band(byte, 127) * scale, scale * 128, at + 1
    if byte < 128 then return value, at end
  end
end

-- The upvalue words of each function in a dump, inner functions before the one around them.
local function upvalue_words(dump)
  local flags, at = read_number(dump, 5)
  assert(dump:sub(1, 4) == "\27LJ\2" and band(flags, 2) == 0, "this LuaJIT's bytecode has another format")
  local size
  size, at = read_number(dump, at)
  at = at + size
  local all = {}
  while true do
    size, at = read_number(dump, at)
    if size == 0 then return all end
    local next_at = at + size
    local count = dump:byte(at + 3)
    local instructions, debug_bytes, _
    _, at = read_number(dump, at + 4)
    _, at = read_number(dump, at)
    instructions, at = read_number(dump, at)
    debug_bytes, at = read_number(dump, at)
    if debug_bytes > 0 then
      _, at = read_number(dump, at)
      _, at = read_number(dump, at)
    end
    at = at + 4 * instructions
    local words = {}
    for i = 0, count - 1 do words[i] = dump:byte(at + 2 * i) + 256 * dump:byte(at + 2 * i + 1) end
    all[#all + 1] = words
    at = next_at
  end
end

local LOCAL = 0x8000 -- an upvalue word that names a slot

local function read_instruction(proto, pc)
  local ins, mode = util.funcbc(proto, pc)
  if not ins then return nil end
  local item = {
    op = names[band(ins, 255) + 1], a = band(rshift(ins, 8), 255), d = rshift(ins, 16),
    a_kind = kinds[band(mode, 7)], b_kind = kinds[band(rshift(mode, 3), 15)], d_kind = kinds[band(rshift(mode, 7), 15)],
    line = util.funcinfo(proto, pc).currentline,
  }
  if item.b_kind then item.b, item.d = rshift(ins, 24), band(item.d, 255) end
  if item.d_kind == "jump" then item.target = pc + item.d - 0x7fff end
  if item.d_kind == "str" then item.text = util.funck(proto, -item.d - 1) end
  if item.d_kind == "num" then item.number = util.funck(proto, item.d) end
  return item
end

local function read_prototype(proto, words)
  local info = util.funcinfo(proto)
  local result = {
    code = {}, upvalues = {}, children = {}, parameters = info.params, vararg = info.isvararg or false,
    first_line = info.linedefined,
  }
  local children = {}
  if info.children then
    local n = -1
    while true do
      local constant = util.funck(proto, n)
      if constant == nil then break end
      if type(constant) == "proto" then children[-n - 1] = read_prototype(constant, words) end
      n = n - 1
    end
  end
  words.next = words.next + 1
  for i = 0, info.upvalues - 1 do
    local word = words[words.next][i]
    local slot = word >= LOCAL and band(word, 255) or nil
    result.upvalues[i] = { name = util.funcuvname(proto, i), slot = slot, outer = not slot and word or nil }
  end
  for pc = 1, math.huge do
    local item = read_instruction(proto, pc)
    if not item then break end
    result.code[pc] = item
    if item.op == "FNEW" then result.children[pc] = children[item.d] end
  end
  return result
end

---The bytecode of a Lua function.
---@param fn function
---@return string
local function dump(fn)
  local dumped, bytes = pcall(string.dump, fn)
  if not dumped then error(native.NO_MEMORY, 0) end -- all that can go wrong with a function of Lua
  return bytes
end

---The instructions of a Lua function and of those inside it.
---@param fn function
---@return moonmill.Prototype
local function read(fn)
  local bytes = dump(fn)
  local words = upvalue_words(bytes)
  words.next = 0
  return read_prototype(native.load_chunk(bytes), words)
end

return { dump = dump, read = read, names = names }
