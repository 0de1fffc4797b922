-- What each sub-command prints, over the bundled sample and small files.
local command = require "command"

local DATA = "pipelines/data/flights.csv.zst"
local folder
setup(function() folder = command.folder() end)
teardown(function() folder:remove() end)

local function ok(arguments, options)
  local code, out, err = command.run(arguments, options)
  assert.equal("", err)
  assert.equal(0, code)
  return out
end

describe("moonmill run", function()
  it("writes CSV to a pipe", function()
    local path = folder:write("a.csv", "a,b\n1,x\n2,\"y, z\"\n3,\n")
    assert.equal('a,b,c\n1,x,2\n2,"y, z",4\n3,,6\n', ok { "run", "-e", ':derive "c = a * 2"', path })
  end)

  it("reads several files as one table, stdin, and what -o says", function()
    local path = folder:write("a.csv", "a\n1\n2\n")
    assert.equal("n\n6\n", ok({ "run", "-e", ':group({}, "n = count()")', path, "-", path }, { stdin = "a\n3\n4\n" }))
    assert.equal("", ok { "run", "-e", ":limit(1)", path, "-o", folder.path .. "/out.tsv" })
    assert.equal("a\n1\n", command.read(folder.path .. "/out.tsv"))
    ok { "run", "-e", ":limit(1)", path, "-o", folder.path .. "/out.csv.zst" }
    assert.equal("a\n1\n", ok { "run", "-e", ":limit(9)", folder.path .. "/out.csv.zst", "-o", "-" })
  end)

  it("reads lines of text where the pipeline says so, and explains and checks that", function()
    local path = folder:write("a.log", 'x "1\n\ny,2')
    local text = 'mm.pipeline { input = "lines" } :derive "n = len(line)"'
    assert.equal('line,n\n"x ""1",4\n"",0\n"y,2",3\n', ok { "run", "-e", text, path })
    assert.matches("reads 1 of 1 columns: line: utf8\n", ok { "explain", "-e", text, path })
    assert.matches("gives:\n  line: utf8\n  n: i64\n", ok { "check", "-e", text, path })
  end)

  it("takes parameters, threads, and the forms of text files", function()
    local path = folder:write("a.txt", "1;'x;y';NA\n2;z;5\n")
    local out = ok {
      "run", "--delimiter", ";", "--quote", "'", "--null", "NA", "--no-header", "--threads", "2", "-p", "least=1",
      "-e", 'mm.pipeline { params = "least: i64" } :where "c1 >= p.least"', path,
    }
    assert.equal('c1,c2,c3\n1,x;y,\n2,z,5\n', out)
    assert.equal("a,b\n1,\n2,3\n", ok { "run", "--ragged", "-e", ":limit(9)",
      folder:write("r.csv", "a,b\n1\n2,3,4\n") })
    assert.equal("a,b\n1,2\n", ok { "run", "--delimiter", "tab", "-e", ":limit(9)",
      folder:write("t.csv", "a\tb\n1\t2\n") })
  end)

  it("gives the same bytes at one thread and at two", function()
    local chain = ':where "arr_delay ~= null" :group({ "carrier", "dest" }, { "m = mean(arr_delay)", "n = count()" })'
    assert.equal(ok { "run", "--threads", "1", "-e", chain, DATA }, ok { "run", "--threads", "2", "-e", chain, DATA })
  end)

  it("shows progress as JSON lines when asked", function()
    local code, _, err = command.run { "run", "--progress", "json", "-e", ":limit(1)", DATA }
    assert.equal(0, code)
    assert.matches('^{"rows":%d+,.*"done":true}\n$', err)
  end)
end)

