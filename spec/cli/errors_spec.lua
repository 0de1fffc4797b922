-- Every kind of bad input: a message with its place, the exit code, no partial output.
local command = require "command"

local folder
setup(function() folder = command.folder() end)
teardown(function() folder:remove() end)

local CHAIN = ':derive "c = a + 1"'

-- Run a chain over a file with this content, with -o; returns code, stderr.
local function over(content, chain, name)
  local path = folder:write(name or "in.csv", content)
  local code, out, err = command.run { "run", "-e", chain or CHAIN, path, "-o", folder.path .. "/out.csv" }
  assert.equal("", out)
  assert.is_nil(command.read(folder.path .. "/out.csv"), "there is a partial output")
  local names = folder:names()
  assert.is_nil(names:find("out", 1, true), "something is left behind: " .. names)
  return code, (err:gsub(folder.path .. "/", ""))
end

local function zstd(text)
  local path = folder:write("plain", text)
  os.execute(("zstd -qf %s -o %s.zst"):format(path, path))
  local packed = command.read(path .. ".zst")
  os.remove(path)
  os.remove(path .. ".zst")
  return packed
end

describe("bad data", function()
  local cases = {
    { "a ragged row", "a,b\n1,2\n3\n", "^in%.csv:3: error%[ragged%-row%]: .*hint: %-%-ragged fills" },
    { "a quote within a field", 'a,b\n1,x"y\n', "^in%.csv:2:4: error%[bad%-quote%]: .*hint: .*; %-%-quote none",
      ":limit(1)" },
    { "a number that is none", "a,b\n1,2\nx,3\n", "^in%.csv:3:1: error%[bad%-number%]: .*\"x\"",
      'mm.pipeline { input = { "a: i64" } } :derive "c = a + 1"' },
    { "a number that does not fit", "a\n1\n300\n", "^in%.csv:3:1: error%[.-%]: ",
      'mm.pipeline { input = "a: i8" } :derive "c = a + 1"' },
    { "a number below 0 where none may be", "a\n-1\n", "does not fit u64\n.*hint: declare it in input: \"a: i64\"",
      'mm.pipeline { input = "a: u64" } :derive "c = a + 1"' },
    { "an unclosed quote", 'a,b\n1,y\n2,"x\n3,y\n', "^in%.csv:3:3: error%[unclosed%-quote%]" },
    { "invalid UTF-8", "a,b\n1,\255\254\n", "^in%.csv:2:3: error%[bad%-utf8%]" },
    { "a whole number that overflows", "a\n1\n9223372036854775807\n",
      "^in%.csv:3: error%[overflow%]: .*9223372036854775807 %+ 1.*\n  in %-e:1:16: derive: c = a %+ 1" },
    { "a null where none is allowed", "a\n1\n\n", "^in%.csv:3", 'mm.pipeline { input = { "a: i64", "b: i64" } }',
      "a,b\n1,2\n,3\n" },
    { "an empty file", "", "^in%.csv: error%[empty%-file%]" },
  }
  for _, case in ipairs(cases) do
    it(("is reported with its place: %s"):format(case[1]), function()
      local code, err = over(case[5] or case[2], case[4])
      assert.matches(case[3], err)
      assert.equal(1, code)
    end)
  end

  it("is reported in compressed files: cut off, or changed", function()
    local lines = { "a,b" }
    for i = 1, 200000 do lines[i + 1] = ("%d,%d"):format(i, i * 7919 % 100003) end
    local packed = zstd(table.concat(lines, "\n"))
    local code, err = over(packed:sub(1, math.floor(#packed * 0.8)), CHAIN, "cut.csv.zst")
    assert.matches("^cut%.csv%.zst: error%[truncated%-zstd%][^\n]*compressed file%)\n$", err) -- of no row
    assert.equal(1, code)
    code, err = over(packed:sub(1, -4) .. string.char(255 - packed:byte(-3)) .. packed:sub(-2), CHAIN,
      "changed.csv.zst")
    assert.matches("^changed%.csv%.zst: error%[", err)
    assert.equal(1, code)
  end)

  it("is told, and no type error, where the first row is broken and nothing can be said of types", function()
    local chain = ':where "a > 1"'
    local code, err = over('a,b\n1,"2\n3,4\n', chain)
    assert.matches("^in%.csv:2:3: error%[unclosed%-quote%]", err)
    assert.equal(1, code)
    code, err = over("a,b\n1\n", chain)
    assert.matches("^in%.csv:2: error%[ragged%-row%]", err)
    assert.equal(1, code)
    code, err = over(zstd("a,b\n" .. ("1,2\n"):rep(1000)):sub(1, 12), chain, "cut.csv.zst")
    assert.matches("^cut%.csv%.zst: error%[truncated%-zstd%]", err)
    assert.equal(1, code)
  end)

  it("shows the place where a column was declared beside the place of the value", function()
    local script = folder:write("s.lua", 'return require("moonmill").pipeline {\n  input = { "a: i64" },\n}\n')
    local data = folder:write("d.csv", "a\nx\n")
    local code, _, err = command.run { "run", script, data }
    assert.equal(1, code)
    assert.matches("d%.csv:2:1: error%[bad%-number%].-\n  in [^\n]*s%.lua:2:14: input: a: i64\n  hint: ", err)
  end)
end)

describe("file trouble", function()
  local good
  before_each(function() good = folder:write("good.csv", "a\n1\n2\n") end)

  local function check(arguments, code_expected, pattern, options)
    local code, out, err = command.run(arguments, options)
    assert.matches(pattern, err)
    assert.equal(code_expected, code)
    assert.equal("", out)
  end

  it("a missing file is exit 3, with the nearest name in its folder", function()
    check({ "run", "-e", CHAIN, folder.path .. "/god.csv" }, 3,
      'error%[not%-found%].*\n  hint: did you mean ".*/good%.csv"')
    check({ "run", folder.path .. "/god.lua", good }, 3, "god%.lua: error")
  end)

  it("a folder as input is exit 3", function() check({ "run", "-e", CHAIN, folder.path }, 3,
    "error%[is%-directory%]") end)

  it("a full disk is exit 3", function()
    check({ "run", "-e", CHAIN, good, "-o", "/dev/full" }, 3, "error%[disk%-full%]")
    check({ "run", "-e", CHAIN, good }, 3, "error%[disk%-full%]", { shell = ">/dev/full" })
  end)

  it("who reads stdout may go away, which ends the command by SIGPIPE, without a word", function()
    local lines = { "a" }
    for i = 1, 200000 do lines[#lines + 1] = ("%d"):format(i) end
    local big = folder:write("big.csv", table.concat(lines, "\n") .. "\n")
    local code_file, script = folder.path .. "/code", folder:write("piped.lua", "-- Some\nreturn 1")
    for _, words in ipairs { "run -e ':limit(200000)' " .. big, "head -n 200000 " .. big, "help functions", "--help",
      "run --help", "schema " .. big, "list " .. folder.path, "version", "doctor", "explain -e ':limit(1)' " .. big,
      "run -o /dev/stdout -e ':limit(200000)' " .. big } do
      os.execute(("(sleep 0.1; %s %s; echo $? >%s) 2>%s/err | true"):format(command.path, words, code_file,
        folder.path))
      while not (command.read(code_file) or ""):find "\n" do os.execute "sleep 0.02" end
      local said = command.said(command.read(folder.path .. "/err"))
      assert.same({ words, "141\n", "" }, { words, command.read(code_file), said })
      os.remove(code_file)
    end
    os.remove(script)
  end)

  it("who reads a named pipe may go away, which is exit 3", function()
    local pipe = folder.path .. "/pipe"
    os.execute("mkfifo " .. pipe)
    local big = folder.path .. "/big.csv"
    local code, out, err = command.run({ "run", "-e", ":limit(200000)", "-o", pipe, big },
      { prefix = "head -c 1 " .. pipe .. " >/dev/null &" })
    assert.same({ 3, "" }, { code, out })
    assert.matches("error%[closed%-pipe%]", err)
    os.remove(pipe)
  end)

  it("an output that is an input is exit 2, and the input stays", function()
    check({ "run", "-e", CHAIN, good, "-o", good }, 2, "error%[same%-file%]")
    os.execute(("ln -s %s %s/link.csv"):format(good, folder.path))
    check({ "run", "-e", CHAIN, good, "-o", folder.path .. "/link.csv" }, 2, "error%[same%-file%]")
    assert.equal("a\n1\n2\n", command.read(good))
  end)

  it("so is an output that the script reads: modules with any name, and what it opens", function()
    local read = { ["module.lua"] = 'require("mod" .. "ule")', ["part.lua"] = "dofile(here .. 'part.lua')",
      ["loaded.lua"] = "loadfile(here .. 'loaded.lua')", ["opened.txt"] = "io.open(here .. 'opened.txt'):close()",
      ["lines.txt"] = "for _ in io.lines(here .. 'lines.txt') do end", ["input.txt"] = "io.input(here .. 'input.txt')" }
    for name, use in pairs(read) do
      local path = folder:write(name, "--\n")
      local script = folder:write("reading.lua", ("local here = %q %s return require('moonmill').pipeline {} :limit(1)")
        :format(folder.path .. "/", use))
      check({ "run", script, good, "-o", path }, 2, "the output is the same file as .*, which is read")
      assert.equal("--\n", command.read(path))
    end
  end)

  it("an output in a folder that is not there is exit 3", function()
    check({ "run", "-e", CHAIN, good, "-o", folder.path .. "/no/out.csv" }, 3, "error%[not%-found%]")
  end)

  it("keeps the old output when the run fails", function()
    local out = folder:write("old.csv", "old\n")
    local bad = folder:write("bad.csv", "a\n9223372036854775807\n")
    check({ "run", "-e", CHAIN, bad, "-o", out }, 1, "error%[overflow%]")
    assert.equal("old\n", command.read(out))
  end)
end)

describe("wrong use", function()
  local good
  before_each(function() good = folder:write("good.csv", "alpha,beta\n1,x\n2,y\n") end)

  local function check(arguments, pattern)
    local code, out, err = command.run(arguments)
    assert.matches(pattern, err)
    assert.equal(2, code)
    assert.equal("", out)
  end

  it("a word that is not known is an error with a suggestion, whatever it should have named", function()
    check({ "rnu" }, 'unknown%-command.*did you mean "run"')
    check({ "run", "--thread", "2", "-e", CHAIN, good }, "unknown option.*did you mean '%-%-threads'")
    check({ "run", "-e", ':where "alpa > 1"', good }, '^%-e:1:9: error%[unknown%-column%].*did you mean "alpha"')
    check({ "run", "-e", ':where "rond(alpha) > 1"', good },
      '^%-e:1:9: error%[unknown%-function%].*did you mean "round"')
    check({ "run", "-e", ':wheer "alpha > 1"', good }, '^%-e:1:2: error%[unknown%-stage%].*did you mean "where"')
    check({ "run", "-e", 'mm.pipeline { params = "least: i64 = 1" }', "-p", "leats=2", good },
      'unknown%-param.*did you mean "least"')
    check({ "help", "rond" }, 'did you mean "round"')
  end)

  it("a type error has the place of the operator", function()
    check({ "run", "-e", ':derive "c = alpha + beta"', good }, "^%-e:1:20: error%[type%]")
  end)

  it("all missing parameters are named in one error, with their help", function()
    check({ "run", "-e", 'mm.pipeline { params = { "n: i64 -- how many", "m: utf8" } }', good },
      "2 parameters.*n: i64 %(required%)  %-%- how many; m: utf8.*%-p n=%.%.%. %-p m=")
  end)

  it("a parameter that does not fit its type is named", function()
    check({ "run", "-e", 'mm.pipeline { params = "n: i64 = 1" }', "-p", "n=x", good },
      'parameter "n" is "x", expected a whole number')
    check({ "run", "-e", 'mm.pipeline { params = "n: i64 = 1" }', "-p", "n", good }, "name=value")
  end)

  it("a column that is declared and not in the file is named", function()
    check({ "run", "-e", 'mm.pipeline { input = { "alpa: i64" } }', good },
      '^%-e:1:%d+: error%[unknown%-column%].*did you mean "alpha"')
  end)

  it("data in the place of the pipeline is a syntax error with the way to run stages over it", function()
    local code, _, err = command.run { "run", folder:write("data.csv", "a,b\n1,2\n") }
    assert.equal(5, code)
    assert.matches("hint: a pipeline is a Lua file; .*moonmill run %-e ':where %.%.%.' .*data%.csv", err)
  end)

  it("an option that is given twice is refused, unless it may be repeated", function()
    check({ "run", "-e", ":limit(1)", "-e", ":limit(2)", good }, "error%[usage%].*%-e.*at most 1 time")
    assert.equal(0, (command.run { "run", "--null", "x", "--null", "y", "-e", ":limit(1)", good }))
  end)

  it("options with a value that has no sense are refused", function()
    for _, option in ipairs { { "--threads", "0" }, { "--threads", "x" }, { "--timeout", "-1" },
      { "--delimiter", "ab" }, { "--progress", "maybe" } } do
      check({ "run", "-e", ":limit(1)", good, option[1], option[2] }, "error%[usage%]")
    end
    check({ "run" }, "which pipeline")
    check({ "run", "-e", ":limit(1)" }, "no input files")
    check({ "run", "-e", ":limit(1)", good, "" }, "the name of an input file is empty")
    check({}, "usage: moonmill COMMAND")
  end)
end)

describe("a script's own errors", function()
  local good
  before_each(function() good = folder:write("good.csv", "a\n1\n2\n3\n") end)

  it("name the line of the script and the row of the input: exit 5", function()
    local script = folder:write("s.lua", [[
return require("moonmill").pipeline {}
:map("x: f64", function(r)
  local t = nil
  return r.a == 2 and t.y or 1
end)
]])
    local code, out, err = command.run { "run", script, good }
    assert.equal(5, code)
    assert.equal("", out)
    assert.matches("good%.csv:3: error%[script%]: .*\n  in .*s%.lua:4", err)
  end)

  it("hidden state is refused before data is read", function()
    local code, _, err = command.run { "run", "-e",
      ":map('n: f64', function(r) count = (count or 0) + 1 return count end)", good }
    assert.equal(2, code)
    assert.matches("hidden%-state", err)
  end)

  it("a syntax error is exit 5 with its line", function()
    local code, _, err = command.run { "run", folder:write("s.lua", "local x = 1\nreturn )\n"), good }
    assert.equal(5, code)
    assert.matches("s%.lua:2: error%[syntax%]", err)
  end)

  it("a function that loops for ever is stopped by --timeout: exit 4", function()
    local code, out, err = command.run({ "run", "--timeout", "0.2", "-e",
      ":map('n: f64', function(r) while r.a do end return 1 end)", good },
      { prefix = "timeout 10" })
    assert.equal(4, code)
    assert.equal("", out)
    assert.matches("error%[timeout%]", err)
  end)

  it("a pipe into which nobody writes is no reason to wait longer than --timeout", function()
    local code, _, err = command.run({ "run", "--timeout", "0.2", "-e", ":limit(1)", "-" },
      { prefix = "sleep 1 | timeout 2", keep_stdin = true })
    assert.equal(4, code)
    assert.matches("^<stdin>: error%[timeout%]: nothing came for 0.2 seconds", err)
    local fifo = folder.path .. "/fifo"
    os.execute("mkfifo " .. fifo)
    assert.equal(4, (command.run({ "run", "--timeout", "0.2", "-e", ":limit(1)", fifo }, { prefix = "timeout 2" })))
  end)

  it("cannot end the program from a row function", function()
    local code, _, err = command.run { "run", "-e", ":map('n: f64', function(r) os.exit(0) end)", good }
    assert.equal(5, code)
    assert.matches("os%.exit: a row function cannot end the program", err)
  end)

  it("cannot end the program from a script or a typed function either", function()
    local code, _, err = command.run { "run", "-e", "os.exit(0)", good }
    assert.equal(5, code)
    assert.matches("os%.exit: a script cannot end the program", err)
    local script = folder:write("exit.lua",
      'local mm = require "moonmill"\nreturn mm.module { f = mm.fn("", function() os.exit(0) end) }')
    code, _, err = command.run { "call", script, "f" }
    assert.equal(5, code)
    assert.matches("exit%.lua:2: error%[script%]: os%.exit: a function cannot end the program", err)
  end)

  it("what a script prints does not come among the data", function()
    local code, out, err = command.run { "run", "-e", "print('one') io.write('two\\n') return mm.pipeline {}", good }
    assert.same({ 0, command.read(good), "one\ntwo\n" }, { code, out, err })
  end)

  it("a script that loops for ever before any data is stopped, too", function()
    local code, _, err = command.run({ "run", "--timeout", "0.2", "-e", "while true do end", good },
      { prefix = "timeout 10" })
    assert.equal(4, code)
    assert.matches("error%[timeout%]", err)
  end)

  it("a script within one call of C before any data is ended as well, with the same words", function()
    local script = "os.execute 'sleep 6' return mm.pipeline {}"
    for _, format in ipairs { "text", "json" } do
      local code, _, err = command.run({ "run", "--timeout", "0.1", "--errors", format, "-e", script, good },
        { prefix = "timeout 10" })
      assert.equal(4, code)
      assert.matches(format == "text" and "error%[timeout%]: stopped after 0.1 s" or '"id":"timeout"', err)
    end
  end)

  local STUCK = [[:map('n: f64', function(r)
    return #tostring(("a"):rep(3e6):find(("a"):rep(15e5) .. "b", 1, true)) > 0 and r.a or 0
  end)]]

  it("a function within a call that cannot be stopped does not keep the command: exit 4, no file", function()
    local out = folder.path .. "/stuck.csv"
    local code, _, err = command.run({ "run", "--timeout", "0.2", "-o", out, "-e", STUCK, good },
      { prefix = "timeout -s KILL 10" })
    assert.equal(4, code)
    assert.matches("error%[timeout%]: stopped after 0.2 seconds", err)
    assert.matches("hint: a thread was within a call that cannot be stopped", err)
    assert.is_nil(folder:names():find("stuck", 1, true))
  end)

  it("nor after a signal: 128 + number, no file", function()
    local out = folder.path .. "/stuck.csv"
    local code = command.run({ "run", "-o", out, "-e", STUCK, good },
      { prefix = "timeout --foreground -k 10 -s INT --preserve-status 0.3" })
    assert.equal(130, code)
    assert.is_nil(folder:names():find("stuck", 1, true))
  end)

  it("signals stop the run: 128 + number, and leave nothing", function()
    local out = folder.path .. "/late.csv"
    for name, number in pairs { INT = 130, TERM = 143 } do
      local code = command.run({ "run", "-o", out, "-e", ":map('n: f64', function(r) while r.a do end return 1 end)",
        good },
        { prefix = "timeout --foreground -s " .. name .. " --preserve-status 0.3" })
      assert.equal(number, code)
      assert.is_nil(folder:names():find("late", 1, true))
    end
  end)
end)

describe("--errors json", function()
  it("prints one object for the error, with every coordinate", function()
    local bad = folder:write("bad.csv", "a\n1\n9223372036854775807\n")
    local code, _, err = command.run { "run", "--errors", "json", "-e", CHAIN, bad }
    assert.equal(1, code)
    assert.matches('^{"code":"data","id":"overflow",.*}\n$', err)
    for _, part in ipairs { '"file":"[^"]*bad.csv"', '"line":3', '"row":2', '"stage":"derive"',
      '"script":{"file":"%-e","line":1,"column":16' } do
      assert.matches(part, err)
    end
  end)

  it("is obeyed for wrong options as well", function()
    local code, _, err = command.run { "run", "--errors=json", "--nonsense" }
    assert.equal(2, code)
    assert.matches('^{"code":"usage"', err)
  end)
end)
