local pipelines = require "pipelines"
local script = require "moonmill.script.script"

local function with_file(text, fn)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  local ok, problem = pcall(fn, path)
  os.remove(path)
  assert(ok, problem)
end

local function place(problem)
  return ("%s:%s:%s"):format(problem.file, tostring(problem.line), tostring(problem.column))
end

describe("a script", function()
  it("is a chain, an expression or statements", function()
    assert.equal(2, #script.evaluate(':where "a > 1" :limit(2)').stages)
    assert.equal(1, #script.evaluate('mm.pipeline { about = "x" } :limit(2)').stages)
    assert.equal(1, #script.evaluate('local n = 2 return mm.pipeline {} :limit(n)').stages)
  end)

  it("may be a file with a first line for the shell", function()
    with_file('#!/usr/bin/env moonmill\nreturn require("moonmill").pipeline {} :limit(3)', function(path)
      assert.equal(2, script.load(path).stages[1].place.line)
    end)
  end)

  it("finds modules in its own folder, and only while it runs", function()
    local folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir -p " .. folder)
    local function write(name, text)
      local file = assert(io.open(folder .. "/" .. name, "w"))
      file:write(text)
      file:close()
    end
    write("mm_spec_neighbour.lua", "return 7")
    write("main.lua", 'return require("moonmill").pipeline {} :limit(require "mm_spec_neighbour")')
    local before = package.path
    assert.equal(7, script.load(folder .. "/main.lua").stages[1].arguments.n)
    assert.equal(before, package.path)
    os.execute("rm -r " .. folder)
  end)

  it("tells the place of a syntax error, of an error at run time, and of a missing file", function()
    local problem = pipelines.raised(script.evaluate, ":where 'a'\n:where )")
    assert.equal("syntax", problem.id)
    assert.equal(2, problem.line)
    assert.equal(5, require("moonmill.base.failure").exit_code(problem))
    problem = pipelines.raised(script.evaluate, "\nlocal x = nil\nreturn x.y")
    assert.equal("script", problem.id)
    assert.equal(3, problem.line)
    problem = pipelines.raised(script.load, "/nowhere/at-all.lua")
    assert.equal("io", problem.code)
    assert.equal("/nowhere/at-all.lua", problem.file)
  end)

  it("must return a pipeline", function()
    assert.equal("no-pipeline", pipelines.raised(script.evaluate, "return 3").id)
    assert.equal("no-pipeline", pipelines.raised(script.evaluate, "local x = 3").id)
  end)

  it("may begin with the mark of UTF-8 that some editors put there", function()
    assert.equal(1, #script.evaluate("\239\187\191:where 'a > 1'").stages)
    with_file("\239\187\191local mm = require 'moonmill'\nreturn mm.pipeline {} :where 'a > 1'", function(path)
      assert.equal(1, #script.load(path).stages)
    end)
  end)

  it("may not be compiled Lua", function()
    with_file(string.dump(function() return 1 end), function(path)
      assert.equal("bytecode", pipelines.raised(script.load, path).id)
    end)
  end)

  it("gives errors the line and column of the text, also of the last call, which Lua forgets", function()
    local cases = {
      { ":limit(3)\n  :where 'a >'", "-e:2:14:syntax" },
      { ":limit(3)\n:derive { 'b = 1',\n  'c = )' }", "-e:3:8:syntax" },
      { ":where 'a' :where 'b >'", "-e:1:23:syntax" },
      { ":derive [[\nb = 1 +\n+]]", "-e:3:1:syntax" },
      { "local p = mm.pipeline {}\np = p:where 'a'\nreturn p:where 'b +'", "-e:3:20:syntax" },
      { ":lmit(3)", "-e:1:2:unknown-stage" },
    }
    for _, case in ipairs(cases) do
      local problem = pipelines.raised(script.evaluate, case[1])
      local expected, id = case[2]:match "^(.*):([%w-]+)$"
      assert.equal(id, problem.id, case[1])
      assert.equal(expected, place(problem), case[1])
    end
  end)
end)