describe("on a terminal", function()
  -- script(1) gives the command a terminal of 80 columns
  local function shown(arguments)
    local words = { command.path }
    for i, argument in ipairs(arguments) do words[i + 1] = "'" .. argument .. "'" end
    local line = "stty cols 60; " .. table.concat(words, " ")
    local pipe = io.popen(("script -qec %s /dev/null </dev/null"):format("'" .. line:gsub("'", "'\\''") .. "'"))
    local text = pipe:read "*a"
    pipe:close()
    return (text:gsub("\r", ""):gsub("\27%[%d*m", ""))
  end

  it("the result is a table: types under names, numbers to the right, null dim, rows counted", function()
    local path = folder:write("t.csv", "name,amount,ratio\nab,1,0.5\nc,1000,\nÄö,-3,2.25\n")
    assert.equal(table.concat({
      "name  amount  ratio", "utf8     i64    f64", "ab         1   0.50", "c       1000   null", "Äö        -3   2.25",
      "3 rows", "",
    }, "\n"), shown { "run", "-e", ":limit(9)", path })
  end)

  it("a wide table is cut with a note, one wide row is turned", function()
    assert.matches("\n2 rows; %d+ more columns: .*time_hour\n$", shown { "head", "-n", "2", DATA })
    assert.matches("^year +i64 +2013\n.*\ntime_hour +timestamp  2013", shown { "head", "-n", "1", DATA })
  end)

  it("a long table is cut with its number of rows", function()
    assert.matches("\n27,004 rows, the first 40 are shown\n$", shown { "run", "-e", ':select "flight"', DATA })
  end)

  it("-o - is CSV all the same", function()
    assert.equal("n\n27004\n", shown { "run", "-e", ':group({}, "n = count()")', DATA, "-o", "-" })
  end)
end)

describe("moonmill head and schema", function()
  it("print the first rows", function()
    local out = ok { "head", "-n", "2", DATA }
    assert.equal(3, select(2, out:gsub("\n", "")))
    assert.equal(11, select(2, ok({ "head", DATA }):gsub("\n", "")))
  end)

  it("print an input list that a pipeline takes as it is", function()
    local out = ok { "schema", DATA }
    assert.matches('^%-%- Types, and nulls %(%?%), as in the first 10000 rows.\ninput = {\n  "year: i64",', out)
    assert.matches('"tailnum: utf8%?"', out)
    local script = folder:write("s.lua", "return require('moonmill').pipeline {\n" .. out .. "}\n")
    assert.equal(27005, select(2, ok({ "run", script, DATA }):gsub("\n", "")))
    assert.equal('-- Types, and nulls (?), of all rows.\ninput = {\n  "`odd name`: i64",\n  "b: utf8?",\n}\n',
      ok { "schema", folder:write("o.csv", "odd name,b\n1,x\n2,\n") })
  end)
end)

