-- moonmill.base.schemas - lists of columns { name, type, nullable } as the core's mm_schema, and back.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local native = require "moonmill.base.ffi"
local types = require "moonmill.base.types"

local C, err = native.C, native.err

---@class moonmill.Column
---@field name string
---@field type moonmill.Type
---@field nullable boolean

---@param columns moonmill.Column[]
---@return ffi.cdata* mm_schema freed by the collector
local function to_c(columns)
  local schema = ffi.gc(ffi.new "mm_schema", C.mm_schema_free)
  for _, column in ipairs(columns) do
    failure.check(C.mm_schema_add(schema, column.name, types.to_c(column.type), column.nullable, err), err)
  end
  return schema
end

---@param schema ffi.cdata* const mm_schema *
---@return moonmill.Column[]
local function from_c(schema)
  local columns = {}
  for i = 0, schema.count - 1 do
    local field = schema.fields[i]
    columns[i + 1] = { name = ffi.string(field.name), type = types.from_c(field.type), nullable = field.nullable }
  end
  return columns
end

return { to_c = to_c, from_c = from_c }
