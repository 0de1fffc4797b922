-- Descriptors of the command: closed ones, and outputs that lead to one.
local command = require "command"

describe("the command", function()
  local folder, script, data
  setup(function()
    folder = command.folder()
    data = folder:write("t.csv", "a,b\n1,2\n3,4\n")
    script = folder:write("loud.lua", [[
      local mm = require "moonmill"
      print "INJECTED" io.write "INJECTED" io.stdout:write "INJECTED" io.stdout:flush()
      return mm.pipeline {} :map("x: f64", function(r)
        print "INJECTED" io.write "INJECTED" io.stdout:write "INJECTED" io.output():write "INJECTED"
        return r.b * 10
      end)]])
  end)
  teardown(function() folder:remove() end)

  local TABLE = "a,b,x\n1,2,20.0\n3,4,40.0\n"

  -- Run the loud script with descriptors closed: the exit code, and what the file `out.csv` and stdout hold.
  local function run(closed, from, to)
    local out, shown, code = folder.path .. "/out.csv", folder.path .. "/shown", folder.path .. "/code"
    os.execute(("rm -f %s %s"):format(out, shown))
    local plain = { [0] = "<" .. data, "", "2>/dev/null" }
    if not closed[1] then plain[1] = ">" .. shown end
    for fd = 0, 2 do
      if closed[fd] then plain[fd] = fd .. (fd == 0 and "<&-" or ">&-") end
    end
    local words = ("%s run %s %s %s"):format(command.path, script, from, to)
    os.execute(("{ %s; echo $? >%s; } %s %s %s"):format(words, code, plain[0], plain[1], plain[2]))
    return tonumber(command.read(code)), command.read(out), command.read(shown)
  end

  for bits = 0, 7 do
    local closed, names = {}, {}
    for fd = 0, 2 do
      closed[fd] = math.floor(bits / 2 ^ fd) % 2 == 1
      if closed[fd] then names[#names + 1] = fd end
    end
    local name = #names == 0 and "no descriptor closed" or "closed: " .. table.concat(names, ", ")

    it("writes the same file, whatever prints: " .. name, function()
      local code, out = run(closed, data, "-o " .. folder.path .. "/out.csv")
      assert.same({ 0, TABLE }, { code, out })
    end)

    it("writes to stdout, or says that it cannot: " .. name, function()
      local code, _, shown = run(closed, data, "")
      if closed[1] then assert.same({ 3 }, { code, shown })
      else assert.same({ 0, TABLE }, { code, shown }) end
    end)

    it("reads stdin, or says that it cannot: " .. name, function()
      local code, out = run(closed, "-", "-o " .. folder.path .. "/out.csv")
      assert.same(closed[0] and { 3 } or { 0, TABLE }, { code, out })
    end)
  end

  it("writes through what leads to a descriptor, in order with what is there", function()
    local to = folder.path .. "/f"
    os.execute(("ln -sf /dev/stdout %s/link; ln -sf link %s/link2"):format(folder.path, folder.path))
    for _, name in ipairs { "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/proc/thread-self/fd/1",
      "/dev/../dev/stdout", folder.path .. "/link", folder.path .. "/link2", "/dev/fd/5" } do
      local words = ("%s run -e ':limit(1)' -o %s %s"):format(command.path, name, data)
      os.execute(("{ echo head; %s; echo tail; } >%s 5>&1"):format(words, to))
      assert.same({ name, "head\na,b\n1,2\ntail\n" }, { name, command.read(to) })
      os.execute(("{ %s; echo end; } >>%s 5>&1"):format(words, to))
      assert.same({ name, "head\na,b\n1,2\ntail\na,b\n1,2\nend\n" }, { name, command.read(to) })
    end
    os.execute(("{ echo head >&2; %s run -e ':limit(1)' -o /dev/stderr %s; } 2>%s"):format(command.path, data, to))
    assert.same("head\na,b\n1,2\n", command.read(to))
    os.execute(("%s run -e ':limit(1)' -o /dev/stdout %s | cat >%s"):format(command.path, data, to))
    assert.same("a,b\n1,2\n", command.read(to))
  end)

  it("does not lose an output on a closed stderr", function()
    local to = folder.path .. "/code"
    os.execute(("{ %s run -e ':limit(1)' -o /dev/stderr %s 2>&-; echo $? >%s; }"):format(command.path, data, to))
    assert.equal("3\n", command.read(to))
  end)

  it("reads a redirected stdin from where it stands", function()
    local to = folder.path .. "/f"
    os.execute(("{ read line; %s run --no-header -e ':limit(9)' -; } <%s >%s"):format(command.path, data, to))
    assert.equal("c1,c2\n1,2\n3,4\n", command.read(to))
  end)

  it("refuses a descriptor that is closed, or open for reading only", function()
    for fd, how in pairs { [7] = "", [8] = "8<" .. data } do
      local code, _, err = command.run({ "run", "-e", ":limit(1)", "-o", "/dev/fd/" .. fd, data },
        { shell = how .. " >/dev/null" })
      assert.equal(3, code)
      assert.matches("^/dev/fd/%d: error%[io%-error%]: cannot write: Bad file descriptor", err)
    end
  end)
end)
