-- Signals that end the command: it dies of them, and leaves neither a temporary file nor half an output.
local command = require "command"

local NAMES = { "INT", "TERM", "HUP", "QUIT", "ALRM", "USR1", "USR2", "XCPU", "XFSZ", "VTALRM", "PROF", "ABRT", "SEGV",
  "BUS", "FPE", "ILL", "TRAP", "SYS", "RTMIN", "RTMAX" }

describe("a signal", function()
  local folder, data, out, script
  setup(function()
    folder = command.folder()
    data = folder:write("t.csv", "a\n" .. ("1\n"):rep(100000))
    out = folder:write("out.csv", "old")
    script = folder:write("slow.lua", [[
      return require "moonmill".pipeline {} :map("b: f64", function(r)
        local x = r.a
        for i = 1, 1e6 do x = x + i % 7 end
        return x
      end)]])
  end)
  teardown(function() folder:remove() end)

  local function wait_for(text)
    for _ = 1, 500 do
      if folder:names():find(text, 1, true) then return true end
      os.execute "sleep 0.01"
    end
    return false
  end

  -- Start a run that takes long, send signals once its temporary file is there: the exit code as the shell gives it.
  local function die_of(kills)
    local code, go = folder.path .. "/code", folder.path .. "/pid"
    os.remove(code)
    os.execute(("(ulimit -c 0; env --default-signal sh -c 'echo $$ >%s; exec %s run -o %s %s %s' 2>/dev/null >&2; "
      .. "echo $? >%s) >/dev/null &"):format(go, command.path, out, script, data, code)) -- & ignores INT and QUIT
    assert.is_true(wait_for ".tmp", "no temporary file")
    local pid = command.read(go):match "%d+"
    for _, kill in ipairs(kills) do os.execute(kill:gsub("PID", pid) .. " 2>/dev/null") end
    for _ = 1, 500 do
      if (command.read(code) or ""):find "\n" then break end
      os.execute "sleep 0.01"
    end
    os.execute("kill -KILL " .. pid .. " 2>/dev/null") -- if it lives on
    return tonumber(command.read(code))
  end

  for _, name in ipairs(NAMES) do
    it(("that ends the command leaves no file: %s"):format(name), function()
      local pipe = io.popen("bash -c 'kill -l " .. name .. "'")
      local number = tonumber(pipe:read "*a")
      pipe:close()
      assert.equal(128 + number, die_of { "bash -c 'kill -" .. name .. " PID'" })
      assert.equal("code out.csv pid slow.lua t.csv", folder:names())
      assert.equal("old", command.read(out))
    end)
  end

  it("may be followed by others", function()
    assert.is_true(die_of { "kill -INT PID", "sleep 0.02", "kill -QUIT PID" } > 128)
    assert.equal("code out.csv pid slow.lua t.csv", folder:names())
    assert.is_true(die_of { "kill -USR1 PID; kill -TERM PID; kill -INT PID" } > 128)
    assert.equal("code out.csv pid slow.lua t.csv", folder:names())
  end)

  it("that cannot be caught leaves a file that the next run removes", function()
    assert.equal(128 + 9, die_of { "kill -KILL PID" })
    assert.matches("%.out%.csv%.moonmill%-0%.tmp", folder:names())
    assert.equal("old", command.read(out))
    assert.equal(0, (command.run { "run", "-o", out, "-e", ":limit(1)", data }))
    assert.equal("code out.csv pid slow.lua t.csv", folder:names())
    folder:write("out.csv", "old")
  end)
end)

describe("who does not read", function()
  local folder, big
  setup(function()
    folder = command.folder()
    big = folder:write("big.csv", "a\n" .. ("12345\n"):rep(300000))
  end)
  teardown(function() folder:remove() end)

  it("does not keep the command from its time limit", function()
    local pipe = folder.path .. "/pipe"
    os.execute("mkfifo " .. pipe)
    local code, _, err = command.run { "run", "--timeout", "0.2", "-o", pipe, "-e", ":limit(1)", big }
    assert.same({ 4, pipe .. ": error[timeout]: nothing opened it for reading within 0.2 seconds\n" }, { code, err })
    for _, way in ipairs { { "-o", pipe, "<" .. pipe }, { "-o", "-", "" } } do
      local said = folder.path .. "/said"
      os.execute(("(%s run --timeout 0.2 %s %s -e ':limit(1000000)' %s 2>%s; echo $? >>%s) %s | sleep 1 %s"):format(
        command.path, way[1], way[2], big, said, said, way[2] == "-" and "" or ">/dev/null", way[3]))
      assert.equal("error[timeout]: stopped after 0.2 seconds, as --timeout asked\n4\n", command.read(said))
    end
  end)
end)
