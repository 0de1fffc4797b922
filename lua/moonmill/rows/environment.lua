-- moonmill.rows.environment - the globals of row functions, made so that one gives the same result in every run.
--
-- DESIGN. What differs from run to run, or from thread to thread, is what may not be seen: the order of a table's keys,
-- addresses, the clock, one stream of random numbers for all rows. Each gets a form that depends on the job and the row
-- alone, or is refused. So is what could carry a value from one row to the next where no inspection finds it.
local bit = require "bit"
local ffi = require "ffi"
local globals = require "moonmill.globals"
local modules = require "moonmill.modules"
local refusals = require "moonmill.rows.refusals"

local environment = {}

-- Numbers first, then text by bytes, then false and true; anything else has no order.
local ranks = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local kind_a, kind_b = type(a), type(b)
  if kind_a ~= kind_b then return ranks[kind_a] < ranks[kind_b] end
  if kind_a == "boolean" then return not a and b end
  return a < b
end

local next, raw_tostring, raw_type = next, tostring, type

local function check_table(value, name)
  if raw_type(value) == "cdata" then error("an array has no pairs: for i = 0, #v - 1 do ... v[i]", 3) end
  if raw_type(value) ~= "table" then
    local found = value == nil and "no value" or raw_type(value)
    error(("bad argument #1 to '%s' (table expected, got %s)"):format(name, found), 3)
  end
  if getmetatable(value) == "row" then error("a row cannot be walked: name its columns, as in r.column", 3) end
end

local function sorted_keys(t, name)
  local keys, count = {}, 0
  for key in next, t do
    if not ranks[raw_type(key)] then
      local text = "%s: keys must be numbers, text or booleans here, for their order; found a %s"
      error(text:format(name, raw_type(key)), 4)
    end
    count = count + 1
    keys[count] = key
  end
  table.sort(keys, before)
  return keys
end

-- The key behind position `at` that still has a value.
local function step(t, keys, at)
  for i = at + 1, #keys do
    local value = rawget(t, keys[i])
    if value ~= nil then return i, keys[i], value end
  end
end

local function ordered_pairs(t)
  check_table(t, "pairs")
  local keys, at = sorted_keys(t, "pairs"), 0
  return function()
    local key, value
    at, key, value = step(t, keys, at)
    return key, value
  end, t, nil
end

local walks = setmetatable({}, { __mode = "k" }) -- of next: table -> its keys and the position of the last one given

local function position_of(keys, key)
  for i, candidate in ipairs(keys) do
    if candidate == key then return i end
  end
  error("invalid key to 'next'", 3)
end

local function ordered_next(t, key)
  check_table(t, "next")
  if key == nil and next(t) == nil then return nil end
  local walk = key ~= nil and walks[t] or { keys = sorted_keys(t, "next"), at = 0 }
  if key ~= nil and walk.keys[walk.at] ~= key then walk.at = position_of(walk.keys, key) end
  local at, found, value = step(t, walk.keys, walk.at)
  walk.at = at
  walks[t] = at and walk or nil
  return found, value
end

local nameless = { table = true, ["function"] = true, thread = true, userdata = true }

-- No addresses.
local function plain_tostring(value)
  local kind = raw_type(value)
  if not nameless[kind] then return raw_tostring(value) end
  local meta = getmetatable(value)
  if raw_type(meta) == "table" and rawget(meta, "__tostring") then return raw_tostring(value) end
  return kind
end

local raw_format, find, select = string.format, string.find, select

local stand_ins = {} -- by kind: what string.format shows as plain_tostring does
for kind in next, nameless do
  stand_ins[kind] = setmetatable({}, { __tostring = function() return kind end })
end

local function any_nameless(...)
  for i = 1, select("#", ...) do
    if nameless[raw_type((select(i, ...)))] then return true end
  end
  return false
end

local function format_nameless(form, ...)
  local values, count = { ... }, select("#", ...)
  for i = 1, count do
    local value = values[i]
    local meta = nameless[raw_type(value)] and getmetatable(value)
    local named = raw_type(meta) == "table" and rawget(meta, "__tostring")
    if nameless[raw_type(value)] and not named then values[i] = stand_ins[raw_type(value)] end
  end
  return raw_format(form, unpack(values, 1, count))
end

-- string.format without addresses. The first values are looked at one by one: a loop over them would not be compiled.
function environment.format(form, ...)
  local a, b, c, d, e, f = ...
  if raw_type(form) == "string" and find(form, "p", 1, true) and find(form:gsub("%%%%", ""), "%%[^%a%%]*p") then
    error("string.format: %p shows an address, which differs from run to run", 2)
  end
  if nameless[raw_type(a)] or nameless[raw_type(b)] or nameless[raw_type(c)] or nameless[raw_type(d)]
    or nameless[raw_type(e)] or nameless[raw_type(f)] or select("#", ...) > 6 and any_nameless(...) then
    return format_nameless(form, ...)
  end
  return raw_format(form, ...)
end

---Random numbers: a counter hashed with the job's seed and the row (splitmix64); each row has a sequence of its own.
---@param seed ffi.cdata* uint64_t
---@param row_number fun(): ffi.cdata* number of the row that is running
local function random_source(seed, row_number)
  local state, last = ffi.new("uint64_t[1]", seed), ffi.new("double[1]", -1) -- of C: nothing is allocated per draw
  local function draw()
    local row = row_number()
    if row ~= last[0] then
      last[0] = row
      state[0] = seed + (row + 1) * 0x9e3779b97f4a7c15ULL * 0x10000ULL
    end
    local z = state[0] + 0x9e3779b97f4a7c15ULL
    state[0] = z
    z = bit.bxor(z, bit.rshift(z, 30)) * 0xbf58476d1ce4e5b9ULL
    z = bit.bxor(z, bit.rshift(z, 27)) * 0x94d049bb133111ebULL
    z = bit.bxor(z, bit.rshift(z, 31))
    return tonumber(bit.rshift(z, 11)) * 2 ^ -53
  end
  return function(low, high)
    local u = draw()
    if low == nil then return u end
    if high == nil then low, high = 1, low end
    if low > high then error("bad argument to 'random' (interval is empty)", 2) end
    return math.floor(low + u * (high - low + 1))
  end
end

local function fix_clock(env, now)
  local time, date = os.time, os.date
  function env.os.time(t) return t and time(t) or now end
  function env.os.date(format, t) return date(format, t or now) end
end

---Make the globals of row functions, for a state that runs nothing else.
---@param job { seed: ffi.cdata*, now: integer, row_number: (fun(): ffi.cdata*), begun: boolean? } `begun` is to be set
---when all is set up
---@return moonmill.Modules set with the globals
function environment.install(job)
  local set = modules.new("", nil)
  local env = set.globals
  env.pairs, env.next, env.tostring = ordered_pairs, ordered_next, plain_tostring
  env.string.format, globals.methods.format = environment.format, environment.format
  env.table.foreach = nil
  env.math.random = random_source(ffi.cast("uint64_t", job.seed), job.row_number)
  function env.os.exit() error("os.exit: a row function cannot end the program", 2) end
  function env.math.randomseed()
    error("math.randomseed: a row's random numbers follow from the job's seed and the row", 2)
  end
  fix_clock(env, job.now)
  refusals.install(set, job)
  io.output(io.stderr)
  return set
end

return environment
