-- moonmill call: a typed function of a module; arguments as text, results one a line.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local handle = require "moonmill.typed.module_handle"
local native = require "moonmill.base.ffi"
local params = require "moonmill.pipeline.params"
local printable = require "moonmill.base.printable"
local script = require "moonmill.script.script"
local view = require "moonmill.typed.array_view"

local C, err = native.C, native.err

local call = {
  name = "call", summary = "call a typed function of a module, or list its functions",
  about = [[
Call a typed function of a module; without a function, list them with what they take and give.

An array is written 1,2,3, or read from a file of raw values: @FILE, @- for stdin. null is nil, but for a text, where it
is the word; what is left out at the end, where it may be, is nil too. Results come one a line, arrays as 1,2,3.

examples:
  moonmill call pipelines/brighten.lua
  moonmill call pipelines/brighten.lua brighten 10,100,250 1.2
  moonmill call --raw pipelines/brighten.lua brighten @pixels.raw 1.2 > brighter.raw]],
}

-- A number below 0 is no option: it passes the parser behind this byte.
local NEGATIVE = "\1"
function call.word(word) return word:find "^%-[%d%.i]" and NEGATIVE .. word or word end

function call.configure(parser)
  parser:argument("file", "The module: a Lua file that returns mm.module { ... }.")
  parser:argument("name", "The function."):args "?"
  parser:argument("arguments", "Its arguments, in order."):args "*"
  parser:flag("--raw", "Write the bytes of arrays and binary results as they are, without line breaks.")
end

local function bad(entry, slot, text, expected, hint)
  failure.raise {
    id = "bad-argument", field = slot.name, value = text,
    message = ("%s: %s is \"%s\", expected %s"):format(entry.name, slot.name, #text > 40 and text:sub(1, 37) .. "..."
      or text, expected), hint = hint or ("it is declared as \"%s\""):format(entry.signature),
  }
end

local SPECIAL = { nan = 0 / 0, inf = math.huge, ["-inf"] = -math.huge }

local function scalar(entry, slot, text)
  if slot.type.float and SPECIAL[text:lower()] then return SPECIAL[text:lower()] end
  local value = params.value_of(text, slot.type)
  if value == nil then bad(entry, slot, text, params.form_of(slot.type)) end
  return value
end

-- Raw values of a file.
local function raw_values(entry, slot, path)
  local file, reason = io.stdin, nil
  if path ~= "-" then file, reason = io.open(path, "rb") end
  local bytes = file and file:read "*a"
  if file and file ~= io.stdin then file:close() end
  if not bytes then
    failure.raise { code = "io", id = "cannot-open", file = path,
      message = (reason or "cannot read it"):gsub("^.*: ", "") }
  end
  local width = view.width(slot.type)
  if #bytes % width ~= 0 then
    bad(entry, slot, "@" .. path, ("whole values of %s"):format(slot.type.id),
      ("the file has %d bytes, a value has %d"):format(#bytes, width))
  end
  local data = ffi.new("uint8_t[?]", #bytes)
  ffi.copy(data, bytes, #bytes)
  return { data = data, n = #bytes / width }
end

local function list_of(entry, slot, text)
  if text:sub(1, 1) == "@" then return raw_values(entry, slot, text:sub(2)) end
  local texts = {}
  if text:find "%S" then
    for item in (text .. ","):gmatch "([^,]*)," do texts[#texts + 1] = item:match "^%s*(.-)%s*$" end
  end
  local data = ffi.new(view.element(slot.type) .. "[?]", math.max(#texts, 1))
  for i, item in ipairs(texts) do data[i - 1] = scalar(entry, slot, item) end
  return { data = data, n = #texts }
end

local function values_of(entry, texts)
  local least = #entry.arguments
  while least > 0 and entry.arguments[least].nullable do least = least - 1 end
  if #texts > #entry.arguments or #texts < least then
    failure.raise {
      id = "bad-argument", message = ("%s takes %d argument%s, got %d"):format(entry.name, #entry.arguments,
        #entry.arguments == 1 and "" or "s", #texts), hint = ("it is declared as \"%s\""):format(entry.signature),
    }
  end
  local values = {}
  for i, slot in ipairs(entry.arguments) do
    local text = texts[i] and texts[i]:gsub("^" .. NEGATIVE, "")
    local null = slot.nullable and text == "null" and not (slot.type.text and not slot.array)
    if text and not null then values[i] = (slot.array and list_of or scalar)(entry, slot, text) end
  end
  return values
end

-- n values as texts, as CSV would write them.
local function texts_of(type, data, n)
  local texts = {}
  if type.id == "bool" then
    data = ffi.cast("const uint8_t *", data)
    for i = 0, n - 1 do texts[i + 1] = tostring(data[i] ~= 0) end
    return texts
  end
  local column, buffer = ffi.new "mm_column", ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free)
  column.type.id, column.length, column.data = type.code, n, data
  for i = 0, n - 1 do
    buffer.size = 0
    failure.check(C.mm_column_text(column, i, buffer, err), err)
    texts[i + 1] = ffi.string(buffer.data, buffer.size)
  end
  return texts
end

local function text_of(slot, value)
  if value == nil then return "null" end
  if slot.array then return table.concat(texts_of(slot.type, value.data, value.n), ",") end
  if slot.type.text or slot.type.id == "bool" then return tostring(value) end
  local one = ffi.new(view.element(slot.type) .. "[1]", value)
  return texts_of(slot.type, one, 1)[1]
end

local function write(slot, value, raw)
  if raw and slot.array and value ~= nil then
    io.stdout:write(ffi.string(value.data, value.n * view.width(slot.type)))
  elseif raw and slot.type.id == "binary" and value ~= nil then
    io.stdout:write(value)
  else
    io.stdout:write(text_of(slot, value), "\n")
  end
end

function call.run(options)
  if not options.name then
    printable.print(script.load(options.file, "module"):text(options.file))
    return
  end
  local module = handle.open(options.file)
  local entry = module:find(options.name)
  local results = module:call(entry, values_of(entry, options.arguments))
  for i, slot in ipairs(entry.results) do write(slot, results[i], options.raw) end
end

return call
