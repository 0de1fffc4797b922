-- moonmill.plan.sort_keys - sort keys, "-a", "b": columns with a direction, for sort and limit.
local ffi = require "ffi"
local nodes = require "moonmill.plan.nodes"

---A list of names, each with - for descending.
local function accept(call, value)
  local list = {}
  for i, item in ipairs(call:texts(value, "names of columns, - for descending")) do
    local sign, text = item.text:match "^%s*([%-+]?)%s*(.-)%s*$"
    local order = call:column { text = text, place = item.place }
    order.descending = sign == "-"
    list[i] = order
  end
  return list
end

---The option `nulls`.
local function nulls(call, value)
  if value ~= "first" and value ~= "last" then
    call:fail("bad-option", ("nulls is %s"):format(type(value) == "string" and '"' .. value .. '"' or type(value)),
      'it is "first" or "last"')
  end
  return value
end

---@return { name: string, descending: boolean, nulls_first: boolean }[]
local function plan(list, draft, nulls_where)
  local by = {}
  for _, order in ipairs(list) do
    for _, item in ipairs(draft:expand { order }) do
      by[#by + 1] = { name = item.name, descending = order.descending, nulls_first = nulls_where == "first" }
    end
  end
  return by
end

local function columns(by)
  local names = {}
  for i, order in ipairs(by) do names[i] = order.name end
  return names
end

local function text(by)
  local parts = {}
  for i, order in ipairs(by) do parts[i] = (order.descending and "-" or "") .. order.name end
  return table.concat(parts, ", ") .. (#by > 0 and by[1].nulls_first and " (nulls first)" or "")
end

---The core's form.
---@return ffi.cdata* mm_order[]
---@return integer count
local function make(by, arriving)
  local list, number_of = ffi.new("mm_order[?]", math.max(#by, 1)), nodes.numbering(arriving)
  for i, order in ipairs(by) do
    list[i - 1].column = number_of(order.name)
    list[i - 1].descending = order.descending and 1 or 0
    list[i - 1].nulls_first = order.nulls_first and 1 or 0
  end
  return list, #by
end

return { accept = accept, nulls = nulls, plan = plan, columns = columns, text = text, make = make }
