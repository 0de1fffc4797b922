-- sample: rows by chance, the same ones for the same seed.
--
-- DESIGN. Each row draws a number from the seed and its own number in the input. A share keeps the rows that drew less
-- than it. A number of rows is the first ones in the order of what they drew, put back into the order of the input.
local ffi = require "ffi"
local native = require "moonmill.base.ffi"
local drop = require "moonmill.stages.drop"
local limit = require "moonmill.stages.limit"
local nodes = require "moonmill.plan.nodes"
local schemas = require "moonmill.base.schemas"
local sort = require "moonmill.stages.sort"
local types = require "moonmill.base.types"

local C, err = native.C, native.err

local sample = {
  name = "sample", position = 140, reach = "global", usage = ':sample(n or share, { by = { "k" }, seed = 7 })',
  help = "n random rows in the order of the input, of each group with by; below 1: that share of the rows",
  example = ":sample(3, { by = 'origin' })",
}

local function seed_option(call, value)
  if type(value) ~= "number" or value % 1 ~= 0 or math.abs(value) > 2 ^ 53 then
    call:fail("bad-option", ("seed is %s"):format(tostring(value)), "it is a whole number")
  end
  return value
end

function sample.accept(call, n, options)
  call:at_most(2)
  local is_share = type(n) == "number" and n > 0 and n < 1
  if type(n) ~= "number" or not is_share and (n < 1 or n > 2 ^ 53 or n % 1 ~= 0) then
    call:fail("bad-argument", ("sample takes a number of rows, or a share below 1, got %s")
      :format(n == nil and "nothing" or tostring(n)))
  end
  local given = call:options(options, { by = call.names, seed = seed_option })
  if is_share and given.by then
    call:fail("bad-option", "sample takes by with a number of rows only", "a share of all rows is one of each group")
  end
  return { n = n, is_share = is_share, by = given.by or {}, seed = given.seed or 0, place = call.place }
end

local function seed_of(number) return ffi.cast("uint64_t", ffi.cast("int64_t", number)) end

-- ---- A share ----

local Share = {}
Share.__index = Share

function Share.need(_, wanted) return wanted end

function Share:make(arriving)
  return nodes.checked(C.mm_stage_sample(self.share, seed_of(self.seed), err)), arriving
end

-- ---- A number of rows ----

-- Two columns more: what each row drew, and its number.
local Draw = {}
Draw.__index = Draw

function Draw:need(wanted)
  local needed = {}
  for name in pairs(wanted) do
    if name ~= self.drawn.name and name ~= self.row.name then needed[name] = true end
  end
  return needed
end

function Draw:make(arriving)
  local leaving = table.move(arriving, 1, #arriving, 1, {})
  leaving[#leaving + 1], leaving[#leaving + 2] = self.drawn, self.row
  local out = schemas.to_c(leaving)
  return nodes.checked(C.mm_stage_draw(seed_of(self.seed), out, err)), leaving
end

-- A name that no column has.
local function free_name(draft, name)
  while draft:find(name) do name = name .. "_" end
  return name
end

function sample.plan(arguments, draft)
  local text = ("sample %s"):format(tostring(arguments.n))
  if arguments.is_share then
    draft:push(setmetatable({ label = "sample", text = text, share = arguments.n, seed = arguments.seed }, Share))
    return
  end
  local by = draft:expand(arguments.by)
  if #by > 0 then text = text .. " by " .. table.concat(nodes.names(by), ", ") end
  local columns = table.move(draft:columns(), 1, #draft:columns(), 1, {})
  local drawn = { name = free_name(draft, "(drawn)"), type = types.make "u64", nullable = false }
  local row = { name = free_name(draft, "(row)"), type = types.make "i64", nullable = false }
  columns[#columns + 1], columns[#columns + 2] = drawn, row
  draft:push(setmetatable({ label = "sample", text = text, columns = columns, drawn = drawn, row = row,
    seed = arguments.seed }, Draw))
  local function names(...)
    local list = {}
    for i, column in ipairs { ... } do list[i] = { name = column.name, place = arguments.place } end
    return list
  end
  limit.plan({ n = arguments.n, by = arguments.by, order = names(drawn, row) }, draft)
  sort.plan({ by = names(row) }, draft)
  drop.plan(names(drawn, row), draft)
end

return sample
