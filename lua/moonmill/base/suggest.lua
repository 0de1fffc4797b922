-- moonmill.base.suggest - did-you-mean: the known word nearest to an unknown one.
local suggest = {}

---Number of inserted, deleted, changed or swapped letters between two words; `limit + 1` as soon as it is more than
---`limit`.
---@param a string
---@param b string
---@param limit integer
---@return integer
function suggest.distance(a, b, limit)
  if math.abs(#a - #b) > limit then return limit + 1 end
  local before, row = nil, {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local next_row, least = { [0] = i }, i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      local d = math.min(next_row[j - 1] + 1, row[j] + 1, row[j - 1] + cost)
      if before and i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        d = math.min(d, before[j - 2] + 1)
      end
      next_row[j] = d
      if d < least then least = d end
    end
    if least > limit then return limit + 1 end
    before, row = row, next_row
  end
  return row[#b]
end

---The candidate nearest to `word`, or nil when none is near. Letter case counts little; ties go to the first.
---@param word string
---@param candidates string[]
---@return string?
function suggest.nearest(word, candidates)
  local lower = word:lower()
  local limit = #word <= 2 and 1 or #word <= 6 and 2 or 3
  local best, best_distance
  for _, candidate in ipairs(candidates) do
    local d = suggest.distance(lower, candidate:lower(), limit)
    -- a word all of whose letters changed is no suggestion
    if d <= limit and d < math.max(#word, #candidate) and (not best or d < best_distance) then
      best, best_distance = candidate, d
    end
  end
  return best
end

---'did you mean "carrier"?', or nil.
---@param word string
---@param candidates string[]
---@return string?
function suggest.hint(word, candidates)
  local best = suggest.nearest(word, candidates)
  return best and ('did you mean "%s"?'):format(best)
end

return suggest
