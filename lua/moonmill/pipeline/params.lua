-- moonmill.pipeline.params - parameters of a pipeline: declared as "name: type = default  -- help", given as text,
-- typed here.
local ffi = require "ffi"
local expr = require "moonmill.expr.compiler"
local failure = require "moonmill.base.failure"
local fields = require "moonmill.script.fields"
local read_options = require "moonmill.io.read_options"
local suggest = require "moonmill.base.suggest"
local types = require "moonmill.base.types"
local utf8 = require "moonmill.base.utf8"

---@class moonmill.Param
---@field name string
---@field type moonmill.Type
---@field nullable boolean
---@field required boolean
---@field default any
---@field help string|false
---@field place moonmill.Place

---An integer written in decimal, as int64 or uint64; nil when it is not one or does not fit.
local function integer(text, kind)
  local sign, digits = text:match "^([+-]?)(%d+)$"
  if not digits then return nil end
  digits = digits:gsub("^0+(%d)", "%1")
  if #digits > 20 or (#digits == 20 and digits > "18446744073709551615") then return nil end
  local value = 0ULL
  for digit in digits:gmatch "%d" do value = value * 10 + (digit:byte() - 48) end
  if kind.signed then
    local most = sign == "-" and 0x8000000000000000ULL or 0x7FFFFFFFFFFFFFFFULL
    if value > most then return nil end
    value = ffi.cast("int64_t", value)
    if sign == "-" then value = -value end
  elseif sign == "-" and value ~= 0 then
    return nil
  end
  return types.holds(value, kind) and value or nil
end

local NOT_FINITE = { inf = math.huge, infinity = math.huge, nan = 0 / 0 }

---A decimal number, inf or nan; nil when it is not one or is too large for the type.
local function number(text, kind)
  local sign, word = text:lower():match "^([+-]?)(%a+)$"
  if NOT_FINITE[word] then return sign == "-" and -NOT_FINITE[word] or NOT_FINITE[word] end
  local value = text:find "%d" and not text:find "[xX]" and tonumber(text)
  if not value then return nil end
  local held = kind.id == "f32" and tonumber(ffi.new("float", value)) or value
  return math.abs(held) < math.huge and value or nil
end

---A value of a type from text; nil when the text is not one.
local function value_of(text, kind)
  if kind.text then return not (kind.id == "utf8" and utf8.invalid(text)) and text or nil end
  if kind.integer then return integer(text, kind) end
  if kind.float then return number(text, kind) end
  if kind.id == "bool" then
    if text == "true" then return true elseif text == "false" then return false end
    return nil
  end
  local literal = { kind = "text", value = text, at = 1, source = { text = text }, height = 1 }
  local ok, constant = pcall(expr.constant, literal, kind)
  if ok then return constant.value end
  local memory = failure.memory(constant)
  if memory then error(memory, 0) end
  return nil
end

local FORMS = {
  bool = "true or false", date = "a date such as 2013-12-31", timestamp = "a time such as 2013-12-31T23:59:00Z",
  duration = "a duration", utf8 = "a text in UTF-8", binary = "a text",
}
local function form_of(kind)
  return FORMS[kind.id] or ("a %snumber that fits %s"):format(kind.integer and "whole " or "", kind.name)
end

-- "= default  -- help" -> default text or nil, help or false.
local function tail_of(text)
  local value, rest = text:match "^=%s*(.*)$", text
  if value then
    local quoted, after = value:match "^'([^']*)'%s*(.*)$"
    if not quoted then quoted, after = value:match '^"([^"]*)"%s*(.*)$' end
    if quoted then
      value, rest = quoted, after
    else
      value, rest = value:match "^(.-)%s*(%-%-.*)$"
      if not value then value, rest = text:match "^=%s*(.-)%s*$", "" end
    end
  end
  local help = rest:match "^%-%-%s*(.-)%s*$"
  return value, help or false, not help and rest or ""
end

-- What Python's run, submit and the like take beside parameters.
local RESERVED = {}
for name in ("self data threads out copy timeout progress tables"):gmatch "%w+" do RESERVED[name] = true end

