-- The command where a call of the C library fails, each one in turn: it ends well or says that memory ran out.
local command = require "command"

local build = os.getenv "MM_BUILD" or "build"
local library = build .. "/spec/system.so"
local compile = "mkdir -p %s/spec && gcc -std=gnu11 -Wall -Werror -shared -fPIC -o %s spec/faults/system.c -ldl"
assert(os.execute(compile:format(build, library)) == 0)

local folder, input

setup(function()
  local rows = { "a,k" }
  for i = 1, 3000 do rows[i + 1] = ("%d,%s"):format(i, ("xyz"):sub(i % 3 + 1, i % 3 + 1)) end
  folder = command.folder()
  input = folder:write("in.csv", table.concat(rows, "\n") .. "\n")
end)
teardown(function() folder:remove() end)

local COMMANDS = {
  ["a row function with branches"] = { "run", "-e", [[:map("x: f64", function(r)
    local s = 0
    for i = 1, r.a % 10 do if i % 3 == 0 then s = s + i else s = s - 1 end end
    return s
  end)]] },
  ["a row function over text"] = { "run", "-e", [[:map("x: utf8", function(r)
    local t = {}
    for w in (r.k .. " b"):gmatch "%a" do t[#t + 1] = w end
    return table.concat(t, "-")
  end)]] },
  ["a script that fills tables"] = { "run", "-e", [[
    local t = {}
    for i = 1, 2000 do t[i] = ("x"):rep(i % 50) .. i end
    return mm.pipeline {} :limit(1)]] },
  ["a check"] = { "check", "-e", ":derive 'b = a + 1'" },
}

local function run(arguments, fail, count)
  local all = { unpack(arguments) }
  all[#all + 1] = input
  local prefix = ("FAIL=%s %s LD_PRELOAD=%s"):format(fail, count and "COUNT=" .. count or "", library)
  return command.run(all, { prefix = prefix })
end

-- How often a command makes a call.
local function count_calls(arguments, call)
  local path = folder.path .. "/count"
  assert.equal(0, (run(arguments, call .. ":0", path)))
  return tonumber(command.read(path))
end

local MOST = 60 -- of the calls are tried, evenly

describe("where memory runs out,", function()
  for name, arguments in pairs(COMMANDS) do
    for call, codes in pairs { malloc = { [0] = true, [6] = true }, mmap = { [0] = true, [6] = true },
      mprotect = { [0] = true } } do
      it(("%s ends well or says so: %s"):format(name, call), function()
        local calls = count_calls(arguments, call)
        assert(calls > 0)
        for number = 1, calls, math.max(1, math.floor(calls / MOST)) do
          for _, onwards in ipairs { "", "+" } do
            local fail = ("%s:%d%s"):format(call, number, onwards)
            local code, _, err = run(arguments, fail)
            assert(codes[code], ("%s: exit %d\n%s"):format(fail, code, err))
            if code == 6 then assert(err:find "memory" or err:find "cannot start a thread", err) end
          end
        end
      end)
    end
  end
end)
