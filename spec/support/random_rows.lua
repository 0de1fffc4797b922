-- random_rows - random row functions, as Lua source, over random columns that hold everything odd.
--
--   local random = require "random_rows"
--   local source = random.source()     -- "local K, T, ... = ...\nreturn function(r, p) ... end"
--   local fn = random.load(source)
--   local fields = random.fields(1003) -- for columns.table
--   random.check(seed, 30)             -- compare the program of each of 30 with its loop; how many had one
local columns = require "columns"
local rowfn = require "rowfn"
local vectorise = require "moonmill.rows.vector.vectorise"
local null = columns.null

local M = {}
local R = math.random
local function pick(list) return list[R(#list)] end

---What functions know as p.
M.params = { rate = 1.5, flag = true, off = false, name = "basic", zero = -0.0, neg = -2 }

local SPECIAL = { 0 / 0, 1 / 0, -1 / 0, -0.0, 0, 1, -1, 0.5, -0.5, 2, 1e308, -1e308, 5e-324, 2 ^ 53, -3.5, 3, 2 ^ 31,
  1e-310 }
local TEXTS = { "a", "b", "basic", "premium", "enterprise-plus", "", "é", "basic2" }

local function number()
  if R() < 0.4 then return pick(SPECIAL) end
  return math.sqrt(-2 * math.log(1 - R())) * math.cos(2 * math.pi * R())
end
local function maybe(share, make)
  return function() return R() < share and null or make() end
end
local function text() return pick(TEXTS) end
local function integer(low, high) return function() return R() < 0.2 and pick { low, high, 0 } or R(-20, 20) end end
local function wide()
  return R() < 0.02 and 2LL ^ 53 + R(-1, 1) or R() < 0.3 and 1LL * R(-2 ^ 40, 2 ^ 40) or 1LL * R(-9, 9)
end

local KINDS = {
  { "a", "f64", number }, { "b", "f64", number }, { "c", "f64", function() return R(4) - 2 end },
  { "f", "f32", function() return pick { 0.5, -0.0, 0 / 0, 1 / 0, 3, R() } end },
  { "x", "f64", maybe(0.3, number), true }, { "q", "f64", maybe(0.02, number), true },
  { "i", "i32", maybe(0.1, integer(-2 ^ 31, 2 ^ 31 - 1)), true }, { "n", "i64", wide },
  { "u", "u8", function() return R(0, 255) end }, { "d", "date", function() return R(-1000, 20000) end },
  { "t", "bool", function() return R(2) == 1 end }, { "m", "bool", maybe(0.3, function() return R(2) == 1 end), true },
  { "k", "utf8", text }, { "s", "utf8", maybe(0.3, text), true },
}

---Random columns of n rows.
function M.fields(n)
  local fields = {}
  for i, kind in ipairs(KINDS) do
    local list = { n = n }
    for row = 1, n do list[row] = kind[3]() end
    fields[i] = { kind[1], kind[2], list, kind[4], n = n }
  end
  return fields
end

---- Expressions. A name that is not `safe` may hold nil or a boolean. ----

local NUMBERS, MAYBE = { "r.a", "r.b", "r.c", "r.f", "r.u", "r.n", "r.d" }, { "r.x", "r.q", "r.i" }
local LITERALS = { "0", "1", "(-1)", "0.5", "(-0.5)", "2", "1e300", "0.1", "3", "(-0.0)", "100000", "(0/0)", "(1/0)" }
local CONSTANTS = { "p.rate", "p.zero", "p.neg", "K", "T.low", "T.high", "L[2]", "math.huge" }
local TESTS = { '"a"', '"basic"', '"enterprise-plus"', '""', "p.name", "nil" }
local names, count, kinds
local numeric, logical

local function variable()
  local v = pick(names)
  return v.safe and v.name or ("(%s or %s)"):format(v.name, pick(LITERALS))
end

local function leaf()
  local k = R(8)
  if k <= 3 then return pick(NUMBERS) end
  if k == 4 then return pick(LITERALS) end
  if k == 5 then return R() < 0.25 and pick(MAYBE) or pick(NUMBERS) end
  if k == 6 then return pick(CONSTANTS) end
  return #names > 0 and variable() or "r.a"
end

local compound = {
  function(d) return ("(%s %s %s)"):format(numeric(d), pick { "+", "-", "*", "/", "%" }, numeric(d)) end,
  function(d) return ("(%s %s %s)"):format(numeric(d), pick { "+", "-", "*" }, numeric(d)) end,
  function(d) return ("(-%s)"):format(numeric(d)) end,
  function(d) return ("(%s or %s)"):format(pick(MAYBE), numeric(d)) end,
  function(d) return ("(%s and %s or %s)"):format(logical(d), numeric(d), numeric(d)) end,
  function(d)
    return ("%s%s(%s)"):format(pick { "math.", "mm." }, pick { "floor", "ceil", "abs", "sqrt" }, numeric(d))
  end,
  function(d)
    local third = R() < 0.3 and "," .. numeric(d) or ""
    return ("%s(%s,%s%s)"):format(pick { "math.max", "math.min", "min" }, numeric(d), numeric(d), third)
  end,
  function(d)
    local name = pick { "floor", "math.exp", "math.log", "abs", "math.sin", "math.tanh" }
    return ("%s(%s)"):format(name, numeric(d))
  end,
  function(d) return ("((%s)^%s)"):format(numeric(d), pick { "3", "0.5", "r.c", "(-1)", "2" }) end,
  function(d) return ("%s(%s, %s)"):format(pick { "scale", "pickone", "clip" }, numeric(d), numeric(d)) end,
  function() return ("(T[%s] or 1)"):format(pick { "r.k", "r.s", "r.t and 'low'" }) end,
  function() return ("#%s"):format(pick { "r.k", "(r.s or '')", "p.name" }) end,
}

function numeric(depth)
  if depth <= 0 or R() < 0.3 then return leaf() end
  return pick(compound)(depth - 1)
end

local simple = {
  function(d) return ("(%s %s %s)"):format(numeric(d), pick { "<", ">", "<=", ">=", "==", "~=" }, numeric(d)) end,
  function(d) return ("(%s %s %s)"):format(numeric(d), pick { "<", ">=", "~=" }, numeric(d)) end,
  function() return ("(%s %s %s)"):format(pick { "r.k", "r.s" }, pick { "==", "~=" }, pick(TESTS)) end,
  function() return ("(%s %s nil)"):format(pick { "r.x", "r.q", "r.s", "r.a", "r.m", "r.i" }, pick { "==", "~=" }) end,
  function() return pick { "p.flag", "p.off", "r.x", "r.q", "r.s", "r.t", "r.m", "T.none" } end,
  function() return #names > 0 and pick(names).name or "r.x" end,
  function() return ("(r.k %s %s)"):format(pick { "<", ">=" }, pick { "'b'", "(r.s or 'basic')", "p.name" }) end,
  function() return ("(type(%s) == %s)"):format(pick { "r.x", "r.s", "r.m", "r.a" }, pick { "'nil'", "'number'",
    "'boolean'" }) end,
}

function logical(depth)
  if depth <= 0 or R() < 0.6 then return pick(simple)(depth - 1) end
  local k = R(4)
  if k == 1 then return "not " .. logical(depth - 1) end
  if k == 2 then return ("(%s == %s)"):format(logical(depth - 1), logical(depth - 1)) end
  return ("(%s %s %s)"):format(logical(depth - 1), k == 3 and "and" or "or", logical(depth - 1))
end

-- Something for a local, and is it surely a number?
local function anything(depth)
  local k = R(10)
  if k <= 6 then return numeric(depth), true end
  if k == 7 then return "nil" end
  if k == 8 then return logical(depth) end
  if k == 9 then return pick(MAYBE) end
  return ("(%s and %s)"):format(logical(depth), numeric(depth))
end

local makers = {
  number = function() return numeric(2) end,
  maybe = function() return pick { numeric(2), "nil", "r.x", "(r.q or nil)" } end,
  bool = function() return ("(not not %s)"):format(logical(2)) end,
  text = function() return pick { '"no"', "r.k", '(r.s or "none")', '(r.k .. "!")', "p.name" } end,
  whole = function() return ("floor(%s)"):format(pick { "r.a", "r.i or 0", "r.u", "r.b * 3", "7" }) end,
}

local function returned()
  local parts = {}
  for i, kind in ipairs(kinds) do parts[i] = makers[kind]() end
  if R() < 0.03 then parts[#parts] = nil end
  return table.concat(parts, ", ")
end

local block

local function branches(depth, indent, lines)
  lines[#lines + 1] = indent .. "if " .. logical(2) .. " then"
  block(depth - 1, R(3), indent .. " ", lines)
  while R() < 0.4 do
    lines[#lines + 1] = indent .. "elseif " .. logical(2) .. " then"
    block(depth - 1, R(3), indent .. " ", lines)
  end
  if R() < 0.6 then
    lines[#lines + 1] = indent .. "else"
    block(depth - 1, R(3), indent .. " ", lines)
  end
  lines[#lines + 1] = indent .. "end"
end

local function statement(depth, indent, lines)
  local k = R(10)
  if k == 1 or #names < 3 then
    local made, safe = anything(2)
    lines[#lines + 1] = ("%slocal v%d = %s"):format(indent, count, made)
    names[#names + 1] = { name = "v" .. count, safe = safe }
    count = count + 1
  elseif k <= 6 then
    local v, made, safe = pick(names), anything(2)
    if v.safe and not safe then made = numeric(2) end
    lines[#lines + 1] = ("%s%s = %s"):format(indent, v.name, made)
  elseif k <= 9 and depth > 0 then
    branches(depth, indent, lines)
  elseif depth < 3 and R() < 0.35 then
    lines[#lines + 1] = ("%sdo return %s end"):format(indent, returned())
  elseif R() < 0.1 then
    lines[#lines + 1] = ("%sif %s then error('odd row') end"):format(indent, "r.a == 5e-324")
  end
end

function block(depth, statements, indent, lines)
  local base = #names
  for _ = 1, statements do statement(depth, indent, lines) end
  if depth == 3 then return end
  for i = #names, base + 1, -1 do names[i] = nil end
end

local TYPES = { number = { "f64", "f64", "f32" }, maybe = { "f64?" }, bool = { "bool", "bool?" },
  text = { "utf8", "utf8?" }, whole = { "f64", "i64", "i32", "u8?", "u64", "i16", "timestamp", "date?" } }

---A random function's source, and its outputs: "y1: f64, y2: bool?".
function M.source()
  names, count, kinds = {}, 1, {}
  local outputs = {}
  for i = 1, R(3) do
    kinds[i] = pick { "number", "number", "maybe", "bool", "text", "whole" }
    outputs[i] = ("y%d: %s"):format(i, pick(TYPES[kinds[i]]))
  end
  local lines = {}
  block(3, R(2, 10), " ", lines)
  if R() < 0.95 then lines[#lines + 1] = " return " .. returned() end
  return "local K, T, L, mm, floor, abs, min, scale, pickone, clip = ...\nreturn function(r, p)\n"
    .. table.concat(lines, "\n") .. "\nend", table.concat(outputs, ", ")
end

local function scale(x, by) return x * (by or 1) end
local function pickone(a, b)
  if a > b then return a end
  if a ~= a then return 1, b end
  return b, a
end
local function clip(x, top) return math.min(math.max(x, -1), math.abs(top)) end

---@param source string
---@return function
function M.load(source)
  return assert(loadstring(source, "=random"))(2.5, { low = -1, high = 1.25, a = 5, basic = 0.5 }, { 7, 8 }, math,
    math.floor, math.abs, math.min, scale, pickone, clip)
end

---- The comparison ----

-- The rows for which a function raises no error.
local function good_rows(fn, fields)
  local good = {}
  for row = 1, fields[1].n do
    local r = {}
    for _, field in ipairs(fields) do
      local value = field[3][row]
      if value ~= null then r[field[1]] = type(value) == "cdata" and tonumber(value) or value end
    end
    if r.n <= 2 ^ 53 and pcall(fn, r, M.params) then good[#good + 1] = row end
  end
  return good
end

local function only(fields, wanted)
  local result = {}
  for i, field in ipairs(fields) do
    local values = { n = #wanted }
    for k, row in ipairs(wanted) do values[k] = field[3][row] end
    result[i] = { field[1], field[2], values, field[4], n = #wanted }
  end
  return columns.table(result)
end

---Compare random functions as programs and as loops: over all rows, of which one may fail, and over those that do not.
---@return integer vectorised of them
function M.check(seed, functions)
  math.randomseed(seed)
  local fields, vectorised, inputs = M.fields(1003), 0, {}
  for i, field in ipairs(fields) do inputs[i] = { name = field[1], type = field[2], nullable = field[4] or false } end
  local all = columns.table(fields)
  for i = 1, functions do
    local source, declared = M.source()
    local fn, outputs = M.load(source), rowfn.outputs(declared)
    if vectorise(fn, { kind = "map", inputs = inputs, outputs = outputs, params = M.params }) then
      vectorised = vectorised + 1
      local options = { params = M.params, threads = i % 3 + 1, batch_rows = ({ 64, 1024, 0 })[i % 3 + 1] }
      for _, input in ipairs { all, only(fields, good_rows(fn, fields)) } do
        local ok, problem = pcall(rowfn.run, input, "map", outputs, fn, options)
        if not ok then error(("function %d of seed %d: %s\n%s\n%s"):format(i, seed, declared, source, problem), 0) end
      end
    end
  end
  return vectorised
end

return M
