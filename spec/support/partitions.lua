-- partitions - runs the halves of a pipeline over parts of lists, as an engine would that holds a table in partitions.
--
--   partitions.run(chain, lists, { 3, 0, 2 })   --> as pipelines.run(chain, lists), through parts of 3, 0 and 2 rows
--                                                   and the rest
local two_phase = require "moonmill.pipeline.two_phase"
local pipelines = require "pipelines"
local script = require "moonmill.script.script"

local M = {}

local function rows_of(list) return list.n or #list[3] end

local function slice(lists, from, to)
  local part = {}
  for i, list in ipairs(lists) do part[i] = { list[1], list[2], { unpack(list[3], from, to) }, true } end
  return part
end

---A result as lists, so that it can be an input.
local function as_lists(out, shape)
  local lists = {}
  for i, column in ipairs(shape) do
    local kind = column[2]:gsub("%?$", "")
    lists[i] = { column[1], kind, out[column[1]], column[2]:sub(-1) == "?" }
  end
  return lists
end

---The first half over a part; lists that may be an input.
function M.partial(chain, lists, options)
  local pipeline = type(chain) == "string" and script.evaluate(chain) or chain
  return as_lists(pipelines.run(two_phase.partial(pipeline), lists, options))
end

---The second half over lists.
function M.merge(chain, lists, options)
  local pipeline = type(chain) == "string" and script.evaluate(chain) or chain
  return pipelines.run(two_phase.merge(pipeline), lists, options)
end

---Both halves; `sizes` are rows of parts, the rest is one more.
function M.run(chain, lists, sizes, options)
  local pipeline = type(chain) == "string" and script.evaluate(chain) or chain
  local total, from, joined = rows_of(lists[1]), 1, nil
  local function take(size)
    local part = M.partial(pipeline, slice(lists, from, math.min(from + size - 1, total)), options)
    from = from + size
    for i, column in ipairs(part) do
      if joined then
        for _, value in ipairs(column[3]) do table.insert(joined[i][3], value) end
      end
    end
    joined = joined or part
  end
  for _, size in ipairs(sizes) do take(size) end
  take(math.max(total - from + 1, 0))
  return M.merge(pipeline, joined, options)
end

return M
