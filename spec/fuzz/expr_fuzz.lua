-- expr_fuzz - what expr_fuzz.c does with each text: compile it as an expression or a condition and run the program
-- over some rows. Any text is a mistake told by a failure, or a program that runs or fails at a row; printed and parsed
-- again a tree is the same text.
package.path = "./spec/support/?.lua;./lua/?.lua;" .. package.path
local ffi = require "ffi"
local binding = require "moonmill.base.ffi"
local columns = require "columns"
local expr = require "moonmill.expr.compiler"
local failure = require "moonmill.base.failure"
local catalogue = require "moonmill.functions.catalogue"
local types = require "moonmill.base.types"
local C, err, null = binding.C, binding.err, columns.null

local ROWS = 70
local values = {
  b = { "bool", true, false }, i = { "i64", 0, 1, -7, 2 ^ 40 }, u = { "u64", 0, 1, 2 ^ 40 }, s = { "i8", -128, 0, 127 },
  x = { "f64", 0, -1.5, 1 / 0, 0 / 0 }, y = { "f32", 0.5, -2 }, t = { "utf8", "", "abc", "h\195\169", "12" },
  d = { "date", 0, -1, 20000 }, m = { "timestamp", 0, -1, 2 ^ 50 }, q = { "duration", 0, 86400000000 },
}
local fields, inputs = {}, {}
for name, list in pairs(values) do
  for _, nullable in ipairs { false, true } do
    local column = nullable and "n" .. name or name
    local function get(i)
      if nullable and i % 3 == 0 then return null end
      return list[2 + i % (#list - 1)]
    end
    fields[#fields + 1] = { column, list[1], get, nullable, n = ROWS }
    inputs[#inputs + 1] = { name = column, type = types[list[1]], nullable = nullable }
  end
end
local source = columns.table(fields, 64)
-- Parameters at the ends of their types.
local params = {
  p = { type = types.i64, value = 3LL }, least = { type = types.i64, value = -0x7fffffffffffffffLL - 1 },
  most = { type = types.u64, value = 0xffffffffffffffffULL }, nan = { type = types.f64, value = 0 / 0 },
  inf = { type = types.f64, value = 1 / 0 }, large = { type = types.f64, value = -1e308 },
  edge = { type = types.f64, value = 2 ^ 63 }, narrow = { type = types.f32, value = 0 / 0 },
  none = { type = types.f64, nullable = true }, empty = { type = types.utf8, value = "" },
  zero = { type = types.utf8, value = "\0" }, day = { type = types.date, value = -719162LL },
}

local function run(built, column)
  local schema = ffi.gc(ffi.new "mm_schema", C.mm_schema_free)
  assert(C.mm_schema_add(schema, "result", types.to_c(column.type), column.nullable, err) >= 0)
  local stage = C.mm_stage_program(ffi.gc(built.program, nil), schema, err)
  assert(stage ~= nil, ffi.string(err.message))
  local result, failed = columns.result(source, { stage }, { threads = 1 })
  assert(result or #ffi.string(failed.message) > 0)
end

local function compile(text, condition)
  local tree = expr.parse(text)
  local printed = expr.print(tree)
  assert(printed == expr.print(expr.parse(printed)), "printed as: " .. printed)
  local b = expr.builder(inputs, params)
  if condition then b:filter(tree) end
  local column = b:derive("result", condition and expr.parse "i" or tree)
  run(b:finish { "result" }, column)
end

-- ---- Texts ----

local leaves = {
  "0", "1", "-3", "2.5", "1e400", "0x10", "18446744073709551615", '""', '"12"', '"day"', '"2013-01-31"', "true",
  "false", "null", "p.missing", "none", "it", "(0 / 0)", "(-1 / 0)", "9007199254740993", "-9223372036854775808",
}
for name in pairs(params) do leaves[#leaves + 1] = "p." .. name end
for _, input in ipairs(inputs) do leaves[#leaves + 1] = input.name end
table.sort(leaves) -- the same bytes are the same text in every run
local operators = { "+", "-", "*", "/", "//", "%", "^", "..", "==", "~=", "<", "<=", ">", ">=", "and", "or" }
local calls = catalogue.names(true)

-- An expression whose shape the bytes say: mostly of good syntax, of types that hardly ever fit.
local function grown(bytes)
  local at = 1
  local function next_byte()
    at = at + 1
    return bytes:byte(at) or 0
  end
  local function pick(list) return list[next_byte() % #list + 1] end
  local function grow(depth)
    local kind = depth > 5 and 0 or next_byte() % 8
    if kind < 3 then return pick(leaves) end
    if kind == 3 then return pick { "not ", "-", "- -" } .. grow(depth + 1) end
    if kind < 6 then return "(" .. grow(depth + 1) .. " " .. pick(operators) .. " " .. grow(depth + 1) .. ")" end
    local name, args = pick(calls), {}
    for i = 1, next_byte() % 4 do args[i] = grow(depth + 1) end
    if name == "is_in" then return ("is_in(%s, {%s})"):format(grow(depth + 1), table.concat(args, ", ")) end
    return name .. "(" .. table.concat(args, ", ") .. ")"
  end
  return grow(0)
end

local function say(problem) return failure.is(problem) and problem or tostring(problem) .. "\n" .. debug.traceback() end

local count = 0
-- The first byte: whether the others are a text or grow into one, and whether it is a condition.
return function(bytes)
  count = count + 1
  if count % 200 == 0 then collectgarbage() end
  local how = bytes:byte() or 0
  local text = how % 4 < 1 and bytes:sub(2) or grown(bytes)
  local ok, problem = xpcall(compile, say, text, how % 8 > 3)
  if ok or (failure.is(problem) and problem.code == "usage" and #tostring(problem) > 0) then return end
  return ("%q: %s"):format(text, tostring(problem))
end
