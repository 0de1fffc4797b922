-- moonmill.plan.row_node - the node of a stage that calls a Lua function for each row.
local bit = require "bit"
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local native = require "moonmill.base.ffi"
local nodes = require "moonmill.plan.nodes"
local schemas = require "moonmill.base.schemas"
local suggest = require "moonmill.base.suggest"

local C, err = native.C, native.err
local Rows = {}
Rows.__index = Rows

-- A column that the function reads and nothing gives.
local function check_reads(reads, columns, place)
  local known, names = nodes.set_of(nodes.names(columns)), nodes.names(columns)
  for name in pairs(reads or {}) do
    if not known[name] then
      failure.raise {
        id = "unknown-column", message = ("the function reads r.%s, and there is no column \"%s\" here"):format(name,
          name),
        hint = suggest.hint(name, names) or "the columns here: " .. table.concat(names, ", "),
        file = place.file, line = place.line, column = place.column, stage = place.stage,
      }
    end
  end
end

---@param spec { kind: string, fn: function, place: moonmill.Place, outputs: moonmill.Field[] }
---@param draft moonmill.Draft
---@return moonmill.Node
local function new(spec, draft)
  local columns = draft:columns()
  local self = setmetatable({ label = spec.kind, spec = spec, reads = require("moonmill.rows.inspect").reads(spec.fn),
    params = draft.params, modules = draft.modules }, Rows)
  check_reads(self.reads, columns, spec.place)
  self.columns = table.move(columns, 1, #columns, 1, {})
  for _, field in ipairs(spec.outputs) do
    self.columns[#self.columns + 1] = { name = field.name, type = field.type, nullable = field.nullable }
  end
  self:serialize(columns) -- what a worker could not run is refused before data is read
  return self
end

-- The description of the function that moonmill.rows needs.
function Rows:describe(arriving)
  local spec, params, nulls, outputs = self.spec, {}, {}, {}
  for name, param in pairs(self.params) do
    params[name] = param.value
    if param.value == nil then nulls[name] = true end
  end
  for i, field in ipairs(spec.outputs) do
    outputs[i] = { name = field.shown, type = field.type.name, nullable = field.nullable }
  end
  local inputs = {}
  for i, column in ipairs(arriving) do
    local kind = column.type.opaque and column.type.id or column.type.name
    inputs[i] = { name = column.name, type = kind, nullable = column.nullable }
  end
  local file = spec.place.file:match "[^/]*$"
  return {
    kind = spec.kind, inputs = inputs, outputs = outputs, params = params, nulls = nulls, place = 0,
    label = file .. ":" .. spec.kind, modules = self.modules,
  }
end

-- The function and what it needs, as bytes for the workers' states.
function Rows:serialize(arriving) return require "moonmill.rows.serialize"(self.spec.fn, self:describe(arriving)) end

-- The function as a vector program, if it can be one; else self.reason says why not.
function Rows:vectorise(arriving)
  local made, why = require "moonmill.rows.vector.vectorise"(self.spec.fn, self:describe(arriving))
  self.vectorised, self.reason = made, why
  if not made then return nil end
  return made:program()
end

---Try the function on rows that arrive; `lines` tells then whether it was compiled.
---@param sample ffi.cdata* mm_table of the columns of `arriving`
---@param made_up boolean
function Rows:try(sample, made_up)
  if self.vectorised then return end
  local shipment, text = self:serialize(self.arriving), ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free)
  failure.check(C.mm_rows_try(shipment, #shipment, schemas.to_c(self.leaving), sample, text, err), err)
  self.verdict = ffi.string(text.data, text.size)
  local problem = made_up and self.verdict:match "^fails: (.*)"
  if problem then self.verdict = "not known whether it is compiled: it fails on made-up rows: " .. problem end
end

function Rows:lines()
  local read = {}
  for _, column in ipairs(self.columns) do
    if self.reads and self.reads[column.name] then read[#read + 1] = column.name end
  end
  local reads = self.reads and "a Lua function that reads " .. (#read > 0 and table.concat(read, ", ") or "no column")
    or "a Lua function that may read every column"
  return { reads, self:vector_line(), self.verdict }
end

function Rows:vector_line()
  if self.vectorised then return ("vectorised: %d operations"):format(self.vectorised:operations()) end
  local why = self.reason
  local place = why.file and ("%s:%d: "):format(why.file:match "[^/]*$", why.line) or ""
  return ("not vectorised: %s%s"):format(place, why.reason)
end

function Rows:need(wanted)
  local needed = {}
  for i = 1, #self.columns - #self.spec.outputs do
    local name = self.columns[i].name
    if wanted[name] or not self.reads or self.reads[name] then needed[name] = true end
  end
  return needed
end

function Rows:make(arriving)
  self.arriving = arriving
  local leaving = table.move(arriving, 1, #arriving, 1, {})
  for i = #self.columns - #self.spec.outputs + 1, #self.columns do leaving[#leaving + 1] = self.columns[i] end
  local shipment, uses_store = self:serialize(arriving)
  local place = self.spec.place
  self.places = { [0] = { origin = place, stage = self.label } }
  local from, to, program = schemas.to_c(arriving), schemas.to_c(leaving), self:vectorise(arriving)
  local stage = C.mm_stage_rows(shipment, #shipment, from, to, self.spec.kind == "where", 0,
    program and ffi.gc(program, nil), err)
  nodes.checked(stage, self.places)
  if uses_store then stage.flags = bit.bor(stage.flags, C.MM_STAGE_STORE) end
  return stage, leaving
end

return { new = new }
