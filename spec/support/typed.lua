-- typed - what the specs of typed functions share: modules out of a text, called with Lua values.
--
--   local m = typed.module [[ add = mm.fn("a: f64, b: f64 -> f64", function(a, b) return a + b end) ]]
--   m:call("add", 1, 2)                                --> 3
--   m:call("sum", typed.array("f64", { 1, 2 }))        --> 3
--   typed.list(m:call("make", 3))                      --> { 0, 0, 0 }
--   m:failure("add", 1, nil)                           --> the failure that the call raises
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local handle = require "moonmill.typed.module_handle"
local types = require "moonmill.base.types"
local view = require "moonmill.typed.array_view"

local M = {}

local Module = {}
Module.__index = Module

---A module of the entries in a text, after the statements in `head`.
function M.module(entries, head)
  local text = ("%s\nreturn mm.module {\n%s\n}"):format(head or "", entries)
  return setmetatable({ handle = handle.open("spec.lua", text) }, Module)
end

---Values for an argument. They stay where they are: look at `data` after the call.
function M.array(type, list)
  local data = ffi.new(view.element(types[type]) .. "[?]", math.max(#list, 1))
  for i, value in ipairs(list) do data[i - 1] = value end
  return { type = types[type], data = data, n = #list }
end

---A result array as a list.
function M.list(values)
  local list, pointer = {}, ffi.cast("const " .. view.element(values.type) .. " *", values.data)
  for i = 0, values.n - 1 do list[i + 1] = pointer[i] end
  return list
end

function Module:call(name, ...)
  local entry = self.handle:find(name)
  local results = self.handle:call(entry, { ... })
  return unpack(results, 1, #entry.results)
end

---The failure that a call raises.
function Module:failure(name, ...)
  local ok, problem = pcall(self.call, self, name, ...)
  assert(not ok, "nothing was raised")
  assert(failure.is(problem), tostring(problem))
  return problem
end

---The failure of opening a module.
function M.refused(entries)
  local ok, problem = pcall(M.module, entries)
  assert(not ok, "the module was not refused")
  assert(failure.is(problem), tostring(problem))
  return problem
end

return M
