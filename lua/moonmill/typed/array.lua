-- moonmill.typed.array - mm.array: new typed arrays, which a function may return without a copy.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local fault = require "moonmill.typed.fault"
local native = require "moonmill.base.ffi"
local suggest = require "moonmill.base.suggest"
local types = require "moonmill.base.types"
local view = require "moonmill.typed.array_view"

local C, err = native.C, native.err
local BLOCK, COUNT, DATA = native.private "block", native.private "count", native.private "data"

local KINDS = { "bool", unpack(types.numbers) }

-- "f64", "exact i64" -> type, exact
local function parse(text)
  if type(text) ~= "string" then
    fault.raise("bad-argument", ("mm.array takes a type and a length, got %s"):format(fault.text(text)),
      'as in mm.array("f64", 100)', text)
  end
  local exact, name = text:match "^%s*(exact%s+)(%S+)%s*$"
  name = name or text:match "^%s*(.-)%s*$"
  for _, known in ipairs(KINDS) do
    if known == name and not (exact and name ~= "i64" and name ~= "u64") then return types[name], exact ~= nil end
  end
  fault.raise("bad-argument", ('there are no arrays of "%s"'):format(text),
    suggest.hint(name, KINDS) or "arrays hold " .. table.concat(KINDS, " "), text)
end

local parsed, exactly = {}, {} -- texts that were seen

local function kind_of(text)
  local element = parsed[text]
  if not element then
    local exact
    element, exact = parse(text)
    parsed[text], exactly[text] = element, exact
  end
  return element, exactly[text]
end

local function count_of(n)
  if type(n) == "table" then return #n end
  if type(n) ~= "number" or not (n >= 0 and n < 2 ^ 53) or n ~= math.floor(n) then
    fault.raise("bad-argument", ("mm.array takes a length or a list of values, got %s"):format(fault.text(n)),
      'as in mm.array("f64", 100), mm.array("f64", { 1, 2, 3 })', n)
  end
  return n
end

local function release(v)
  C.mm_block_release(v[BLOCK])
  v[BLOCK] = nil
end

-- The collector does not see the arrays' bytes: a collection is started when many have come into being.
local MUCH = 64 * 2 ^ 20
local since = 0

local function collect(bytes)
  since = since + bytes
  if since < MUCH then return end
  since = bytes
  collectgarbage()
end

---A new array of zeros, or of the values of a list. It may be written, kept, and returned: then it goes to the caller.
---@param type string "f64", "u8", "exact i64"
---@param n integer|any[]
---@return ffi.cdata*
local function new(type, n)
  local element, exact = kind_of(type)
  local count = count_of(n)
  local bytes = count * view.width(element)
  collect(bytes)
  local block = C.mm_block_new(bytes, err)
  if block == nil then error(failure.from_c(err), 0) end
  local array = view.ctype(element, { mut = true, exact = exact }, count)()
  array[BLOCK], array[DATA], array[COUNT] = block, ffi.cast("void *", C.mm_block_data(block)), count
  ffi.gc(array, release)
  ffi.fill(array[DATA], bytes)
  if n ~= count then
    for i = 1, count do array[i - 1] = n[i] end
  end
  return array
end

return { new = new }
