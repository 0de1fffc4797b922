-- Typed arrays in a script: views of the caller's memory, new arrays, what is refused.
local ffi = require "ffi"
local columns = require "columns"
local typed = require "typed"
local types = require "moonmill.base.types"

local ELEMENTS = { "bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64" }

describe("an array argument", function()
  for _, name in ipairs(ELEMENTS) do
    it(("of %s is read and written where it lies"):format(name), function()
      local value = name == "bool" and "not v[i]" or "v[i] + 1"
      local m = typed.module(([[
        change = mm.fn("v: mut %s[]", function(v) for i = 0, #v - 1 do v[i] = %s end end),
        at = mm.fn("v: %s[], i: f64 -> %s", function(v, i) return v[i] end),
        count = mm.fn("v: %s[] -> i64", function(v) return #v end) ]]):format(name, value, name, name, name))
      local list = {}
      for i = 1, 100 do list[i] = name == "bool" and (i % 3 == 0 and 1 or 0) or i end
      local array = typed.array(name, list)
      assert.equal(100, tonumber(m:call("count", array)))
      local third = m:call("at", array, 2)
      if name == "bool" then assert.is_true(third) else assert.equal(3, tonumber(third)) end
      m:call("change", array)
      for i = 1, 100 do
        assert.equal(name == "bool" and 1 - list[i] or i + 1, tonumber(array.data[i - 1]))
      end
      assert.equal(0, tonumber(m:call("count", typed.array(name, {}))))
    end)
  end

  local m = typed.module [[
    at = mm.fn("v: f64[], i: f64 -> f64", function(v, i) return v[i] end),
    field = mm.fn("v: f64[], name: utf8", function(v, name) return v[name] end),
    put = mm.fn("v: mut f64[], i: f64, x: f64", function(v, i, x) v[i] = x end),
    try = mm.fn("v: f64[]", function(v) v[0] = 1 end),
    shown = mm.fn("v: f64[] -> utf8", function(v) return tostring(v) end),
    maybe = mm.fn("v: f64[]? -> bool", function(v) return v == nil end) ]]
  local abc = typed.array("f64", { 1, 2, 3 })

  it("has no fields that a script could reach", function()
    local reach = typed.module [[
      read = mm.fn("v: mut f64[], name: utf8", function(v, name) return v[name] end),
      write = mm.fn("v: mut f64[], name: utf8", function(v, name) v[name] = 2^30 end) ]]
    for _, name in ipairs { "_count", "_data", "_block", "_bits", "_halves", "count", "data" } do
      for _, fn in ipairs { "read", "write" } do
        assert.equal(('an array has no field "%s"'):format(name), reach:failure(fn, abc, name).message)
      end
    end
  end)

  it("has nothing outside of it", function()
    for _, i in ipairs { -1, 3, 2 ^ 31, -2 ^ 40, 1e300, 1 / 0, -1 / 0, 0 / 0, 0.5, 2.0001 } do
      local problem = m:failure("at", abc, i)
      assert.equal("bad-index", problem.id)
      assert.equal("spec.lua", problem.file)
      assert.equal(3, problem.line)
      assert.equal("bad-index", m:failure("put", abc, i, 1).id)
    end
    assert.equal("index 3 is outside an array of 3 values", m:failure("at", abc, 3).message)
    assert.equal("index 0.5 is not a whole number", m:failure("at", abc, 0.5).message)
    assert.equal("index 0 is outside an array of 0 values", m:failure("at", typed.array("f64", {}), 0).message)
    assert.equal('an array has no field "length"', m:failure("field", abc, "length").message)
    assert.same({ 1, 2, 3 }, typed.list(abc))
  end)

  it("is read-only unless it is mut", function()
    local problem = m:failure("try", abc)
    assert.equal("read-only", problem.id)
    assert.equal("the array is read-only: v[0] cannot be assigned", problem.message)
    assert.matches("mut f64%[%]", problem.hint)
    assert.equal(6, problem.line)
  end)

  it("may be nil where that is declared", function()
    assert.is_true(m:call("maybe", nil))
    assert.is_false(m:call("maybe", abc))
  end)

  it("shows its type and length", function() assert.equal("f64[3]", m:call("shown", abc)) end)

  it("is of no use after its call", function()
    local keeper = typed.module([[
      keep = mm.fn("v: mut f64[]", function(v) kept = v end),
      read = mm.fn("-> f64", function() return kept[0] end),
      write = mm.fn("", function() kept[0] = 1 end),
      length = mm.fn("-> f64", function() return #kept end),
      back = mm.fn("-> f64[]", function() return kept end),
      other = mm.fn("v: mut f64[] -> f64", function(v) return kept[0] end),
      fail = mm.fn("v: f64[]", function(v) kept = v error "no" end) ]], "local kept")
    keeper:call("keep", abc)
    for _, name in ipairs { "read", "write", "length" } do
      local problem = keeper:failure(name)
      assert.equal("use-after-call", problem.id, name)
      assert.matches("belonged to a call that has returned", problem.message)
    end
    assert.equal("use-after-call", keeper:failure("other", abc).id)
    assert.matches("belonged to a call", keeper:failure("back").message)
    keeper:failure("fail", abc)
    assert.equal("use-after-call", keeper:failure("read").id)
    assert.same({ 1, 2, 3 }, typed.list(abc))
  end)

  it("that is returned is told by its number", function()
    local same = typed.module [[
      second = mm.fn("a: u8[], b: mut u8[] -> u8[]", function(a, b) return b end),
      both = mm.fn("a: u8[], b: u8[] -> u8[], u8[], u8[]", function(a, b) return b, a, b end),
      wrong = mm.fn("a: u8[] -> i8[]", function(a) return a end) ]]
    local a, b = typed.array("u8", { 1 }), typed.array("u8", { 2, 3 })
    local result = same:call("second", a, b)
    assert.equal(2, result.argument)
    assert.equal(2, result.n)
    local x, y, z = same:call("both", a, b)
    assert.same({ 2, 1, 2 }, { x.argument, y.argument, z.argument })
    assert.equal("wrong: the result is an array of u8, expected i8[]", same:failure("wrong", a).message)
  end)
end)

describe("a store", function()
  local function stores(name)
    return typed.module(([[
      put = mm.fn("v: mut %s[], x: f64", function(v, x) v[1] = x end),
      text = mm.fn("v: mut %s[]", function(v) v[0] = "1" end),
      int = mm.fn("v: mut %s[], x: exact i64", function(v, x) v[0] = x end) ]]):format(name, name, name))
  end

  for _, name in ipairs { "i8", "i16", "i32", "u8", "u16", "u32" } do
    it(("of %s takes what fits, and leaves the array alone otherwise"):format(name), function()
      local m, array = stores(name), typed.array(name, { 7, 7 })
      local low, high = types.range(types[name])
      low, high = tonumber(low), tonumber(high)
      for _, x in ipairs { low, high, 0 } do
        m:call("put", array, x)
        assert.equal(x, array.data[1])
      end
      array.data[1] = 7
      for _, x in ipairs { low - 1, high + 1, 0.5, 1e300, -1e300, 1 / 0, -1 / 0, 0 / 0 } do
        local problem = m:failure("put", array, x)
        assert.equal("bad-value", problem.id)
        assert.matches("at index 1 of an? " .. name .. " array", problem.message)
        assert.equal(7, array.data[1])
      end
      assert.matches(("^%d does not fit %s %%("):format(high + 1, name), m:failure("put", array, high + 1).message)
      assert.matches("mm%.sat%." .. name, m:failure("put", array, high + 1).hint)
      local article = name:find "^i" and "an" or "a"
      assert.equal(("0.5 is not a whole number, at index 1 of %s %s array"):format(article, name),
        m:failure("put", array, 0.5).message)
      assert.matches('^"1" is not a number', m:failure("text", array).message)
      assert.matches("is a value of C", m:failure("int", array, 1LL).message)
    end)
  end

  it("of i64 and u64 takes exact values only", function()
    local m, array = stores "i64", typed.array("i64", { 0, 0 })
    m:call("put", array, -2 ^ 53)
    assert.is_true(array.data[1] == -(2LL ^ 53))
    assert.matches("gaps", m:failure("put", array, 2 ^ 53 + 2).message)
    m:call("int", array, 0x7fffffffffffffffLL)
    assert.is_true(array.data[0] == 0x7fffffffffffffffLL)
    m, array = stores "u64", typed.array("u64", { 0, 0 })
    assert.matches("does not fit u64", m:failure("put", array, -1).message)
    assert.matches("^%-1 does not fit u64", m:failure("int", array, -1LL).message)
  end)

  it("of bool and floats takes their own type", function()
    local m = typed.module [[
      flag = mm.fn("v: mut bool[], x: f64?", function(v, x) v[0] = x or true end),
      float = mm.fn("v: mut f32[], x: f64?", function(v, x) v[0] = x end) ]]
    local flags, floats = typed.array("bool", { 0 }), typed.array("f32", { 1 })
    m:call("flag", flags, nil)
    assert.equal(1, flags.data[0])
    assert.equal("1 is not true or false, at index 0 of a bool array", m:failure("flag", flags, 1).message)
    m:call("float", floats, 0.1)
    assert.equal(tonumber(ffi.new("float", 0.1)), floats.data[0])
    assert.equal("nil is not a number, at index 0 of an f32 array", m:failure("float", floats, nil).message)
  end)
end)

describe("an array of 64-bit integers", function()
  it("is numbers where those are exact, and all of them when it is exact", function()
    local m = typed.module [[
      at = mm.fn("v: i64[], i: i32 -> i64", function(v, i) return v[i] end),
      uat = mm.fn("v: u64[], i: i32 -> u64", function(v, i) return v[i] end),
      kind = mm.fn("v: i64[] -> utf8", function(v) return type(v[0]) end),
      exact = mm.fn("v: exact i64[], i: i32 -> i64", function(v, i) return v[i] end),
      total = mm.fn("v: exact i64[] -> i64", function(v)
        local sum = 0LL
        for i = 0, #v - 1 do sum = sum + v[i] end
        return sum
      end) ]]
    local array = typed.array("i64", { 2LL ^ 53, -(2LL ^ 53), 2LL ^ 53 + 1, -(2LL ^ 53) - 1, 5 })
    assert.equal("number", m:call("kind", array))
    for _, i in ipairs { 0, 1, 4 } do assert.is_true(m:call("at", array, i) == array.data[i]) end
    for _, i in ipairs { 2, 3 } do
      local problem = m:failure("at", array, i)
      assert.equal("not-exact", problem.id)
      assert.matches("exact i64%[%]", problem.hint)
      assert.is_true(m:call("exact", array, i) == array.data[i])
    end
    assert.is_true(m:call("total", array) == 5LL)
    local unsigned = typed.array("u64", { 0xffffffffffffffffULL, 1 })
    assert.matches("18446744073709551615 cannot", m:failure("uat", unsigned, 0).message)
    assert.is_true(m:call("uat", unsigned, 1) == 1ULL)
  end)
end)

describe("NaNs from outside", function()
  -- bits that LuaJIT takes for text, tables, nil, functions ... when they come as they are
  local function odd(single)
    local list = {}
    for tag = 0, 0xff do
      list[#list + 1] = single and bit.bor(0x7f800001, bit.lshift(tag, 15)) or 0x7ff00000 + tag * 0x1000
      list[#list + 1] = single and bit.bor(0xff800001, bit.lshift(tag, 15)) or 0xfff00000 + tag * 0x1000
    end
    return list
  end

  local m = typed.module [[
    all_nan = mm.fn("v: f64[] -> i32", function(v)
      local count = 0
      for i = 0, #v - 1 do
        local x = v[i]
        if type(x) == "number" and x ~= x and tostring(-x):find "nan" then count = count + 1 end
      end
      return count
    end),
    all_nan_f32 = mm.fn("v: f32[] -> i32", function(v)
      local count = 0
      for i = 0, #v - 1 do
        local x = v[i]
        if type(x) == "number" and x ~= x and tostring(-x):find "nan" then count = count + 1 end
      end
      return count
    end),
    mend = mm.fn("v: mut f64[] -> f64", function(v)
      local sum = 0
      for i = 0, #v - 1 do
        if v[i] ~= v[i] then v[i] = 1 end
        sum = sum + v[i]
      end
      return sum
    end),
    id = mm.fn("x: f64 -> utf8", function(x) return type(x) end) ]]

  it("are read as plain NaNs, whatever their bits", function()
    local bits = odd(false)
    local n = #bits
    local data = ffi.new("int32_t[?]", 2 * n)
    for i, high in ipairs(bits) do data[2 * i - 2], data[2 * i - 1] = 0x12345678, high end
    for _ = 1, 50 do assert.equal(n, m:call("all_nan", { data = data, n = n })) end
    bits = odd(true)
    data = ffi.new("int32_t[?]", n)
    for i, pattern in ipairs(bits) do data[i - 1] = pattern end
    for _ = 1, 50 do assert.equal(n, m:call("all_nan_f32", { data = data, n = n })) end
  end)

  it("are seen as what was stored over them", function()
    local n = 1000
    for _ = 1, 50 do
      local data = ffi.new("int32_t[?]", 2 * n)
      for i = 0, n - 1 do data[2 * i + 1] = i % 3 == 0 and -1 or 0x3ff00000 end -- NaN or 1.0
      assert.equal(n, m:call("mend", { data = data, n = n }))
    end
  end)

  it("pass as scalars", function()
    local item = ffi.new "double[1]"
    ffi.cast("int64_t *", item)[0] = -2LL
    local entry = m.handle:find "id"
    local arguments, results = ffi.new "mm_item[1]", ffi.new "mm_item[1]"
    ffi.copy(ffi.cast("char *", arguments) + ffi.offsetof("mm_item", "f"), item, 8)
    local native = require "moonmill.base.ffi"
    native.C.mm_module_enter(m.handle.pointer, true, nil, native.err)
    assert.equal(0, native.C.mm_module_call(m.handle.pointer, entry.number, arguments, results, nil, native.err))
    assert.equal("number", ffi.string(results[0].data, results[0].size))
    native.C.mm_module_leave(m.handle.pointer)
  end)
end)

describe("mm.array", function()
  local m = typed.module([[
    zeros = mm.fn("n: f64 -> f64[]", function(n) return mm.array("f64", n) end),
    list = mm.fn("-> u8[], f32[], bool[]", function()
      return mm.array("u8", { 1, 2, 255 }), mm.array("f32", { 0.5 }), mm.array("bool", { true, false })
    end),
    exact = mm.fn("-> i64[]", function() return mm.array("exact i64", { 0x7fffffffffffffffLL }) end),
    twice = mm.fn("-> f64[], f64[]", function() local a = mm.array("f64", 1) return a, a end),
    keep = mm.fn("-> f64[]", function() kept = kept or mm.array("f64", 3) return kept end),
    look = mm.fn("-> f64", function() return kept[0] end),
    remember = mm.fn("x: f64 -> f64", function(x)
      memory = memory or mm.array("f64", 1)
      memory[0] = memory[0] + x
      return memory[0]
    end),
    waste = mm.fn("n: f64", function(n) for i = 1, n do mm.array("f64", 1e6)[i] = i end end),
    wrong = mm.fn("type: utf8, n: f64?", function(type, n) mm.array(type, n) end),
    bad = mm.fn("", function() mm.array("u8", { 1, 256 }) end) ]], "local kept, memory")

  it("is made of zeros, or of a list", function()
    for _, n in ipairs { 0, 1, 1000, 300000 } do
      local values = m:call("zeros", n)
      assert.equal(n, values.n)
      for _, x in ipairs(typed.list(values)) do assert(x == 0) end
    end
    local a, b, c = m:call "list"
    assert.same({ { 1, 2, 255 }, { 0.5 }, { 1, 0 } }, { typed.list(a), typed.list(b), typed.list(c) })
    assert.is_true(typed.list(m:call "exact")[1] == 0x7fffffffffffffffLL)
    assert.equal("256 does not fit u8 (0 to 255), at index 1 of a u8 array", m:failure("bad").message)
  end)

  it("goes to the caller without a copy, and is empty from then on", function()
    local a, b = m:call "twice"
    assert.equal(a.data, b.data)
    assert.equal(3, m:call("keep").n)
    local problem = m:failure "keep"
    assert.equal("bad-result", problem.id)
    assert.matches("handed over by an earlier call", problem.message)
    assert.equal("array-given", m:failure("look").id)
  end)

  it("stays where it is while it is not returned", function()
    assert.equal(1, m:call("remember", 1))
    collectgarbage()
    assert.equal(3, m:call("remember", 2))
  end)

  it("is freed when nobody has it any more, soon when there are many", function()
    m:call("waste", 50)
    assert.is_true(tonumber(require("moonmill.base.ffi").C.mm_memory_used()) < 200e6)
    local before = columns.memory_used()
    local other = typed.module("f = mm.fn('-> f64[]', function() spare = mm.array('f64', 1000) " ..
      "return mm.array('f64', 1000) end)", "local spare")
    local result = other:call "f" -- luacheck: ignore
    assert.is_true(columns.memory_used() > before)
    result, other = nil, nil -- luacheck: ignore
    assert.is_true(columns.memory_used() <= before)
  end)

  it("names what it does not know", function()
    local problem = m:failure("wrong", "f65", 1)
    assert.equal('there are no arrays of "f65"', problem.message)
    assert.equal('did you mean "f64"?', problem.hint)
    assert.matches("no arrays of \"utf8\"", m:failure("wrong", "utf8", 1).message)
    assert.matches("a length or a list", m:failure("wrong", "f64", nil).message)
    for _, n in ipairs { -1, 0.5, 0 / 0, 1 / 0 } do assert.equal("bad-argument", m:failure("wrong", "f64", n).id) end
  end)

  it("is what an array result must be", function()
    local other = typed.module [[
      table = mm.fn("-> f64[]", function() return { 1 } end),
      pointer = mm.fn("-> f64[]", function() return require("ffi").new("double[3]") end),
      none = mm.fn("-> f64[]?", function() return nil end) ]]
    assert.equal("table: the result is a table, expected f64[]", other:failure("table").message)
    assert.matches("mm%.array%(\"f64\", n%)", other:failure("table").hint)
    assert.equal("bad-result", other:failure("pointer").id)
    assert.is_nil(other:call "none")
  end)
end)
