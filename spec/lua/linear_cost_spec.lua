-- Work grows with what a script says, not with its square: instructions of Lua are counted, not seconds.
local input = require "moonmill.pipeline.input"
local params = require "moonmill.pipeline.params"
local plan = require "moonmill.plan.plan"
local script = require "moonmill.script.script"
local types = require "moonmill.base.types"

local STEP = 100 -- instructions between two counts
local SMALL, LARGE = 300, 1200
local GROWTH = LARGE / SMALL * 1.25 -- n log n, and what a table costs when it grows

-- Instructions that a function takes, compiled code left out.
local function instructions_of(fn, ...)
  local count = 0
  jit.off()
  jit.flush()
  debug.sethook(function() count = count + STEP end, "", STEP)
  local ok, problem = pcall(fn, ...)
  debug.sethook()
  jit.on()
  if not ok then error(problem, 0) end
  return count
end

local function columns_of(count)
  local columns = {}
  for i = 1, count do columns[i] = { name = "c" .. i, type = types.i64, nullable = true } end
  return columns
end

local function compile(text, columns)
  local pipeline = script.evaluate(text)
  local arriving = input.bind(pipeline.input, columns, "input")
  for _, item in ipairs(plan.bind(pipeline, arriving, params.resolve(pipeline.params, {})):make()) do
    require("moonmill.base.ffi").C.mm_stage_free(item.stage)
  end
end

local function repeated(pattern, count, separator)
  local parts = {}
  for i = 1, count do parts[i] = (pattern:gsub("#", i)) end
  return table.concat(parts, separator or " ")
end

-- By name: the text of a script of n parts, and the number of columns of its input.
local CASES = {
  ["limits in one line"] = function(n) return repeated(":limit(1)", n), 2 end,
  ["stages on lines of their own"] = function(n) return repeated(":derive 'x# = c1 + #'", n, "\n"), 2 end,
  ["filters"] = function(n) return repeated(":where 'c1 > #'", n, "\n"), 2 end,
  ["expressions of one list"] = function(n) return ":derive { " .. repeated('"x# = c1 + #"', n, ", ") .. " }", 2 end,
  ["aggregates"] = function(n) return ":group('c1', { " .. repeated('"s# = sum(c#)"', n, ", ") .. " })", n end,
  ["keys"] = function(n) return ":group({ " .. repeated('"c#"', n, ", ") .. " }, 'n = count()')", n end,
  ["sort keys"] = function(n) return ":sort { " .. repeated('"-c#"', n, ", ") .. " }", n end,
  ["names to drop"] = function(n) return ":drop { " .. repeated('"c#"', n, ", ") .. " }", n + 1 end,
  ["names to rename"] = function(n) return ":rename { " .. repeated('"d# = c#"', n, ", ") .. " }", n end,
  ["columns of a selector"] = function(n) return ":derive 'cols() = it + 1'", n end,
  ["columns to fill"] = function(n) return ":fill_null 'cols() = 0'", n end,
  ["columns that pass a row function"] = function(n)
    return ":map('x: f64', function(r) return r.c1 end)", n
  end,
  ["a declared input"] = function(n)
    return "mm.pipeline { input = { " .. repeated('"c#: i64?"', n, ", ") .. " } } :derive 'z = c1 + 1'", n
  end,
  ["parameters"] = function(n)
    return "mm.pipeline { params = { " .. repeated('"p#: i64 = 1"', n, ", ") .. " } } :where 'c1 > p.p1'", 2
  end,
}

describe("the cost of", function()
  for name, case in pairs(CASES) do
    it(name .. " is linear", function()
      local one, few = case(1)
      compile(one, columns_of(few)) -- modules are loaded before anything is counted
      local function cost(n)
        local text, width = case(n)
        return instructions_of(compile, text, columns_of(width))
      end
      local small, large = cost(SMALL), cost(LARGE)
      assert.is_true(large <= small * GROWTH, ("%d instructions for %d, %d for %d"):format(small, SMALL, large, LARGE))
    end)
  end
end)

describe("lists that are longer than a call of Lua can take arguments", function()
  local MANY = 20000

  it("are keys, columns of a row function, names and stages like shorter ones", function()
    for _, name in ipairs { "keys", "columns that pass a row function", "sort keys", "limits in one line" } do
      local text, width = CASES[name](MANY)
      assert.has_no_error(function() compile(text, columns_of(width)) end)
    end
  end)
end)
