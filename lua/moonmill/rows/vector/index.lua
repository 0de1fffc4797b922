-- moonmill.rows.vector.index - what names and keys stand for: columns, parameters, captured values, fields of tables.
--
-- DESIGN. What a function captured cannot change while rows run: workers have copies of their own, and neither a vector
-- program nor the function it stands for assigns to them (steps.refusals). So all of it is constant. The standard
-- library goes by name, as in a shipment: a worker has its own.
local bit = require "bit"
local compare = require "moonmill.rows.vector.compare"
local standard_library = require "moonmill.rows.standard_library"
local tags = require "moonmill.rows.vector.tags"

local band = bit.band
local index = {}

local MOST_KEYS = 8 -- of a table that is looked up by a value; with more, Lua finds them sooner

---A captured value, or a field of one.
---@param name string for messages
function index.captured(trace, captured, name)
  local plain = trace.values:plain(captured)
  if plain then return plain end
  local path = (type(captured) == "table" or type(captured) == "function") and standard_library.paths[captured]
  if path then return trace.values:object(type(captured) == "table" and "library" or "builtin", path, path) end
  local module = trace.named[captured]
  if module then trace:reject("it uses %s of the module %s", module[3] or "values", module[2]) end
  if type(captured) == "table" then
    if getmetatable(captured) ~= nil then trace:reject("it uses %s, a table with a metatable", name) end
    return trace.values:object("table", captured, name)
  end
  if type(captured) == "function" and debug.getinfo(captured, "S").what ~= "C" then
    return trace.values:object("function", captured, name)
  end
  trace:reject("it uses %s, a %s", name, type(captured) == "cdata" and "C value" or type(captured))
end

function index.global(trace, name)
  local value = getfenv(trace.frame.fn)[name]
  if value == nil then trace:reject("it reads the global %s", name) end
  return index.captured(trace, value, name)
end

local function column(trace, name)
  local field = trace.inputs[name]
  local v = field and trace.values:column(field)
  if not v then trace:reject(field and "Lua cannot read r.%s" or "it uses r.%s", tostring(name)) end
  if v.beyond then trace:refuse(v.beyond) end
  return v
end

local function parameter(trace, name)
  local value = trace.params[name]
  if value == nil and not trace.nulls[name] then trace:reject("there is no parameter p.%s", tostring(name)) end
  return index.captured(trace, value, "p." .. tostring(name))
end

local function library(trace, name, key)
  if name == "math" and (key == "huge" or key == "pi") then return trace.values:plain(math[key]) end
  return trace.values:object("builtin", ("%s.%s"):format(name, tostring(key)), ("%s.%s"):format(name, tostring(key)))
end

---v[key], of a key that is known.
function index.field(trace, v, key)
  if v.kind == "row" then return column(trace, key) end
  if v.kind == "params" then return parameter(trace, key) end
  if v.kind == "library" then return library(trace, v.object, key) end
  if v.kind == "table" then
    return index.captured(trace, rawget(v.object, key), ("%s.%s"):format(v.name, tostring(key)))
  end
  if band(trace.state:tags(v), tags.TEXT) ~= 0 then trace:reject "it calls a method of text" end
  trace:reject("it reads a field of %s", v.name or tags.describe(trace.state:tags(v)))
end

-- Keys and values of a table, in an order that does not change.
local function entries(trace, v)
  local list = {}
  for key, item in next, v.object do
    if type(key) ~= "string" and type(key) ~= "number" then trace:reject("it looks into %s by odd keys", v.name) end
    list[#list + 1] = { key = key, value = trace.values:plain(item) }
    if not list[#list].value then trace:reject("it looks into %s, which holds more than plain values", v.name) end
    if #list > MOST_KEYS then trace:reject("it looks into %s, which has more than %d keys", v.name, MOST_KEYS) end
  end
  table.sort(list, function(x, y)
    if type(x.key) ~= type(y.key) then return type(x.key) == "number" end
    return x.key < y.key
  end)
  return list
end

---v[key], of any key. A table of few keys is asked key by key.
function index.at(trace, v, key)
  local constant = key.tags == tags.TEXT and key.text.op == "CONST" and key.text
    or key.tags == tags.NUMBER and key.number.op == "CONST" and key.number
  if constant then return index.field(trace, v, constant.value) end
  if v.kind ~= "table" then trace:reject("it reads a field of %s whose name is computed", v.name or "a value") end
  if band(trace.state:tags(key), tags.OBJECT) ~= 0 then trace:reject "it uses a table as a key" end
  local cases = {}
  for i, entry in ipairs(entries(trace, v)) do
    cases[i] = { mask = compare.equal(trace, key, trace.values:plain(entry.key)), value = entry.value }
  end
  return trace:cases(cases)
end

return index
