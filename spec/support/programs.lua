-- programs - builds vector programs from Lua, and runs them over columns without an engine.
--
--   local p = programs.new { "i64", "f64" }             -- types of the input columns
--   local sum = p:op("ADD", "i64", p:load(0), p:const("i64", 1), { place = 3, guard = bool_register })
--   p:filter(p:op("GT", "i64", sum, p:const("i64", 10)))
--   local result, err = p:run({ sum }, batch)           -- { lists }, and the mm_error of a row that failed
--   p:eval(sum)                                         -- folded: one value, or nil and the mm_error
local ffi = require "ffi"
local columns = require "columns"
local moonmill = require "moonmill.base.ffi"
local operations = require "operations"
local C, null = moonmill.C, columns.null

local LOAD, CONST, FILTER = operations.number "load", operations.number "const", operations.number "filter"

local Program = {}
Program.__index = Program

local programs = {}

---@param types string[] of the input columns
function programs.new(types)
  return setmetatable({ columns = types or {}, code = {}, types = {}, constants = {} }, Program)
end

local unsigned = { u8 = true, u16 = true, u32 = true, u64 = true }
local gives = { LEN = "i64", BYTES = "i64", FIND = "i64" }
for _, op in ipairs { "EQ", "NE", "LT", "LE", "GT", "GE", "IS_DISTINCT", "IN", "AND", "OR", "NOT", "IS_NULL",
  "IS_NOT_NULL", "IS_TRUE",
  "IS_NAN", "IS_FINITE", "STARTS_WITH", "ENDS_WITH", "CONTAINS" } do gives[op] = "bool" end
for _, op in ipairs { "YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "WEEKDAY", "YEARDAY",
  "WEEK" } do gives[op] = "i64" end

local parsed = {}
local function type_of(name)
  parsed[name] = parsed[name] or columns.type(name)
  return parsed[name]
end
local function id(name) return type_of(name).id end

