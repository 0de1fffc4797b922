-- moonmill.rows.guard - find out whether a row function changed what it shares with other rows: a table that it
-- captured, a library, or the tables and variables of a module.
--
-- DESIGN. Direct writes are refused before data is read (moonmill.rows.inspect); this catches those that go through a
-- call, a branch or a local. What is watched has a twin that is compared after the first batch, then as often as it
-- costs little beside the rows, and once when there are no more rows. Of a module all tables and Lua functions are
-- watched that its value leads to, from when it has been loaded; of a function the variables that it captured.
local debug = debug
local getfenv, getmetatable = getfenv, debug.getmetatable
local next = next -- the plain one: a worker's state gives row functions another

local ROWS_PER_ENTRY = 64 -- rows to be run for each entry that is compared

---@class moonmill.rows.Guard
---@field set moonmill.Modules of the row functions: only functions with its globals are entered
---@field twins table<any, table> by what is watched
---@field entries integer compared each time
---@field due integer rows until then
---@field found string? what was found changed
local Guard = {}
Guard.__index = Guard

local function same(a, b) return rawequal(a, b) or a ~= a and b ~= b end

local function is_table_changed(twin)
  local count = 0
  for key, value in next, twin.original do
    if not same(twin.entries[key], value) then return true end
    count = count + 1
  end
  return count ~= twin.count or getmetatable(twin.original) ~= twin.meta
end

local function is_function_changed(twin)
  for i = 1, twin.count do
    local _, value = debug.getupvalue(twin.original, i)
    if not same(twin.entries[i], value) then return true end
  end
  return false
end

local function table_twin(original)
  local twin = { original = original, entries = {}, count = 0, is_changed = is_table_changed,
    meta = getmetatable(original) }
  for key, value in next, original do
    twin.entries[key] = value
    twin.count = twin.count + 1
  end
  return twin
end

local function function_twin(original)
  local twin = { original = original, entries = {}, count = 0, is_changed = is_function_changed }
  for i = 1, math.huge do
    local name, value = debug.getupvalue(original, i)
    if not name then return twin end
    twin.entries[i], twin.count = value, i
  end
end

-- Take the twin of a table or a function.
local function add(self, original, what)
  local twin = type(original) == "table" and table_twin(original) or function_twin(original)
  twin.what = what
  local earlier = self.twins[original]
  self.entries = self.entries + twin.count + 1 - (earlier and earlier.count + 1 or 0)
  self.twins[original] = twin
  return twin
end

---Watch a table, without what it holds.
---@param original table
---@param what string for the message: "a table that it captured"
function Guard:watch(original, what)
  if not self.twins[original] then add(self, original, what) end
end

-- What a twin leads to, put on the list of what is still to be watched.
local function add_parts(twin, list)
  for key, value in next, twin.entries do
    list[#list + 1] = key
    list[#list + 1] = value
  end
  list[#list + 1] = twin.meta
end

-- What a module's value leads to.
local function watch_module(self, value, name)
  local list, what = { value }, ("what belongs to module '%s'"):format(name)
  while #list > 0 do
    local part = table.remove(list)
    local kind = type(part)
    local enters = kind == "table" or kind == "function" and getfenv(part) == self.set.globals
    if enters and not self.twins[part] then add_parts(add(self, part, what), list) end
  end
end

---Watch the globals and the libraries as they are now, and the modules that have been loaded since the last call.
function Guard:watch_shared()
  local env, loaded = self.set.globals, self.set.package.loaded
  self.due = 0
  add(self, env, "the globals")
  for name, value in next, env do
    if type(value) == "table" and value ~= env then add(self, value, ("library '%s'"):format(name)) end
  end
  for name, value in next, self.set.loaded do
    if name ~= "moonmill" then watch_module(self, value, name) end
  end
  for name, value in next, loaded do
    if type(value) == "table" and name ~= "moonmill" then self:watch(value, ("library '%s'"):format(name)) end
  end
end

---Compare, when it is due. What was found once stays found.
---@param rows integer that ran since the last call; math.huge: compare now
---@return boolean changed
function Guard:changed(rows)
  self.due = self.due - rows
  if self.due > 0 then return false end
  self.due = self.entries * ROWS_PER_ENTRY
  for _, twin in next, self.twins do
    if self.found then break end
    if twin.is_changed(twin) then self.found = twin.what end
  end
  return self.found ~= nil
end

---What to report about a change.
---@param script string where the row function is
---@return moonmill.Fault
function Guard:about(script)
  return { id = "hidden-state", message = ("%s: the row function changed %s"):format(script, self.found),
    hint = "a result may only depend on its own row; what is counted or collected over rows belongs in a group" }
end

---@param set moonmill.Modules of the row functions
---@return moonmill.rows.Guard
local function new(set)
  return setmetatable({ set = set, twins = {}, entries = 0, due = 0 }, Guard)
end

return { new = new }
