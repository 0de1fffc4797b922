-- NaNs from outside with bits that LuaJIT uses for types are plain NaNs in a row function, compiled or not.
local ffi = require "ffi"
local columns = require "columns"
local native = require "moonmill.base.ffi"
local rowfn = require "rowfn"

local C = native.C

-- As high word of f64, low word of f64, f32: the tags of text, tables, numbers and true; signalling; with a sign that
-- `-x` would give.
local HOSTILE = {
  { 0xfffd8000, 1, 0xffec0001 }, { 0xfffa0000, 0x1000, 0xffd00000 }, { 0xfff90000, 0, 0xffc80000 },
  { 0xfffe8000, 7, 0xfff40000 }, { 0xffffffff, 0xffffffff, 0xffffffff }, { 0xfff58000, 1, 0xffac0001 },
  { 0x7ffd8000, 1, 0x7fec0001 }, { 0x7fffffff, 0xffffffff, 0x7fffffff },
}
local PLAIN = { { 0xfff80000, 0, 0xffc00000 }, { 0x7ff80000, 0, 0x7fc00000 }, { 0x7ff00000, 1954, 0x7f800001 } }

local function write(data, type_name, i, nan)
  if type_name == "f32" then
    ffi.cast("uint32_t *", data)[i] = nan[3]
  else
    ffi.cast("uint32_t *", data)[2 * i], ffi.cast("uint32_t *", data)[2 * i + 1] = nan[2], nan[1]
  end
end

-- 0, 1, 2 ... and a NaN of hostile bits at every 50th row.
local function source_of(type_name, n)
  local result = columns.table({ { "x", type_name, function(i) return i - 1 end, n = n } })
  local data = C.mm_block_data(result.batches[0].columns[0].data_block)
  for i = 0, n - 1, 50 do write(data, type_name, i, HOSTILE[i / 50 % #HOSTILE + 1]) end
  return result
end

local function run(type_name, n, outputs, fn)
  local source = source_of(type_name, n)
  return columns.run(source, { rowfn.stage(source, "map", rowfn.outputs(outputs), fn) }, { threads = 2 })
end

-- The row is a NaN where it must be; `is` is what the function saw.
local function check(out, n)
  assert.are.equal(n, #out.kind)
  for i = 1, n do
    local nan = (i - 1) % 50 == 0
    assert(out.kind[i] == "number" and out.nan[i] == nan, ("row %d: %s"):format(i, out.kind[i]))
    assert(out.minus[i] == 1 - i or nan and out.minus[i] ~= out.minus[i], "row " .. i)
  end
end

local OUTPUTS = "kind: utf8, nan: bool, minus: f64"

local function look(r)
  local x = r.x
  local list = { x, -x } -- the collector walks what looks like a table
  return type(x), list[1] ~= list[1], list[2]
end

local function look_interpreted(r)
  jit.off()
  local x = r.x
  local list = { x, -x }
  return type(x), list[1] ~= list[1], list[2]
end

describe("a NaN of odd bits", function()
  for _, type_name in ipairs { "f64", "f32" } do
    for _, n in ipairs { 1, 3, 63, 64, 65, 20000 } do
      it(("is a number for a compiled function, %d rows of %s"):format(n, type_name), function()
        check(assert(run(type_name, n, OUTPUTS, look)), n)
      end)
      it(("is a number for an interpreted function, %d rows of %s"):format(n, type_name), function()
        check(assert(run(type_name, n, OUTPUTS, look_interpreted)), n)
      end)
    end

    it("is found at any place of a batch of " .. type_name, function()
      local size = type_name == "f32" and 4 or 8
      for n = 1, 40 do
        local data = ffi.new("uint8_t[?]", size * n)
        assert.is_false(C.mm_rows_odd_nan(data, n, type_name == "f32"))
        for i = 0, n - 1 do
          ffi.fill(data, size * n)
          for _, nan in ipairs(PLAIN) do write(data, type_name, i, nan) end
          assert.is_false(C.mm_rows_odd_nan(data, n, type_name == "f32"))
          for _, nan in ipairs(HOSTILE) do
            write(data, type_name, i, nan)
            assert.is_true(C.mm_rows_odd_nan(data, n, type_name == "f32"))
          end
        end
      end
    end)

    it("does not take other values of " .. type_name .. " for one", function()
      local ctype = type_name == "f32" and "float[16]" or "double[16]"
      local data = ffi.new(ctype, { 1 / 0, -1 / 0, 0, -0, 1, -1, 3.4e38, -3.4e38, 1e-45, -1e-45, 0 / 0, -(0 / 0) })
      assert.is_false(C.mm_rows_odd_nan(data, 16, type_name == "f32"))
    end)
  end
end)