---Check the `params` of a declaration.
---@return moonmill.Param[]
local function declare(call, value)
  local list, seen = {}, {}
  for i, item in ipairs(call:texts(value, "parameters", ": ")) do
    local field, rest = fields.parse(call, item)
    local default, help, left = tail_of(rest)
    if left ~= "" then
      call:fail("bad-param", ("unexpected \"%s\" in parameter \"%s\""):format(left, field.name),
        'the form is "name: type = default  -- help"', item.place)
    end
    if seen[field.name] then
      call:fail("bad-param", ("parameter \"%s\" is declared twice"):format(field.name), nil, item.place)
    end
    if RESERVED[field.name] then
      call:fail("reserved-name", ("a parameter cannot be called \"%s\""):format(field.name),
        "from Python that is an option of run; choose another name", item.place)
    end
    if field.type == types.null then
      call:fail("bad-param", ("a parameter cannot be of type %s"):format(field.type.name), nil, item.place)
    end
    local param = { name = field.name, type = field.type, nullable = field.nullable, help = help, place = item.place }
    param.required = default == nil and not field.nullable
    param.default_text = default
    if default and not (default == "null" and field.nullable) then
      param.default = value_of(default, field.type)
      if param.default == nil then
        call:fail("bad-param", ("the default of \"%s\" is \"%s\", expected %s"):format(field.name, default,
          form_of(field.type)),
          nil, item.place)
      end
    end
    list[i], seen[field.name] = param, true
  end
  return list
end

local function names_of(declared)
  local names = {}
  for i, param in ipairs(declared) do names[i] = param.name end
  return names
end

---One line of help for a parameter: "min: i64 = 10  -- help".
local function describe(param)
  local default = param.default_text
  if default and param.type.text then default = ("%q"):format(default) end
  return ("%s: %s%s%s%s"):format(param.name, param.type.name, param.nullable and "?" or "",
    default and " = " .. default or param.required and " (required)" or "", param.help and "  -- " .. param.help or "")
end

-- A parameter that is none, but an option of reading files, which a host reads from the same keywords.
local function option_hint(name, form)
  if not read_options.by_name[name] then return nil end
  return form and "that is an option of reading files, and the data is in memory"
    or "how files are read is said by options of their own: moonmill run --help"
end

-- The value that a given text means. One that begins with a NUL comes from a host whose values have types: alone it is
-- null, also of text, where the word is a word; before a text it says that this is meant as it stands.
local function typed(param, text)
  local null = text == "null" and not param.type.text or text == "\0"
  if null and param.nullable then return nil end
  if text:byte() == 0 then text = text:sub(2) end
  local value
  if not null then value = value_of(text, param.type) end
  if value == nil then
    failure.raise {
      id = "bad-param", hint = "it is declared as \"" .. describe(param) .. "\"",
      message = ("parameter \"%s\" is %s, expected %s"):format(param.name, null and "null" or '"' .. text .. '"',
        form_of(param.type)),
    }
  end
  return value
end

---Values of all parameters from texts ("name" -> "text"); every problem names the parameter.
---@param declared moonmill.Param[]
---@param given table<string, string>
---@param form? string how one is given, for hints: "-p %s=..." when nothing is said
---@return table<string, { type: moonmill.Type, nullable: boolean, value: any }>
local function resolve(declared, given, form)
  local names, by_name = names_of(declared), {}
  for _, param in ipairs(declared) do by_name[param.name] = param end
  for name in pairs(given) do
    if not by_name[name] then
      failure.raise {
        id = "unknown-param", message = ("the pipeline has no parameter \"%s\""):format(name),
        hint = option_hint(name, form) or suggest.hint(name, names)
          or (#names > 0 and "its parameters: " .. table.concat(names, ", ") or "it has none"),
      }
    end
  end
  local values, missing = {}, {}
  for _, param in ipairs(declared) do
    local text, value = given[param.name], param.default
    if text then
      value = typed(param, text)
    elseif param.required then
      missing[#missing + 1] = param
    end
    values[param.name] = { type = param.type, nullable = param.nullable, value = value }
  end
  if #missing > 0 then
    local shown, options = {}, {}
    for i, param in ipairs(missing) do
      shown[i], options[i] = describe(param), (form or "-p %s=..."):format(param.name)
    end
    failure.raise {
      id = "missing-param", hint = "give " .. table.concat(options, " "), file = missing[1].place.file,
      line = missing[1].place.line,
      column = missing[1].place.column,
      message = ("%d parameter%s without a value: %s"):format(#missing, #missing == 1 and "" or "s",
        table.concat(shown, "; ")),
    }
  end
  return values
end

---Values for a check: parameters that are not given count as null of their type where they have no default.
---@param declared moonmill.Param[]
---@param given table<string, string>
---@param form? string as for resolve
local function suppose(declared, given, form)
  local relaxed = {}
  for i, param in ipairs(declared) do relaxed[i] = setmetatable({ required = false }, { __index = param }) end
  return resolve(relaxed, given, form)
end

return {
  declare = declare, resolve = resolve, suppose = suppose, describe = describe, value_of = value_of, form_of = form_of,
}
