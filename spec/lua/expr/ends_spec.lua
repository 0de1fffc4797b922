-- Parameters and constants at the ends of their types: every function, every aggregate and every stage that takes one
-- gives a result or a failure that says why, and never one that is a bug of ours.
local pipelines = require "pipelines"
local columns = require "columns"
local failure = require "moonmill.base.failure"
local catalogue = require "moonmill.functions.catalogue"
local null = columns.null

local ENDS = {
  f64 = { "nan", "-nan", "inf", "-inf", "1e308", "9223372036854775808", "-9223372036854775808", "9007199254740993",
    "5e-324", "-0.0", "0", "-1" },
  f32 = { "nan", "-inf", "3.4e38", "16777217" },
  i64 = { "9223372036854775807", "-9223372036854775808", "9007199254740993", "0", "-1", "309", "-309" },
  u64 = { "18446744073709551615", "0" }, i8 = { "-128", "127" }, u8 = { "255" }, i32 = { "-2147483648" },
  bool = { "true", "false" },
  utf8 = { "", "\0\0nul\0", ("long"):rep(5000), "Ünï", "%", "null" }, binary = { "", "\255\254" },
  date = { "0001-01-01", "9999-12-31" }, timestamp = { "1677-09-21T00:12:44Z", "2262-04-11T23:47:16Z" },
  duration = { "PT0S", "-P100000DT0.000001S" }, ["i64?"] = { "null" }, ["f64?"] = { "null" }, ["utf8?"] = { "\0" },
}
-- The same as they are written in an expression.
local LITERALS = { "0/0", "1/0", "-1/0", "1e308", "9223372036854775807", "-9223372036854775807 - 1", "9007199254740993",
  "9223372036854775808", "18446744073709551615", "-0.0", "''", "'\\0'", "null", "true" }

local LISTS = {
  { "i", "i64", { 0LL, 1LL, -1LL, 0x7fffffffffffffffLL, -0x7fffffffffffffffLL - 1, null } },
  { "f", "f64", { 0, -0.0, 0 / 0, 1 / 0, -1e308, null } },
  { "t", "utf8", { "", "a", "\0", ("b"):rep(100), "1", null } },
  { "b", "bool", { true, false, true, false, true, null } },
  { "d", "date", { 0, -719162, 2932896, 1, -1, null } },
  { "s", "timestamp(us)", { 0, -1, 2 ^ 52, -2 ^ 52, 86400000000, null } },
  { "u", "duration(us)", { 0, -1, 2 ^ 52, -2 ^ 52, 1, null } },
}
local NAMES = { "i", "f", "t", "b", "d", "s", "u" }

local tried

-- Runs, and judges how it ended; the failure, if any.
local function run(chain, given)
  tried = tried + 1
  local ok, problem = pcall(pipelines.run, chain, LISTS, { params = given })
  if ok then return nil end
  local about = ("%s with %s: "):format(chain, given and ("%q"):format(given.q:sub(1, 40)) or "nothing")
  assert(failure.is(problem), about .. tostring(problem))
  assert(failure.exit_code(problem) ~= 70, about .. problem.message)
  return problem
end

local function with_parameters(form)
  for kind, list in pairs(ENDS) do
    local declared = ('mm.pipeline { params = { "q: %s" } } '):format(kind)
    for _, text in ipairs(list) do run(declared .. form:format "p.q", { q = text }) end
  end
end
local function with_literals(form)
  for _, text in ipairs(LITERALS) do run(form:format("(" .. text .. ")")) end
end

