local params = require "moonmill.pipeline.params"
local pipelines = require "pipelines"
local script = require "moonmill.script.script"

local function declared(...)
  local texts = {}
  for i, text in ipairs { ... } do texts[i] = ("%q"):format(text) end
  return script.evaluate("mm.pipeline { params = { " .. table.concat(texts, ", ") .. " } }").params
end

describe("a parameter", function()
  it("is declared with a type, a default and help", function()
    local list = declared("n: i64 = 10  -- how many", "name: utf8", "x: f64?", "on: bool = true",
      "s: utf8 = 'a -- b'  -- text")
    assert.equal("how many", list[1].help)
    assert.is_true(list[1].default == 10LL)
    assert.is_true(list[2].required)
    assert.is_false(list[3].required)
    assert.is_true(list[4].default)
    assert.equal("a -- b", list[5].default)
    assert.equal("text", list[5].help)
    assert.equal('s: utf8 = "a -- b"  -- text', params.describe(list[5]))
  end)

  it("is typed where it is given", function()
    local list = declared("i: i8", "u: u64", "f: f64", "b: bool", "s: utf8", "d: date")
    local values = params.resolve(list, { i = "-128", u = "18446744073709551615", f = "1e3", b = "false", s = "",
      d = "2013-03-01" })
    assert.is_true(values.i.value == -128LL)
    assert.is_true(values.u.value == 18446744073709551615ULL)
    assert.equal(1000, values.f.value)
    assert.is_false(values.b.value)
    assert.equal("", values.s.value)
    assert.equal(15765, tonumber(values.d.value))
  end)

  it("may be a float that is not finite", function()
    local list = declared("f: f64", "g: f32")
    for text, value in pairs { inf = math.huge, ["-inf"] = -math.huge, Infinity = math.huge } do
      local values = params.resolve(list, { f = text, g = text })
      assert.equal(value, values.f.value)
      assert.equal(value, values.g.value)
    end
    local values = params.resolve(list, { f = "nan", g = "NaN" })
    assert.is_true(values.f.value ~= values.f.value and values.g.value ~= values.g.value)
    assert.equal("bad-param", pipelines.raised(params.resolve, list, { f = "nano", g = "0" }).id)
  end)

  it("is null where that is said: by the word but for text, which a NUL can say too", function()
    local list = declared("i: i64? = 7", "s: utf8? = 'x'", "t: utf8 = 'y'")
    assert.is_nil(params.resolve(list, { i = "null" }).i.value)
    assert.is_nil(params.resolve(list, { i = "\0" }).i.value)
    assert.equal("null", params.resolve(list, { s = "null" }).s.value)
    assert.is_nil(params.resolve(list, { s = "\0" }).s.value)
    assert.equal("\0", params.resolve(list, { s = "\0\0" }).s.value)
    local problem = pipelines.raised(params.resolve, list, { t = "\0" })
    assert.equal('parameter "t" is null, expected a text in UTF-8', problem.message)
  end)

  it("that does not fit its type is an error that names it", function()
    for _, case in ipairs {
      { "i8", "128" }, { "i8", "-129" }, { "u8", "-1" }, { "i64", "9223372036854775808" },
      { "u64", "18446744073709551616" },
      { "i64", "1.5" }, { "i64", "" }, { "f64", "x" }, { "f64", "0x10" }, { "bool", "yes" }, { "date", "2013-02-29" },
      { "utf8", "\255" }, { "utf8", "\237\160\128" }, { "utf8", "\244\144\128\128" },
    } do
      local problem = pipelines.raised(params.resolve, declared("amount: " .. case[1]), { amount = case[2] })
      assert.equal("bad-param", problem.id, case[1] .. " " .. case[2])
      assert.matches("amount", problem.message)
    end
  end)

  it("that is missing is listed with all others that are, and their help", function()
    local problem = pipelines.raised(params.resolve, declared("a: i64 -- first", "b: utf8", "c: i64 = 1"), {})
    assert.equal("missing-param", problem.id)
    assert.matches("2 parameters", problem.message)
    assert.matches("a: i64 %(required%)  %-%- first", problem.message)
    assert.matches("b: utf8", problem.message)
    assert.is_nil(problem.message:find "c: i64")
  end)

  it("that is not declared is an error with a suggestion", function()
    local problem = pipelines.raised(params.resolve, declared("min_flights: i64 = 1"), { min_flight = "2" })
    assert.equal("unknown-param", problem.id)
    assert.equal('did you mean "min_flights"?', problem.hint)
  end)

  it("is refused when it is too large for its type", function()
    for kind, text in pairs { f32 = "1e39", f64 = "1e309", i8 = "128", u64 = "18446744073709551616" } do
      local problem = pipelines.raised(params.resolve, declared("n: " .. kind), { n = text })
      assert.matches("fits " .. kind, problem.message)
    end
  end)

  it("is refused when its declaration is wrong", function()
    for text, id in pairs {
      ["n"] = "bad-field", ["n: i65"] = "type", ["n: i8 = 300"] = "bad-param", ["n: i64 10"] = "bad-param",
      ["n: null"] = "bad-param",
    } do
      assert.equal(id, pipelines.raised(declared, text).id, text)
    end
    assert.equal("bad-param", pipelines.raised(declared, "n: i64 = 1", "n: i64 = 2").id)
  end)

  it("reaches expressions as p.name", function()
    local lists = { { "a", "i64", { 1, 2, 3, 4 } } }
    local out = pipelines.run('mm.pipeline { params = "least: i64 = 3" } :where "a >= p.least"', lists)
    assert.same({ 3, 4 }, out.a)
    out = pipelines.run('mm.pipeline { params = "least: i64 = 3" } :where "a >= p.least"', lists,
      { params = { least = "2" } })
    assert.same({ 2, 3, 4 }, out.a)
    out = pipelines.run('mm.pipeline { params = "x: i64?" } :derive "b = coalesce(p.x, a)"', lists)
    assert.same({ 1, 2, 3, 4 }, out.b)
    local problem = pipelines.problem('mm.pipeline { params = "least: i64 = 3" } :where "a >= p.lest"', lists)
    assert.equal('did you mean "least"?', problem.hint)
  end)
end)
