-- What a script does to the standard library stays its own: later scripts of the state, and our own code, never see it.
local sessions = require "sessions"

local session = sessions.new()

local NEXT = [[return mm.pipeline { params = { "n: i64 = 1" } } :derive "b = a + p.n"
  :map("c: utf8", function(r) return ("%d"):format(r.b) end)]]

local function works()
  local plan = assert(session:plan(session:load(NEXT), { { "a", "i64", { 1, 2 } } }))
  assert.same({ "2", "3" }, assert(session:run(plan, { { "a", "i64", { 1, 2 } } })).c)
end

local LEFT_ALONE = { -- what a script may do, to itself
  "string.format = function() return 1 end", "table.concat = nil", "math.huge = 0", "getfenv(0).pairs = nil",
  "getfenv(0).require = 5", "getfenv(1).tostring = error", "package.loaded.ffi = 5", "package.preload.bit = error",
  "setmetatable(_G, { __index = error, __newindex = error })", 'rawset(string, "format", 5)', "ipairs = nil",
  'collectgarbage "stop"', "mm.pipeline = nil", "io.stderr = nil", "os.exit = nil", "coroutine.create = nil",
  "local g = _G for name in pairs(g) do g[name] = nil end",
  "getfenv(loadstring 'return 1').type = nil", "getfenv(print).select = nil", "string.rep = string.byte",
}

local REFUSED = { -- what only reaches into the host
  ["debug.getregistry()"] = "debug.getregistry is not available to scripts",
  ["debug.sethook()"] = "debug.sethook is not available to scripts",
  ["debug.setmetatable('', {})"] = "debug.setmetatable is not available to scripts",
  ["debug.getupvalue(mm.pipeline, 1)"] = "debug.getupvalue is not available to scripts",
  ["newproxy(true)"] = "newproxy is not available to scripts",
  ["module 'x'"] = "module is not available to scripts",
  ["package.loadlib('libc.so.6', 'system')"] = "package.loadlib is not available to scripts",
  ["require 'moonmill.base.ffi'"] = "module 'moonmill.base.ffi' is not available to scripts",
  ["require 'jit.util'"] = "module 'jit.util' is not available to scripts",
  ["string.dump(mm.pipeline)"] = "string.dump: the function is not the script's own",
  ["setfenv(mm.pipeline, {})"] = "setfenv: the function is not the script's own",
  ["setfenv(0, {})"] = "setfenv: the function is not the script's own",
  ["os.setlocale 'C'"] = "os.setlocale is not available to scripts",
  ["getmetatable('').__index = nil"] = "attempt to index a string value",
  ["getmetatable(io.stderr).__index = nil"] = "attempt to index a string value",
  ["getmetatable(mm.pipeline {}).__index = nil"] = "attempt to index a string value",
}

describe("a script cannot break the next one, nor itself, with", function()
  for _, text in ipairs(LEFT_ALONE) do
    it(text, function()
      assert.equal(0, (session:ask("load", "text", "tampering", text .. " " .. "return mm.pipeline {} :limit(1)")))
      works()
    end)
  end

  for text, message in pairs(REFUSED) do
    it(text .. ", which is refused at its line", function()
      local status, answer = session:ask("load", "text", "tampering", "\n" .. text .. " return mm.pipeline {}")
      assert.is_true(status < 0)
      assert(answer:find(message, 1, true), answer)
      assert(answer:find('"line":2', 1, true), answer)
      assert(answer:find('"code":"script"', 1, true), answer)
      works()
    end)
  end
end)

describe("within a script", function()
  local function run(text) return session:ask("load", "text", "own", text .. " return mm.pipeline {} :limit(1)") end

  it("what it changes is changed, as Lua says", function()
    for _, text in ipairs {
      "math.huge = 0 assert(math.huge == 0)", "print = nil assert(print == nil)",
      'function string.trim(s) return s:match "^%s*(.-)%s*$" end assert((" x "):trim() == "x")',
      "x = 1 assert(_G.x == 1 and getfenv(0).x == 1 and getfenv(1) == _G)",
      'assert(loadstring "y = 2")() assert(y == 2)', 'load("z = 3")() assert(z == 3)',
      "setmetatable(_G, { __index = function(_, name) return name end }) assert(anything == 'anything')",
      'package.preload.own = function() return { n = 7 } end assert(require("own").n == 7)',
      "assert(require 'string' == string and require 'bit' == bit and require('ffi').new)",
      "local f = setfenv(function() return v end, { v = 5 }) assert(f() == 5)",
      "assert(debug.traceback() and debug.getinfo(1, 'l').currentline == 1)",
    } do
      local status, answer = run(text)
      assert(status == 0, text .. "\n" .. answer)
    end
  end)

  it("a module that failed to load can be required again", function()
    local status, answer = session:ask("load", "text", "own", [[
      local ok, first = pcall(require, "m")
      local again, second = pcall(require, "m")
      assert(not ok and not again and first == second and first:find "on purpose", second)
      return mm.pipeline {} ]], "m", "error 'on purpose'")
    assert(status == 0, answer)
  end)

  it("a module that requires itself is told so", function()
    local status, answer = session:ask("load", "text", "own", "require 'm' return mm.pipeline {}", "m", "require 'm'")
    assert(status < 0 and answer:find("module 'm' requires itself", 1, true), answer)
  end)
end)
