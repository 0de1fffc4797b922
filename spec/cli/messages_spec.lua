-- What reaches the terminal: no control character of a script, a file, a name or an argument; messages of bounded
-- length; and no mistake of user code that is called one of ours.
local command = require "command"

local ESCAPE = "\27[31m\8\127\13\194\133\226\128\174"
local SHOWN = "\\x1b[31m\\x08\\x7f\\r\\u{85}\\u{202e}"
local folder, data
setup(function()
  folder = command.folder()
  data = folder:write("in.csv", "a" .. ESCAPE:gsub("\13", "") .. ",x\n1,b\27\n")
end)
teardown(function() folder:remove() end)

-- No byte that a terminal acts on, but for line ends.
local function assert_clean(text)
  assert.is_nil(text:find "[%z\1-\9\11-\31\127]", text)
  for _, part in ipairs { "\194\133", "\226\128\174" } do assert.is_nil(text:find(part, 1, true), text) end
end

local function run(...) return command.run { ... } end

describe("control characters are escaped", function()
  local cases = {
    ["of error() in a script"] = { 5, "run", "-e", 'error("' .. ESCAPE:gsub("\13", "\\r") .. '")' },
    ["of error() in a row function"] =
      { 5, "run", "-e", ':map("y: i64", function(r) error("\\27[2J" .. r.x) end)', "DATA" },
    ["of a cell"] = { 1, "run", "-e", ':derive "y = i64(x)"', "DATA" },
    ["of column names in a hint"] = { 2, "run", "-e", ':select "none"', "DATA" },
    ["of column names in check"] = { 0, "check", "-e", ":limit(1)", "DATA" },
    ["of column names in explain"] = { 0, "explain", "-e", ":limit(1)", "DATA" },
    ["of column names in schema, as Lua has them"] = { 0, "schema", "DATA", shown = "`a\\27%[31m" },
    ["of a file name"] = { 3, "run", "-e", ":limit(1)", "none" .. ESCAPE .. ".csv" },
    ["of a script's name"] = { 3, "run", "none" .. ESCAPE .. ".lua" },
    ["of a folder's name"] = { 3, "list", "none" .. ESCAPE },
    ["of an option"] = { 2, "run", "--none" .. ESCAPE },
    ["of a parameter"] = { 2, "run", "-p", ESCAPE .. "=1", "-e", ":limit(1)", "DATA" },
    ["of a command"] = { 2, "run" .. ESCAPE },
    ["of what a pipeline is for"] =
      { 0, "info", "-e", 'mm.pipeline { about = "' .. ESCAPE:gsub("\13", "\\r") .. '" } :limit(1)' },
  }
  for name, case in pairs(cases) do
    it(name, function()
      local arguments = {}
      for i = 2, #case do arguments[i - 1] = case[i] == "DATA" and data or case[i] end
      local code, out, err = command.run(arguments)
      assert.equal(case[1], code, err)
      assert_clean(out)
      assert_clean(err)
      assert.matches(case.shown or "\\x1b", out .. err)
    end)
  end

  it("of a script in a list", function()
    folder:write("odd.lua", 'error "' .. ESCAPE:gsub("\13", "\\r") .. '"')
    local code, out = run("list", folder.path)
    assert.equal(0, code)
    assert_clean(out)
    assert.is_truthy(out:find(SHOWN, 1, true))
  end)

  it("in JSON, which stays JSON when bytes are not UTF-8", function()
    local code, _, err = run("run", "--errors", "json", "-e", 'error("\\27\\0\\255\\226\\128\\174\\127")')
    assert.equal(5, code)
    assert.is_truthy(err:find('"message":"\\u001b\\u0000\239\191\189\\u202e\\u007f"', 1, true), err)
  end)
end)

describe("messages", function()
  it("are cut at 400 bytes, between characters", function()
    local raise = 'error(("ä"):rep(5e5), 0)'
    for _, script in ipairs { raise, (':map("y: i64", function(r) %s end)'):format(raise) } do
      local code, _, err = run("run", "-e", script, data)
      assert.equal(5, code)
      local message = err:match "error%[script%]: ([^\n]*)"
      assert.is_true(#message <= 400 and #message > 390, #message)
      assert.matches("ä%.%.%.$", message)
    end
  end)

  it("are cut in JSON too", function()
    local _, _, err = run("run", "--errors", "json", "-e", 'error(("x"):rep(1e6), 0)')
    assert.equal(400, #err:match '"message":"([^"]*)"')
  end)
end)

describe("what user code raises is exit 5, never a mistake of ours:", function()
  local raised = {
    ["nothing"] = "error()", ["a number"] = "error(42)", ["a table"] = "error {}", ["a boolean"] = "error(true)",
    ["a function"] = "error(print)", ["a 64-bit integer"] = "error(1LL)",
    ["an object whose __tostring raises"] = 'error(setmetatable({}, { __tostring = function() error "in" end }))',
    ["an object whose __tostring gives a number"] = "error(setmetatable({}, { __tostring = function() return 5 end }))",
    ["an object whose __tostring gives a table"] = "error(setmetatable({}, { __tostring = function() return {} end }))",
    ["an object whose __tostring is a table"] = "error(setmetatable({}, { __tostring = {} }))",
    ["an object that holds itself"] = "local t = {} t.t = t error(setmetatable(t, { __index = t, __tostring = t }))",
    ["an object with a locked metatable"] =
      "error(setmetatable({}, { __metatable = 1, __tostring = function() end }))",
  }
  for name, change in pairs {
    ["bug"] = 'e.code = "bug"', ["a code that is none"] = "e.code = {}", ["no message"] = 'e.code, e.message = "bug"',
    ["a message that is a table"] = 'e.code, e.message = "script", {}', ["a hint"] = 'e.code, e.hint = "bug", print',
    ["places"] = 'e.code, e.file, e.line, e.column, e.row = "bug", {}, 0 / 0, -1, 1e300',
    ["ids"] = 'e.code, e.id, e.field, e.value, e.stage = "bug", "a\\nb", 1, {}, {}',
    ["frames"] = 'e.code, e.frames, e.script = "bug", setmetatable({ 5, {} }, { __index = error }), { file = 7 }',
  } do
    raised["a failure that it caught, with another " .. name] =
      ('local _, e = pcall(require("moonmill").store.get, "none") %s error(e)'):format(change)
  end
  for name, code in pairs(raised) do
    it(name, function()
      local module = folder:write("m.lua", 'local mm = require "moonmill"\nreturn mm.module {\n'
        .. ('f = mm.fn("a: i64 -> i64", function(a) %s end) }'):format(code))
      for _, arguments in ipairs {
        { "run", "-e", code, data }, { "check", "-e", code },
        { "run", "-e", (':map("y: i64", function(r) %s end)'):format(code), data },
        { "run", "-e", (":where(function(r) %s end)"):format(code), data }, { "call", module, "f", "1" },
      } do
        local status, _, err = command.run(arguments)
        assert.equal(5, status, err)
        assert.matches("error%[[%w-]+%]: .", err)
      end
    end)
  end
end)
