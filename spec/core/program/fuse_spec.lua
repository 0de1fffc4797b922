-- A product that goes into a sum or a difference: three ways to say it, against naive Lua.
local ffi = require "ffi"
local cases = require "kernel_cases"
local columns = require "columns"
local programs = require "programs"
local null = columns.null

local rounded = { f64 = function(x) return x end, f32 = function(x) return tonumber(ffi.new("float", x)) end }

-- op: what to say, the same in two instructions, and what it means.
local forms = {
  { "MUL_ADD", function(p, t, x, y, z) return p:op("ADD", t, p:op("MUL", t, x, y), z) end,
    function(product, z) return product + z end },
  { "MUL_ADD", function(p, t, x, y, z) return p:op("ADD", t, z, p:op("MUL", t, x, y)) end,
    function(product, z) return z + product end },
  { "MUL_SUB", function(p, t, x, y, z) return p:op("SUB", t, p:op("MUL", t, x, y), z) end,
    function(product, z) return product - z end },
  { "SUB_MUL", function(p, t, x, y, z) return p:op("SUB", t, z, p:op("MUL", t, x, y)) end,
    function(product, z) return z - product end },
}

-- Rows of three values: all pairs of factors, with summands in turn.
local function rows_of(name, gap)
  local values, lists, n = cases.values(name), { {}, {}, {} }, 0
  for i, x in ipairs(values) do
    for j, y in ipairs(values) do
      n = n + 1
      lists[1][n], lists[2][n], lists[3][n] = x, y, values[(i * 7 + j) % #values + 1]
      for k = 1, gap and 3 or 0 do
        if (n + k) % (gap + k) == 0 then lists[k][n] = null end
      end
    end
  end
  for k = 1, 3 do lists[k].n = n end
  return lists, n
end

local function expected_of(name, lists, n, f)
  local round, expected = rounded[name], { n = n }
  for i = 1, n do
    local x, y, z = lists[1][i], lists[2][i], lists[3][i]
    if x == null or y == null or z == null then expected[i] = null
    else expected[i] = round(f(round(x * y), z))
    end
  end
  return expected
end

local function check(name, lists, n, constants, emit, expected, about)
  local fields, p, registers = {}, programs.new {}, {}
  for k = 1, 3 do
    if constants[k] then registers[k] = p:const(name, lists[k][1])
    else
      fields[#fields + 1] = { name, lists[k] }
      p.columns[#fields] = name
      registers[k] = p:load(#fields - 1)
    end
  end
  local outputs = emit(p, registers)
  local batch, keep = programs.batch(fields)
  local result, failure = p:run(outputs, batch)
  assert.is_nil(failure)
  local shown = cases.text(name, expected, n)
  for i = 1, n do
    if result[1][i] ~= shown[i] then
      error(("%s, row %d: %s instead of %s"):format(about, i - 1, result[1][i], shown[i]), 0)
    end
  end
  return result, keep
end

describe("a product and a sum", function()
  for _, name in ipairs { "f64", "f32" } do
    for number, form in ipairs(forms) do
      local op, pair, f = form[1], form[2], form[3]
      it(("of %s is rounded twice, form %d"):format(name, number), function()
        for _, gap in ipairs { false, 5 } do
          local lists, n = rows_of(name, gap)
          local expected = expected_of(name, lists, n, f)
          check(name, lists, n, {}, function(p, r) return { pair(p, name, r[1], r[2], r[3]) } end, expected, "pair")
          check(name, lists, n, {}, function(p, r) return { p:op(op, name, r[1], r[2], r[3]) } end, expected, "one")
        end
      end)

      it(("of %s takes constants in any place, form %d"):format(name, number), function()
        for places = 1, 6 do
          local constants = { places % 2 == 1, places % 4 > 1, places > 3 }
          local lists, n = rows_of(name)
          for k = 1, 3 do
            for i = 1, constants[k] and n or 0 do lists[k][i] = ({ 3, -0.5, 2.5 })[k] end
          end
          local expected = expected_of(name, lists, n, f)
          check(name, lists, n, constants, function(p, r) return { pair(p, name, r[1], r[2], r[3]) } end, expected,
            "pair, constants " .. places)
          if not constants[1] then
            check(name, lists, n, constants, function(p, r) return { p:op(op, name, r[1], r[2], r[3]) } end, expected,
              "one, constants " .. places)
          end
        end
      end)
    end
  end

  it("leaves a product alone that others read", function()
    local lists, n = rows_of "f64"
    local sums = expected_of("f64", lists, n, forms[1][3])
    local products = expected_of("f64", lists, n, function(product) return product end)
    local result = check("f64", lists, n, {}, function(p, r)
      local product = p:op("MUL", "f64", r[1], r[2])
      return { p:op("ADD", "f64", product, r[3]), product, p:op("ADD", "f64", product, product) }
    end, sums, "with the product")
    assert.same(cases.text("f64", products, n), { unpack(result[2], 1, n) })
  end)

  it("of constants alone folds to what rows give", function()
    for _, form in ipairs(forms) do
      local p = programs.new {}
      local x, y, z = p:const("f64", 0.1), p:const("f64", 10), p:const("f64", -1)
      assert.equal(cases.text("f64", { form[3](0.1 * 10, -1) }, 1)[1], (p:eval(form[2](p, "f64", x, y, z))))
    end
  end)

  it("stays within a filter and a guard", function()
    local p = programs.new { "f64", "f64", "f64" }
    local x, y, z = p:load(0), p:load(1), p:load(2)
    local product = p:op("MUL", "f64", x, y)
    p:filter(p:op("GT", "f64", z, p:const("f64", 0)))
    local sum = p:op("ADD", "f64", product, z)
    local lists = { { n = 2000 }, { n = 2000 }, { n = 2000 } }
    local expected = { n = 0 }
    for i = 1, 2000 do
      lists[1][i], lists[2][i], lists[3][i] = i, i / 7, i % 9 - 7
      if lists[3][i] > 0 then
        expected.n = expected.n + 1
        expected[expected.n] = i * (i / 7) + lists[3][i]
      end
    end
    local batch, keep = programs.batch { { "f64", lists[1] }, { "f64", lists[2] }, { "f64", lists[3] } }
    local result = p:run({ sum }, batch)
    assert.same(cases.text("f64", expected, expected.n), { unpack(result[1], 1, expected.n) })
    assert.equal(expected.n, result.rows)
    assert.truthy(keep)
  end)
end)
