-- moonmill.plan.explanation - a plan as text, for `moonmill explain`.

local printable = require "moonmill.base.printable"

local function field(column)
  return ("%s: %s%s"):format(printable.line(column.name), column.type.name, column.nullable and "?" or "")
end

local function fields(columns)
  local list = {}
  for i, column in ipairs(columns) do list[i] = field(column) end
  return table.concat(list, ", ")
end

-- The stages that went into a program: "where derive (lines 3 to 5)".
local function origin_of(step)
  local names, first, last = {}, nil, nil
  for _, stage in ipairs(step.stages or { step.stage }) do
    names[#names + 1] = stage.entry.name
    first, last = first or stage.place.line, stage.place.line
  end
  return ("%s (line%s %d%s)"):format(table.concat(names, ", "), first == last and "" or "s", first,
    first == last and "" or " to " .. last)
end

-- What comes first of a step's text, then its lines, indented.
local function step_lines(step, number, out)
  out[#out + 1] = ("%d. %s"):format(number, step.text or origin_of(step))
  if step.text then out[#out] = out[#out] .. ("  (line %d)"):format(step.place.line) end
  for _, line in ipairs(step.lines and step:lines() or {}) do out[#out + 1] = "     " .. line end
  out[#out + 1] = "     gives " .. fields(step.leaving)
end

---@param plan moonmill.Plan
---@param total integer columns of the input
---@return string
local function text(plan, total)
  local out = { ("reads %d of %d columns: %s"):format(#plan.reads, total, fields(plan.reads)) }
  local number, segment, starts = 0, 1, true
  plan:describe()
  for _, step in ipairs(plan.steps) do
    if step.leaving then
      if starts then out[#out + 1] = ("segment %d"):format(segment) end
      starts, number = false, number + 1
      step_lines(step, number, out)
      if step.breaks then segment, starts = segment + 1, true end
    end
  end
  if number == 0 then out[#out + 1] = "segment 1: the columns as they are" end
  out[#out + 1] = "gives " .. fields(plan.columns)
  return table.concat(out, "\n")
end

return text