local function register(self, name)
  self.types[#self.types + 1] = name
  return #self.types - 1
end

---Append an instruction as it is. `fields` are those of mm_instr.
function Program:emit(fields)
  self.code[#self.code + 1] = fields
  return fields.dst
end

---A register with an operation of type `name` (operands' type, or a cast's result) over registers a, b, c.
---@param options? { type2: string, result: string, guard: integer, place: integer, b: integer }
function Program:op(op, name, a, b, c, options)
  if type(b) == "table" then b, options = nil, b end
  if type(c) == "table" then c, options = nil, c end
  options = options or {}
  return self:emit {
    op = operations.number(op), type = id(name), type2 = id(options.type2 or name), dst = register(self, options.result
      or gives[op] or name),
    a = a, b = b or options.b, c = c or options.c, guard = options.guard, place = options.place,
  }
end

function Program:load(column)
  local name = self.columns[column + 1]
  return self:emit { op = LOAD, type = id(name), type2 = id(name), dst = register(self, name), a = column }
end

---Add a constant to the program; its number.
function Program:value(name, value)
  self.constants[#self.constants + 1] = { name, value }
  return #self.constants - 1
end

function Program:const(name, value)
  return self:emit { op = CONST, type = id(name), type2 = id(name), dst = register(self, name),
    a = self:value(name, value) }
end

function Program:filter(a) self:emit { op = FILTER, type = C.MM_BOOL, type2 = C.MM_BOOL, dst = -1, a = a } end

---@param mode string "CHECK", "TRY", "WRAP", "SATURATE"
function Program:cast(to, from, a, mode, options)
  options = options or {}
  options.type2, options.b = from, C["MM_CAST_" .. (mode or "CHECK")]
  return self:op("CAST", to, a, options)
end

local function fill_value(slot, name, value)
  slot.type = type_of(name)
  if value == null then slot.null = 1
  elseif name == "f32" or name == "f64" then slot.f = value
  elseif name == "utf8" or name == "binary" then slot.text, slot.size = value, #value
  elseif unsigned[name] then slot.u = value
  else slot.i = value == true and 1 or value == false and 0 or value end
end

---The mm_program, or nil and the mm_error.
function Program:build(outputs, column_count)
  local code = ffi.new("mm_instr[?]", #self.code + 1)
  for i, fields in ipairs(self.code) do
    local instr = code[i - 1]
    instr.op, instr.type, instr.type2, instr.dst = fields.op, fields.type, fields.type2, fields.dst
    instr.a, instr.b, instr.c = fields.a or -1, fields.b or -1, fields.c or -1
    instr.guard, instr.place = fields.guard or -1, fields.place or i
  end
  local types = ffi.new("mm_type[?]", #self.types + 1)
  for i, name in ipairs(self.types) do types[i - 1] = type_of(name) end
  local constants = ffi.new("mm_value[?]", #self.constants + 1)
  for i, constant in ipairs(self.constants) do fill_value(constants[i - 1], constant[1], constant[2]) end
  local out = ffi.new("int32_t[?]", #outputs + 1, outputs)
  local program, err = ffi.new "mm_program *[1]", ffi.new "mm_error"
  local status = C.mm_program_new(code, #self.code, types, #self.types, constants, #self.constants, out, #outputs,
    column_count or #self.columns, program, err)
  if status < 0 then return nil, err end
  return program[0]
end

---An mm_stage with outputs named o1, o2, ...
function Program:stage(outputs)
  local program, err = self:build(outputs)
  if not program then return nil, err end
  local schema = ffi.gc(ffi.new "mm_schema", C.mm_schema_free)
  err = ffi.new "mm_error"
  for i, r in ipairs(outputs) do
    assert(C.mm_schema_add(schema, "o" .. i, columns.type(self.types[r + 1]), true, err) >= 0)
  end
  local stage = C.mm_stage_program(program, schema, err)
  if stage == nil then return nil, err end
  return ffi.gc(stage, C.mm_stage_free)
end

---Run over a batch; calls see(out, status, error) with the mm_batch of the result while it lives.
function Program:each(outputs, batches, see, track_rows)
  local stage = assert(self:stage(outputs))
  stage.track_rows = track_rows or false
  local class, err, locals = stage.vtable, ffi.new "mm_error", ffi.new "void *[1]"
  assert(class.open(stage, nil, locals, err) >= 0, ffi.string(err.message))
  local out = ffi.new "mm_batch"
  for _, batch in ipairs(batches) do
    err = ffi.new "mm_error"
    local status = class.run(stage, locals[0], batch, out, err)
    see(out, status, err)
    C.mm_batch_resize(out, 0, nil)
  end
  C.mm_batch_free(out)
  class.close(stage, locals[0])
end

---The outputs over a batch as lists of text (columns.text), then the mm_error when a row failed.
function Program:run(outputs, batch)
  local result, failure = {}, nil
  self:each(outputs, { batch }, function(out, status, err)
    for i = 1, #outputs do result[i] = columns.text(out.columns[i - 1]) end
    result.rows = tonumber(out.length)
    if status < 0 then failure = err end
  end)
  return result, failure
end

---A batch of lists: { { "i64", { 1, 2, null } }, ... }; keep the second result as long as the batch.
function programs.batch(fields)
  local named = {}
  for i, field in ipairs(fields) do named[i] = { "c" .. i, field[1], field[2], field[3], n = field.n } end
  local result = columns.table(named)
  if result.count == 0 then return nil end
  return result.batches[0], result
end

---The value of a register of a program without columns, as text; or nil and the mm_error.
function Program:eval(r)
  local program, err = self:build({ r }, 0)
  if not program then return nil, err end
  ffi.gc(program, C.mm_program_free)
  local value = ffi.new "mm_value"
  err = ffi.new "mm_error"
  if C.mm_program_eval(program, value, err) < 0 then return nil, err end
  local name = self.types[r + 1]
  if value.null ~= 0 then return "null" end
  if name == "utf8" or name == "binary" then return ffi.string(value.text, value.size) end
  local column = ffi.gc(ffi.new "mm_column[1]", C.mm_column_release)
  assert(C.mm_column_make(column, columns.type(name), 1, 0, false, err) >= 0)
  if name == "bool" then C.mm_block_data(column[0].data_block)[0] = value.i ~= 0 and 1 or 0
  else
    ffi.cast(columns.ctype(name) .. " *", C.mm_block_data(column[0].data_block))[0] =
      (name == "f32" or name == "f64") and value.f or unsigned[name] and value.u or value.i
  end
  return columns.text(column[0])[1]
end

return programs
