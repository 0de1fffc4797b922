-- What mm_program_new refuses and what folding gives.
local ffi = require "ffi"
local columns = require "columns"
local moonmill = require "moonmill.base.ffi"
local operations = require "operations"
local programs = require "programs"
local C = moonmill.C

local function refusal(build, outputs)
  local p = programs.new { "i64", "utf8" }
  local r = build(p)
  local program, err = p:build(outputs or { r or 0 })
  if program then
    C.mm_program_free(program)
    return nil
  end
  assert.equal(C.MM_EBUG, err.code)
  return ffi.string(err.message)
end

describe("a program", function()
  it("is refused when it reads what is not there", function()
    assert.equal("instruction 0 (load): no such column",
      refusal(function(p) return p:emit { op = operations.number "load", type = C.MM_I64, type2 = C.MM_I64,
        dst = (function() p.types[1] = "i64" return 0 end)(), a = 2 } end))
    assert.equal("instruction 1 (add): reads a register that nothing has written",
      refusal(function(p) return p:op("ADD", "i64", p:load(0), 5) end))
    assert.equal("instruction 1 (add): reads a register that nothing has written",
      refusal(function(p) return p:op("ADD", "i64", p:load(0), -1) end))
    assert.equal("instruction 0 (const): no such constant",
      refusal(function(p) p.types[1] = "i64" return p:emit { op = operations.number "const",
        type = C.MM_I64, type2 = C.MM_I64,
        dst = 0, a = 0 } end))
    assert.equal("instruction 1 (in): no such constants",
      refusal(function(p) return p:op("IN", "i64", p:load(0), 0, 1) end))
    assert.equal("output 0 is a register that nothing writes", refusal(function(p) p:load(0) end, { 7 }))
  end)

  it("is refused when types do not fit", function()
    assert.equal("instruction 2 (add): an operand has another type",
      refusal(function(p) return p:op("ADD", "i64", p:load(0), p:load(1)) end))
    assert.equal("instruction 1 (add): the result has another type",
      refusal(function(p) local x = p:load(0) return p:op("ADD", "i64", x, x, nil, { result = "f64" }) end))
    assert.equal("instruction 1 (exp): no kernel for these types",
      refusal(function(p) return p:op("EXP", "i64", p:load(0)) end))
    assert.equal("instruction 1 (not): an operand has another type",
      refusal(function(p) return p:op("NOT", "bool", p:load(0)) end))
    assert.equal("instruction 2 (add): an operand has another type",
      refusal(function(p) local x = p:load(0) return p:op("ADD", "i64", x, x, { guard = p:load(1) }) end))
  end)

  it("is refused when a register is written twice, or the operation is unknown", function()
    assert.equal("instruction 1 (load): writes a register again", refusal(function(p)
      p:load(0)
      return p:emit { op = operations.number "load", type = C.MM_I64, type2 = C.MM_I64, dst = 0, a = 0 }
    end))
    assert.equal("instruction 0: no such operation",
      refusal(function(p) return p:emit { op = operations.count, type = 1, type2 = 1, dst = 0 } end))
  end)

  it("without output or with columns has no single value", function()
    local p = programs.new { "i64" }
    local program, err = assert(p:build({}, 0)), ffi.new "mm_error"
    assert.equal(C.MM_EBUG, C.mm_program_eval(program, ffi.new "mm_value", err))
    C.mm_program_free(program)
    program = assert(p:build { p:load(0) })
    assert.equal(C.MM_EBUG, C.mm_program_eval(program, ffi.new "mm_value", err))
    C.mm_program_free(program)
  end)

  it("folds again and again, text included", function()
    local p = programs.new {}
    local text = p:op("CONCAT", "utf8", p:const("utf8", "moon"), p:const("utf8", "mill"))
    local program = ffi.gc(assert(p:build { text }), C.mm_program_free)
    for _ = 1, 3 do
      local value, err = ffi.new "mm_value", ffi.new "mm_error"
      assert.equal(0, C.mm_program_eval(program, value, err))
      assert.equal("moonmill", ffi.string(value.text, value.size))
    end
  end)

  it("with a thousand registers reuses their room", function()
    local p = programs.new { "i64" }
    local x = p:load(0)
    local sum = x
    for _ = 1, 1000 do sum = p:op("ADD", "i64", sum, x) end
    local used = tonumber(C.mm_memory_used())
    local batch, keep = programs.batch { { "i64", { 1LL, 2LL } } }
    assert.same({ "1001", "2002" }, p:run({ sum }, batch)[1])
    p:each({ sum }, { batch }, function() assert.is_true(tonumber(C.mm_memory_used()) - used < 1e6) end)
    assert.truthy(keep)
  end)

  it("leaves no memory behind, also when it is refused", function()
    local used = columns.memory_used()
    refusal(function(p) return p:op("EXP", "i64", p:load(0)) end)
    local p = programs.new {}
    local program = assert(p:build { p:op("IN", "i64", p:const("i64", 3LL), p:value("i64", 1LL), 1), p:const("utf8",
      "abc") })
    local value = ffi.new "mm_value"
    assert.equal(0, C.mm_program_eval(program, value, ffi.new "mm_error"))
    C.mm_program_free(program)
    assert.equal(used, columns.memory_used())
  end)

  it("names its operations and its instruction set", function()
    assert.equal("is_distinct", ffi.string(C.mm_op_name(operations.number "is_distinct")))
    assert.equal("unknown", ffi.string(C.mm_op_name(-1)))
    for op = 0, operations.count - 1 do assert.truthy(C.mm_op_name(op) ~= nil) end
    assert.truthy(({ base = true, avx2 = true, avx512 = true })[ffi.string(C.mm_isa_name())])
    assert.truthy(columns)
  end)
end)
