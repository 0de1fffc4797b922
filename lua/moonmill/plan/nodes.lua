-- moonmill.plan.nodes - the nodes of a plan. A node represents one stage of a job and answers three questions:
--   columns         what comes out of it, in order
--   need(wanted)    which columns it reads so that the wanted ones come out (sets of names); leaves out the others
--   make(arriving)  the core's stage over the columns that really arrive, and the columns that leave it
-- `label` names the stage in messages, `text` and `lines` describe it for `explain`.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local native = require "moonmill.base.ffi"
local schemas = require "moonmill.base.schemas"

local err = native.err

---@class moonmill.Node
---@field label string
---@field columns moonmill.Column[]
---@field place moonmill.Place

---Names of a list of columns.
local function names(columns)
  local list = {}
  for i, column in ipairs(columns) do list[i] = column.name end
  return list
end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return set
end

---Numbers of columns by name, from 0.
---@return fun(name: string): integer
local function numbering(columns)
  local at = {}
  for i, column in ipairs(columns) do at[column.name] = i - 1 end
  return function(name) return at[name] or error(("plan: column %s does not arrive"):format(name)) end
end

---Numbers of named columns, as the core wants them.
---@return ffi.cdata* int32_t[]
---@return integer count
local function numbers(columns, wanted)
  local number_of, list = numbering(columns), ffi.new("int32_t[?]", math.max(#wanted, 1))
  for i, name in ipairs(wanted) do list[i - 1] = number_of(name) end
  return list, #wanted
end

---Columns of a list that are in a set.
local function only(columns, wanted)
  local kept = {}
  for _, column in ipairs(columns) do
    if wanted[column.name] then kept[#kept + 1] = column end
  end
  return kept
end

local function checked(stage, places)
  if stage == nil then error(failure.from_c(err, places), 0) end
  return stage
end

local Passing = {}
Passing.__index = Passing

---A stage that gives the rows it gets, or some of them, with all their columns: sort, limit, distinct.
---@param node { label: string, text: string, uses: string[], make: function }
local function passing(node)
  return setmetatable({ label = node.label, breaks = true, text = node.text, uses = node.uses, _make = node.make },
    Passing)
end

function Passing:need(wanted)
  local needed = set_of(self.uses)
  for name in pairs(wanted) do needed[name] = true end
  return needed
end

function Passing:make(arriving) return checked(self._make(arriving, err)), arriving end

local Program = {}
Program.__index = Program

---Neighbouring stages of expressions, as one program. `builder` is open until another node follows.
local function program(builder) return setmetatable({ label = "program", builder = builder, stages = {} }, Program) end

-- Names of what comes out, in order, without unused ones.
local function wanted_names(columns, wanted) return names(only(columns, wanted)) end

function Program:need(wanted)
  self.wanted = wanted_names(self.columns, wanted)
  return set_of(self.builder:finish(self.wanted, { dry = true }).reads)
end

function Program:make(arriving)
  local result = self.builder:finish(self.wanted, { arriving = names(arriving) })
  self.listing, self.places = result.listing, result.places
  local schema = schemas.to_c(result.columns)
  local stage = checked(native.C.mm_stage_program(ffi.gc(result.program, nil), schema, err), self.places)
  return stage, result.columns
end

function Program:lines()
  local lines = {}
  for line in self.listing:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines
end

return { names = names, numbering = numbering, numbers = numbers, only = only, set_of = set_of, checked = checked,
  passing = passing, program = program }
