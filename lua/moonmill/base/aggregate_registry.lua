-- moonmill.base.aggregate_registry - what the core's registry knows of an aggregate, asked by its name ("sum").
local ffi = require "ffi"
local native = require "moonmill.base.ffi"
local types = require "moonmill.base.types"

local C = native.C

---The number of an aggregate in the core.
---@param name string
---@return integer MM_AGG_*
local function code_of(name)
  local code = C.mm_aggregate_find(name)
  return code >= 0 and code or error("no aggregate " .. name, 2)
end

---The type of the result over values of a type, or nil when the aggregate does not take them.
---@param name string
---@param type moonmill.Type
---@return moonmill.Type?
local function type_of(name, type)
  local out = ffi.new "mm_type[1]"
  return C.mm_aggregate_type(code_of(name), types.to_c(type), out) and types.from_c(out[0]) or nil
end

---The type under which states over values of a type are saved; nil as above.
---@param name string
---@param type moonmill.Type
---@return moonmill.Type?
local function state_type_of(name, type)
  local out = ffi.new "mm_type[1]"
  return C.mm_aggregate_state_type(code_of(name), types.to_c(type), out) and types.from_c(out[0]) or nil
end

---The aggregate that makes one result of several, or nil where states must be saved.
---@param name string
---@return string?
local function merge_of(name)
  local code = C.mm_aggregate_merge(code_of(name))
  return code >= 0 and ffi.string(C.mm_aggregate_name(code)) or nil
end

local nulls = {
  [C.MM_AGG_NULL_NEVER] = "never", [C.MM_AGG_NULL_OF_NONE] = "of none", [C.MM_AGG_NULL_OF_ONE] = "of one",
  [C.MM_AGG_NULL_OF_ROW] = "of row",
}

---When the result is null: "never", of no values ("of none"), of fewer than two ("of one"), or where the row that it is
---taken from is, and of no rows ("of row").
---@param name string
---@return "never"|"of none"|"of one"|"of row"
local function nulls_of(name) return nulls[C.mm_aggregate_nulls(code_of(name))] end

return { code_of = code_of, type_of = type_of, state_type_of = state_type_of, merge_of = merge_of, nulls_of = nulls_of }