-- The arguments in an example call.
local function arguments_of(call)
  local list, depth, start = {}, 0, call:find "%(" + 1
  for i = start, #call do
    local c = call:sub(i, i)
    if c == "(" then depth = depth + 1 end
    if (c == "," or c == ")") and depth == 0 then
      list[#list + 1] = call:sub(start, i - 1)
      start = i + 1
    end
    if c == ")" then depth = depth - 1 end
    if depth < 0 then break end
  end
  return list
end

---Calls of a function in which one argument is open: "%s", the others as in its example or a column.
local function forms(entry)
  local arguments, list = arguments_of(entry.example[1]), {}
  for k = 1, #arguments do
    local others = #arguments == 1 and { false } or { false, unpack(NAMES) }
    for _, column in ipairs(others) do
      local filled = {}
      for i, argument in ipairs(arguments) do
        filled[i] = i == k and "%s" or i == (k == 1 and 2 or 1) and column or argument:gsub("%%", "%%%%")
      end
      list[#list + 1] = ("%s(%s)"):format(entry.name, table.concat(filled, ", "))
    end
  end
  return list
end

local function quoted(expression) return (expression:gsub("\\", "\\\\"):gsub('"', '\\"')) end

describe("values at the ends of their types", function()
  before_each(function() tried = 0 end)

  for _, entry in ipairs(catalogue.list) do
    if entry.group ~= "aggregate" then
      it("are taken or refused by " .. entry.usage, function()
        for _, form in ipairs(forms(entry)) do
          with_parameters((':select { "x = %s", "i" }'):format(quoted(form)))
          with_literals((':select { "x = %s", "i" }'):format(quoted(form)))
        end
        assert.is_true(tried > 40)
      end)
    end
  end

  it("are taken or refused by every operator", function()
    local operators = { "+", "-", "*", "/", "//", "%%", "^", "..", "==", "~=", "<", "<=", ">", ">=", "and", "or" }
    for _, operator in ipairs(operators) do
      for _, column in ipairs(NAMES) do
        with_parameters((':select { "x = %s %s %%s", "i" }'):format(column, operator:gsub("%%", "%%%%")))
        with_literals((':select { "x = %%s %s %s", "i" }'):format(operator:gsub("%%", "%%%%"), column))
      end
    end
  end)

  it("are taken or refused by every aggregate", function()
    for name in pairs(catalogue.aggregates) do
      local call = name == "quantile" and "quantile(f, %s)" or name .. "(%s)"
      for _, keys in ipairs { "{}", '"b"' } do
        with_parameters((':group(%s, { "x = %s", "n = max(f)" })'):format(keys, call))
        with_literals((':group(%s, { "x = %s", "n = max(f)" })'):format(keys, call))
      end
    end
  end)

  it("are taken or refused by every stage", function()
    for _, form in ipairs { ':where "f > %s"', ':where "is_in(i, %s)"', ':derive "x = %s"', ':fill_null { "f = %s" }',
      ':fill_null { "i = %s" }', ':fill_null { "t = %s" }', ':fill_null { "s = %s" }', ':group("x = %s", "n = sum(i)")',
      ':group({}, { "x = %s + sum(f)", "n = max(i)" })', ':select { "x = %s", "i" } :sort "x"',
      ':select { "x = %s", "i" } :distinct()',
      ':select { "x = %s", "i" } :cast { "x: i8" }', ':select { "x = %s", "i" } :cast { "x: utf8" }',
      ':select { "x = %s", "i" } :limit(2, { by = "x", order = "-x" })' } do
      with_parameters(form)
      with_literals(form)
    end
    for _, n in ipairs { "0/0", "1/0", "-1/0", "-1", "0.5", "2^53 + 2", "1e308", "nil", "'1'", "-0.0", "2^53", "0" } do
      local problem = run((":limit(%s)"):format(n))
      local fits = n == "-0.0" or n == "2^53" or n == "0"
      assert.equal(fits and "nil" or "bad-argument", problem and problem.id or "nil", n)
    end
  end)

  it("are no share of quantile, when they are NaN or outside 0 to 1", function()
    for _, text in ipairs { "nan", "-nan", "inf", "-inf", "-5e-324", "1.0000000000000002", "1e308" } do
      local problem = run('mm.pipeline { params = { "q: f64" } } :group("b", "x = quantile(f, p.q)")', { q = text })
      assert.equal("type", problem and problem.id, text)
    end
    for _, text in ipairs { "0/0", "-(0/0)", "1/0", "-1/0", "2", "-1" } do
      assert.equal("type", (run(('mm.pipeline {} :group("b", "x = quantile(f, %s)")'):format(text)) or {}).id, text)
    end
    for _, text in ipairs { "0", "-0.0", "1", "5e-324" } do
      assert.is_nil(run('mm.pipeline { params = { "q: f64" } } :group("b", "x = quantile(f, p.q)")', { q = text }))
    end
  end)

end)
