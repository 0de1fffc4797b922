-- moonmill.rows.vector.vectorise - a row function as a vector program, where that is possible.
--
-- DESIGN. A function without loops and side effects is read from its bytecode (moonmill.rows.bytecode) and walked once
-- for all rows (vector.trace, with vector.steps for the instructions); branches become choices. What comes out is a
-- graph of the machine's operations (vector.graph), then a program (vector.emit). It gives the very bits that Lua
-- gives, or fails: then the batch is given to Lua. All NaN are alike in results, because Lua's own depend on what was
-- compiled.
local emit = require "moonmill.rows.vector.graph_emit"
local named_values = require "moonmill.rows.named_values"
local outputs = require "moonmill.rows.vector.outputs"
local program = require "moonmill.expr.codegen.program"
local states = require "moonmill.rows.vector.state"
local steps = require "moonmill.rows.vector.steps"
local trace = require "moonmill.rows.vector.trace"
local types = require "moonmill.base.types"

---@class moonmill.Vectorised
---@field code table[]
---@field outputs integer[] registers: all columns of the input, then those of the results
---@field columns integer of the input
local Vectorised = {}
Vectorised.__index = Vectorised

local function fields_of(described)
  local fields = {}
  for i, field in ipairs(described) do
    fields[i] = { name = field.name, type = types.parse(field.type), nullable = field.nullable, index = i }
  end
  return fields
end

local DEAREST = 200 -- about 30 ns a row; a loop takes one way through a function, a program takes all

-- What operations cost, next to one on numbers. What Lua would call too is left out.
local function cost_of(code)
  local cost = 0
  for _, instr in ipairs(code) do
    if instr.op == "LOAD" or instr.op == "CONST" or instr.op == "CONCAT" then cost = cost + 0
    elseif instr.type.text then cost = cost + 6
    elseif instr.type == types.bool then cost = cost + 0.2
    else cost = cost + 1
    end
  end
  return cost
end

local function run(fn, spec)
  local inputs, by_name = {}, {}
  for i, field in ipairs(spec.inputs) do
    local opaque = field.type == "opaque"
    inputs[i] = { name = field.name, type = opaque and types.opaque or types.parse(field.type),
      nullable = field.nullable, index = i }
    by_name[field.name] = inputs[i]
  end
  local self = trace.new(by_name, spec.params or {}, spec.nulls or {}, named_values(spec.modules))
  self.state = states.new(self.graph, self.graph.yes, {})
  local arguments = { self.values:object("row", "row", "r"), self.values:object("params", "params", "p") }
  local results = self:enter(steps, fn, arguments)
  local parts = { inputs = inputs, results = {} }
  if spec.kind == "where" then
    parts.kept = outputs.kept(self, results)
  else
    parts.results = outputs.columns(self, results, fields_of(spec.outputs))
  end
  parts.refused = self.refused
  local code, registers = emit.program(self.graph, parts)
  if cost_of(code) > DEAREST then self:reject "it has so many branches that a loop is faster" end
  return code, registers
end

---Make a vector program of a row function.
---@param fn function
---@param spec moonmill.RowsSpec
---@return moonmill.Vectorised? nil where it cannot be done
---@return { reason: string, file: string, line: integer }? why
local function vectorise(fn, spec)
  local ok, code, registers = pcall(run, fn, spec)
  if ok then
    return setmetatable({ code = code, outputs = registers, columns = #spec.inputs }, Vectorised)
  end
  local problem = code
  if type(problem) ~= "table" or not problem.reject then error(problem, 0) end
  return nil, { reason = problem.reject, file = problem.file, line = problem.line }
end

---The core's program.
---@return ffi.cdata* mm_program *, freed by the collector unless taken
function Vectorised:program()
  local inputs = {}
  for i = 1, self.columns do inputs[i] = i - 1 end
  return program.build(self.code, self.outputs, self.columns, inputs)
end

---How many operations it has, without loads and constants.
---@return integer
function Vectorised:operations()
  local count = 0
  for _, instr in ipairs(self.code) do
    if instr.op ~= "LOAD" and instr.op ~= "CONST" then count = count + 1 end
  end
  return count
end

return vectorise
