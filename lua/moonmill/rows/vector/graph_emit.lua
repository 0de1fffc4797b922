-- moonmill.rows.vector.graph_emit - a graph as instructions of moonmill.expr.codegen.program.
local types = require "moonmill.base.types"

local emit = {}

local Emitter = {}
Emitter.__index = Emitter

local function constant(node) return { type = node.type, value = node.value, null = node.null } end

-- The register of a node, behind those that it needs.
function Emitter:register(node)
  local register = self.registers[node]
  if register then return register end
  local args = {}
  for k, arg in ipairs(node.args) do args[k] = self:register(arg) end
  local guard = node.guard and node.guard ~= self.graph.yes and self:register(node.guard) or -1
  register = self.count
  self.count = self.count + 1
  self.registers[node] = register
  self.code[#self.code + 1] = {
    op = node.op, type = node.on, type2 = node.op == "CAST" and node.args[1].type or node.on, result = node.type,
    dst = register, args = args, input = node.input, name = node.name, mode = node.mode, guard = guard,
    const = node.op == "CONST" and constant(node) or nil, fails = node.op == "REFUSE" or node.mode == "check",
  }
  return register
end

---The instructions of a program: columns of the input, then results; rows that are refused make it fail.
---@param graph moonmill.Graph
---@param parts { refused: moonmill.GraphNode, kept: moonmill.GraphNode?, inputs: table[], results:
---moonmill.GraphNode[] } kept: the rows that pass
---@return table[] code
---@return integer[] outputs registers
function emit.program(graph, parts)
  local self = setmetatable({ graph = graph, code = {}, count = 0, registers = {} }, Emitter)
  if parts.refused ~= graph.no then
    self:register(graph:node("REFUSE", types.bool, types.bool, { parts.refused }))
  end
  local outputs = {}
  for _, node in ipairs(parts.results) do outputs[#outputs + 1] = self:register(node) end
  if parts.kept then
    local kept = self:register(parts.kept)
    self.code[#self.code + 1] = { op = "FILTER", type = types.bool, result = types.bool, args = { kept } }
  end
  for i, field in ipairs(parts.inputs) do
    table.insert(outputs, i, self:register(graph:load(i, field.name, field.type, field.nullable)))
  end
  return self.code, outputs
end

return emit
