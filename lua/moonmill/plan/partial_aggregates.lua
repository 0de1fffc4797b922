-- moonmill.plan.partial_aggregates - partial states of aggregates as columns: how each is split into parts and merged.
local types = require "moonmill.base.types"

local f64, i64 = types.f64, types.i64

-- The forms of each partial state: its parts, the core's aggregate that merges them, and the type that this gives, if
-- not that of the last part. Sums of whole numbers and of durations are exact, so they stand in two columns.
local function same(op) return { { parts = { op:lower() }, merge = op } } end
local function moments(merge)
  return { { parts = { "count", "center", "rest", "squares" }, merge = merge, gives = f64 } }
end
local forms = {
  COUNT = { { parts = { "count" }, merge = "SUM" } },
  COUNT_NULL = { { parts = { "count_null" }, merge = "SUM" } },
  SUM = {
    { parts = { "sum_high", "sum_low" }, merge = "MERGE_SUM" }, -- of whole numbers and durations
    { parts = { "sum" }, merge = "MERGE_SUM" },
  },
  MEAN = {
    { parts = { "sum_high", "sum_low", "count" }, merge = "MERGE_MEAN", gives = f64 },
    { parts = { "sum", "count" }, merge = "MERGE_MEAN", gives = f64 },
  },
  MIN = same "MIN", MAX = same "MAX", ANY = same "ANY", ALL = same "ALL", VAR = moments "MERGE_VAR",
  STD = moments "MERGE_STD",
}

-- Aggregates that are null only where a group may have no values. Their columns say so, though parts are never null.
local may_be_null = { MIN = true, MAX = true, MEAN = true }

local part_types = { count = i64, count_null = i64, sum_high = i64, center = f64, rest = f64, squares = f64,
  any = types.bool, all = types.bool }

-- The type of a part of an aggregate over an argument.
local function part_type(part, of)
  if part == "sum_low" then return of.id == "duration" and of or of.signed and i64 or types.u64 end
  return part_types[part] or part == "sum" and f64 or of
end

-- May a column of this type be the part?
local function fits(part, type)
  if part == "sum_low" then return type == i64 or type == types.u64 or type.id == "duration" end
  if part == "sum" then return type == f64 end
  return part_types[part] == nil or part_types[part] == type
end

---The columns that keep an aggregate of expr.split_aggregates, in the order in which they are merged.
---@return { part: string, op: string, type: moonmill.Type, nullable: boolean }[]
local function apart(item)
  local list = forms[item.op]
  local exact = item.of and (item.of.integer or item.of.id == "duration")
  local form, columns = list[exact and 1 or #list], {}
  for i, part in ipairs(form.parts) do
    columns[i] = { part = part, op = part:upper(), type = part_type(part, item.of),
      nullable = may_be_null[item.op] and item.nullable or false }
  end
  return columns
end

-- The aggregate over a form's parts, or nil and the part that is missing or has a type that it never has.
local function merged(op, form, find)
  local names, nullable, last = {}, op == "VAR" or op == "STD", nil
  for i, part in ipairs(form.parts) do
    last = find(part)
    if not last or not fits(part, last.type) then return nil, part end
    names[i], nullable = last.name, nullable or may_be_null[op] and last.nullable or false
  end
  return { op = form.merge, columns = names, type = form.gives or last.type, nullable = nullable }
end

---Put an aggregate together: `find(part)` gives the column that keeps a part.
---@param op string of the aggregate
---@return { op: string, columns: string[], type: moonmill.Type, nullable: boolean }? nil when a part is missing
---@return string? part the missing one
local function together(op, find)
  local aggregate, missing
  for _, form in ipairs(forms[op]) do
    aggregate, missing = merged(op, form, find)
    if aggregate then break end
  end
  return aggregate, missing
end

---Does every column of this part stand for one aggregate, whatever its argument is? The last part of each form does.
---@return boolean
local function marks(op, part)
  for _, form in ipairs(forms[op]) do
    if form.parts[#form.parts] == part then return true end
  end
  return false
end

return { apart = apart, together = together, marks = marks, keeps = function(op) return forms[op] ~= nil end }
