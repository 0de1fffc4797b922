-- moonmill.rows.worker.guard - find out whether a row function changed a table that it captured.
--
-- DESIGN. Direct writes are refused before data is read (moonmill.rows.inspect); this catches those that go through a
-- call or a branch. Every captured table has a twin that is compared after the first batch, then as often as it costs
-- little beside the rows, and once when there are no more rows.
local next = next -- the plain one: a worker's state gives row functions another

local guard = {}

local ROWS_PER_ENTRY = 8 -- rows to be run for each entry that is compared

local function same(a, b) return rawequal(a, b) or a ~= a and b ~= b end

local function is_changed(original, twin)
  local count = 0
  for key, value in next, original do
    if not same(twin.entries[key], value) then return true end
    count = count + 1
  end
  return count ~= twin.count
end

---@param tables table[] captured tables
---@return fun(rows: integer): boolean changed; called after each batch
function guard.watch(tables)
  local twins, entries = {}, 0
  for i, original in ipairs(tables) do
    local twin = { entries = {}, count = 0 }
    for key, value in next, original do
      twin.entries[key] = value
      twin.count = twin.count + 1
    end
    twins[i] = twin
    entries = entries + twin.count + 1
  end
  local due = 0
  return function(rows)
    if entries == 0 then return false end
    due = due - rows
    if due > 0 then return false end
    due = entries * ROWS_PER_ENTRY
    for i, original in ipairs(tables) do
      if is_changed(original, twins[i]) then return true end
    end
    return false
  end
end

---What to tell about a change.
---@param script string where the row function is
---@return moonmill.Fault
function guard.about(script)
  return { id = "hidden-state", message = script .. ": the row function changed a table that it captured",
    hint = "a result may only depend on its own row; what is counted or collected over rows belongs in a group" }
end

return guard