describe("moonmill check, explain and info", function()
  it("check prints the types without data, and what is left out of a file", function()
    local out = ok { "check", "pipelines/delays.lua" }
    assert.matches("^pipelines/delays.lua: ok\n", out)
    assert.matches("gives:\n  carrier: utf8\n  flights: i64\n  delay: f64\n", out)
    assert.matches("left out: year, month, day", ok { "check", "pipelines/delays.lua", DATA })
    assert.matches("only a file can tell", ok { "check", "-e", ':where "a > 1"' })
  end)

  it("check finds mistakes without data", function()
    local script = folder:write("wrong.lua", [[
return require("moonmill").pipeline { input = { "a: i64" } }
:where "b > 1"
]])
    local code, out, err = command.run { "check", script }
    assert.equal(2, code)
    assert.equal("", out)
    assert.matches("wrong%.lua:2:9: error%[unknown%-column%]", err)
  end)

  it("explain prints columns, programs and segments", function()
    local out = ok { "explain", "pipelines/delays.lua", DATA }
    assert.matches("^reads 5 of 19 columns: ", out)
    assert.matches("%%0 = load f64 arr_delay", out)
    assert.matches("group carrier", out)
    assert.matches("segment 2", out)
    local code, _, err = command.run { "explain", "-e", ":limit(1)" }
    assert.equal(2, code)
    assert.matches("a plan needs a file", err)
  end)

  describe("explain tells of a row function", function()
    local function verdict(text, ...)
      local script = folder:write("kinds.lua", "return require('moonmill').pipeline " ..
        "{ input = { 'x: f64', 's: utf8?' } }\n" .. text)
      local vector, loop = ok({ "explain", script, ... }):match "a Lua function [^\n]*\n%s+([^\n]*)\n%s+([^\n]*)"
      return vector:find "^not" and loop or vector, vector
    end
    local file = folder:write("kinds.csv", "x,s\n1.5,2\n3,5\n")

    it("that it is a vector program, of how many operations", function()
      local text = ":map('y: f64', function(r) return r.x * 2 + 1 end)"
      assert.equal("vectorised: 3 operations", verdict(text))
      assert.equal("vectorised: 3 operations", verdict(text, file))
      assert.matches("^vectorised: %d+ operations$", verdict(":where(function(r) return r.s == '7' or r.x > 50 end)"))
    end)

    it("that it is none, and compiled, with and without a file", function()
      local text = ":map('y: f64', function(r)\n local t = { r.x }\n return t[1] end)"
      assert.same({ "compiled", "not vectorised: kinds.lua:3: it makes a table" }, { verdict(text) })
      assert.equal("compiled", verdict(text, file))
      assert.equal("compiled", verdict(":where(function(r) return tostring(r.x) ~= '1' end)"))
    end)

    it("the line and the reason when it is not", function()
      local text = [[
:map("y: f64", function(r)
  local x = r.x
  local double = function() return x * 2 end
  return double()
end)]]
      assert.equal("not compiled: kinds.lua:4: NYI: bytecode FNEW", verdict(text))
      assert.equal("not compiled: kinds.lua:4: NYI: bytecode FNEW", verdict(text, file))
    end)

    it("where it leaves compiled code", function()
      local text = ":map('y: utf8', function(r) return ((r.s or ''):gsub('1', '2')) end)"
      assert.equal("leaves compiled code at string.gsub", verdict(text))
      assert.equal("leaves compiled code at string.gsub", verdict(text, file))
    end)

    it("its error, which made-up rows may cause alone", function()
      local text = ":map('y: f64', function(r) return r.s + r.x end)"
      assert.matches("^not known whether it is compiled: it fails on made%-up rows: .*kinds.lua:2: attempt",
        verdict(text))
      assert.equal("compiled", verdict(text, file))
      assert.matches("^fails: .*kinds.lua:2: attempt", verdict(text, folder:write("null.csv", "x,s\n1,\n")))
    end)

    it("on the rows that arrive there", function()
      local text = ":where 'x > 2':map('y: f64', function(r) return tostring(r.x) and r.x > 2 and 1 or nil end)"
      assert.equal("compiled", verdict(text, file))
      text = ":sort 'x':map('y: i64', function(r) return #tostring(r.s or '') end):derive 'z = y + 1'"
      assert.equal("compiled", verdict(text, file))
      assert.matches("^fails: .*'y' is nil", verdict(":map('y: f64', function(r) return end)", file))
    end)
  end)

  it("info prints what a pipeline does, its parameters and input, an example", function()
    local out = ok { "info", "pipelines/delays.lua" }
    assert.matches("min_flights: i64 = 1000  %-%- leave out smaller carriers", out)
    assert.matches("dep_delay: f64%?", out)
    assert.matches("example: moonmill run pipelines/delays.lua", out)
  end)
end)

describe("moonmill list, help, doctor, version", function()
  it("list prints the pipelines of a folder with their line", function()
    local out = ok { "list" }
    assert.matches("pipelines/delays%.lua +Delay of each carrier", out)
    folder:write("broken.lua", "return )")
    folder:write("module.lua", "return { 1 }")
    folder:write("lost.lua", "return require 'nowhere'")
    out = ok { "list", folder.path }
    assert.matches("broken%.lua +%(broken: ", out)
    assert.matches("lost%.lua +%(broken: module 'nowhere' not found%)", out)
    assert.is_nil(out:find("module.lua", 1, true))
    assert.equal(3, (command.run { "list", "/nowhere" }))
  end)

  it("help knows topics, functions and stages", function()
    assert.matches("topics: functions, stages", ok { "help" })
    for _, topic in ipairs { "functions", "stages", "types", "selectors", "round", "group", "sum", "min" } do
      assert.is_true(#ok { "help", topic } > 40)
    end
    assert.matches("aggregate", ok { "help", "min" })
    assert.equal(ok { "run", "--help" }, ok { "help", "run" })
  end)

  it("--help prints the options of every sub-command", function()
    for _, name in ipairs { "run", "check", "explain", "info", "call", "head", "schema", "list", "help", "doctor",
      "version" } do
      assert.matches("^Usage: moonmill " .. name, ok { name, "--help" })
    end
    assert.matches("usage: moonmill COMMAND", ok { "--help" })
  end)

  it("version prints versions", function()
    assert.matches("^moonmill %d+%.%d+%.%d+ %(LuaJIT 2", ok { "version" })
    assert.equal(ok { "version" }, ok { "--version" })
  end)

  it("doctor reports each check", function()
    local code, out = command.run { "doctor" }
    assert.equal(0, code)
    assert.matches("ok ", out)
  end)
end)
