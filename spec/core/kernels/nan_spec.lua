-- The bits of NaN: one that is computed is quiet, what only moves or chooses keeps its bits. That all instruction sets
-- agree is for sweep_spec.
local ffi = require "ffi"
local bit = require "bit"
local columns = require "columns"
local programs = require "programs"
local C = require("moonmill.base.ffi").C

local FORMS = {
  f64 = { whole = "u64", quiet = 0x0008000000000000ULL, least = 0x7ff0000000000000ULL, all = 0x7fffffffffffffffULL,
    nans = { 0x7ff0000000000001ULL, 0xfff4000000000123ULL, 0x7ff8000000000000ULL, 0xfff8000000abcdefULL } },
  f32 = { whole = "u32", quiet = 0x00400000ULL, least = 0x7f800000ULL, all = 0x7fffffffULL,
    nans = { 0x7f800001, 0xffa00123, 0x7fc00000, 0xffc0cdef } },
}

local UNARY = { "FLOOR", "CEIL", "TRUNC", "SQRT", "PLAIN", "CBRT", "EXP", "LOG", "LOG2", "LOG10", "SIN", "COS", "TAN",
  "ASIN", "ACOS", "ATAN", "SINH", "COSH", "TANH" }
local BINARY = { "ADD", "SUB", "MUL", "DIV", "FLOORDIV", "MOD", "POW", "ATAN2", "HYPOT" }
local ROWS = 3 * 2048 + 5

-- A column of NaN as bits, row i the i-th modulo 4.
local function nan_column(name)
  local form = FORMS[name]
  local made = columns.column(form.whole, function(i) return form.nans[i % 4 + 1] end, false, ROWS)
  made[0].type = columns.type(name)
  return made[0], made
end

-- Bits of the results of an operation over such a column and one of 1.5; or nil where there is no such kernel.
local function results(name, emit, result)
  local p = programs.new { name, name }
  local r = emit(p, p:load(0), p:load(1))
  if not p:build { r } then return nil end
  local batch, anchor = ffi.gc(ffi.new "mm_batch", C.mm_batch_free), {}
  assert(C.mm_batch_resize(batch, 2, nil) >= 0)
  local column, keep = nan_column(name)
  anchor[1], anchor[2] = keep, columns.column(name, function() return 1.5 end, false, ROWS)
  batch.columns[0], batch.columns[1], batch.length = column, anchor[2][0], ROWS
  for i = 0, 1 do C.mm_column_retain(batch.columns[i]) end
  local bits = {}
  p:each({ r }, { batch }, function(out, status)
    assert.equal(0, status)
    local data = ffi.cast(columns.ctype(FORMS[result or name].whole) .. " *", out.columns[0].data)
    for i = 0, ROWS - 1 do bits[i + 1] = ffi.cast("uint64_t", data[i]) end
  end)
  return bits
end

local function are_quiet(bits, form, about)
  for i, b in ipairs(bits) do
    local nan = bit.band(b, form.all) > form.least
    if nan and bit.band(b, form.quiet) == 0 then error(("%s: row %d is %s"):format(about, i - 1, bit.tohex(b))) end
  end
end

describe("NaN", function()
  for name, form in pairs(FORMS) do
    it("is quiet in every result of " .. name .. " that is computed", function()
      local seen = 0
      local function check(about, emit, result)
        local bits = results(name, emit, result)
        if not bits then return end
        seen = seen + 1
        are_quiet(bits, FORMS[result or name], about)
      end
      for _, op in ipairs(UNARY) do check(op, function(p, a) return p:op(op, name, a) end) end
      for _, op in ipairs(BINARY) do
        check(op, function(p, a, b) return p:op(op, name, a, b) end)
        check(op, function(p, a, b) return p:op(op, name, b, a) end)
        check(op, function(p, a) return p:op(op, name, a, a) end)
      end
      for _, op in ipairs { "MUL_ADD", "MUL_SUB", "SUB_MUL" } do
        check(op, function(p, a, b) return p:op(op, name, b, b, a) end)
        check(op, function(p, a, b) return p:op(op, name, a, b, b) end)
      end
      for _, digits in ipairs { 0, 2, 308, 309, -2, -309 } do
        check("ROUND", function(p, a) return p:op("ROUND", name, a, p:const("i64", digits)) end)
      end
      local other = name == "f64" and "f32" or "f64"
      for _, mode in ipairs { "CHECK", "TRY", "WRAP", "SATURATE" } do
        check("CAST", function(p, a) return p:cast(other, name, a, mode) end, other)
      end
      assert.is_true(seen >= (name == "f64" and 60 or 30), tostring(seen))
    end)

    it("of " .. name .. " keeps its bits where it only moves or is chosen", function()
      local function kept(about, emit, change)
        local bits = results(name, emit)
        for i, b in ipairs(bits) do
          local was = ffi.cast("uint64_t", form.nans[i % 4 + 1])
          assert.equal(change and change(was) or was, b, about)
        end
      end
      local sign = form.all + 1ULL
      kept("ABS", function(p, a) return p:op("ABS", name, a) end, function(b) return bit.band(b, form.all) end)
      kept("NEG", function(p, a) return p:op("NEG", name, a) end, function(b) return bit.bxor(b, sign) end)
      kept("SIGN", function(p, a) return p:op("SIGN", name, a) end)
      kept("MAX", function(p, a, b) return p:op("MAX", name, a, b) end)
      kept("MAX", function(p, a, b) return p:op("MAX", name, b, a) end)
      kept("COALESCE", function(p, a, b) return p:op("COALESCE", name, a, b) end)
      kept("SELECT", function(p, a, b) return p:op("SELECT", name, p:op("IS_NAN", name, a), a, b) end)
    end)
  end
end)
