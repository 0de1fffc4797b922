-- moonmill.expr.codegen.evaluate - the value of an operation on constants: its own kernel, run on one row.
local ffi = require "ffi"
local binding = require "moonmill.base.ffi"
local emit = require "moonmill.expr.codegen.emit"
local failure = require "moonmill.base.failure"
local program = require "moonmill.expr.codegen.program"
local C = binding.C

---The constant that a call on constants gives; nil where it fails, unless it is `sure` to be reached: then the failure
---is raised.
---@param call table typed node
---@param sure boolean
---@return table? const
return function(call, sure)
  local emitter = emit.new()
  local register = emitter:expression(call)
  local built = program.build(emitter.code, { register }, 0, {})
  local value, err = ffi.new "mm_value", binding.err
  local status = C.mm_program_eval(built, value, err)
  if status >= 0 then return program.value(value, call.type, call) end
  if not sure and err.code == C.MM_EDATA then return nil end
  local failed = failure.from_c(err)
  failed.code = failed.code == "data" and "usage" or failed.code
  failed.row, failed.stage = nil, nil
  failure.raise_at(failed, call.source.origin, call.source.text, call.at)
end
