-- moonmill.rows.worker - a row function at work in a worker's state: batch in, batch out.
local ffi = require "ffi"
local columns = require "moonmill.rows.columns"
local fault = require "moonmill.rows.fault"
local guard = require "moonmill.rows.guard"
local inspect = require "moonmill.rows.inspect"
local loop = require "moonmill.rows.loop"
local native = require "moonmill.ffi"
local params = require "moonmill.rows.params"
local results = require "moonmill.rows.results"
local suggest = require "moonmill.suggest"

local C, check = native.C, native.check
local batch_pointer = ffi.typeof "mm_batch *"
local error_pointer = ffi.typeof "mm_error *"
local stage_pointer = ffi.typeof "mm_stage *"

local MAX_VARIANTS = 32 -- loops generated for different columns with nulls; then one for "all may have some"

local Worker = {}
Worker.__index = Worker

-- What r[key] means when no reader has that name: the method i64, a row that was kept, or a mistake.
function Worker:other()
  local by_name, names = {}, {}
  for _, column in ipairs(self.columns) do by_name[column.name] = column end
  for i, field in ipairs(self.inputs) do names[i] = field.name end
  local function unknown(level, name)
    fault.raise(level + 1, ("there is no column '%s'"):format(tostring(name)),
      suggest.hint(tostring(name), names) or "the columns are " .. table.concat(names, ", "))
  end
  local function exact(r, name)
    local column, row = by_name[name], rawget(r, loop.KEY)
    if not column then unknown(2, name) end
    if not row then fault.raise(2, "a row is only valid while its function runs; this one was kept") end
    local value = columns.exact(column, row)
    return value
  end
  return function(_, key)
    if key == "i64" then return exact end
    if key == loop.KEY then fault.raise(4, "a row is only valid while its function runs; this one was kept") end
    unknown(3, key)
  end
end

local function read_only(_, key)
  fault.raise(2, ("a row is read-only: r.%s cannot be assigned"):format(tostring(key)), "return the value instead")
end

function Worker:scope()
  local scope = {
    setmetatable = setmetatable, columns = self.columns, other = self:other(), read_only = read_only,
    current = self.current,
    too_many = function()
      fault.raise_result(self.script, {
        message = ("the function returned more than the %d results that are declared"):format(#self.results) })
    end,
  }
  for name, value in pairs(columns.scope) do scope[name] = value end
  for name, value in pairs(results.scope) do scope[name] = value end
  return scope
end

---@param shipment table of unship
---@param kinds ffi.cdata*[] mm_type of each output
---@param watcher moonmill.rows.Guard
local function new(shipment, kinds, watcher)
  local self = setmetatable({
    kind = shipment.kind, script = shipment.script, inputs = shipment.inputs, columns = {}, results = {},
    variants = {}, variant_count = 0,
    current = ffi.new("int32_t[1]", -1), track = shipment.random,
  }, Worker)
  local parameters = params(shipment.params, shipment.nulls)
  watcher:watch(parameters, "its parameters")
  for _, captured in ipairs(shipment.tables) do watcher:watch(captured, "a table that it captured") end
  self.guard = watcher
  local reads = inspect.reads(shipment.fn)
  for i, field in ipairs(shipment.inputs) do
    if not reads or reads[field.name] then self.columns[#self.columns + 1] = columns.new(field, i - 1, fault.raise) end
  end
  for k, field in ipairs(shipment.outputs) do
    self.results[k] = results.new(field, kinds[k], function(result, value, message, hint)
      fault.raise_result(self.script,
        { message = message, hint = hint, field = result.name, value = value ~= nil and tostring(value) or "nil" })
    end)
  end
  self.spec = {
    kind = shipment.kind, label = shipment.label, fn = shipment.fn,
    params = parameters,
    columns = self.columns,
    results = self.results, scope = self:scope(), track = self.track,
  }
  self.handler = fault.handler(function() return self.running end, shipment.kind)
  return self
end

---The number of the running row in the segment's input.
function Worker:row_number()
  if self.current[0] < 0 then error("math.random is not available here: call it by its name in the row function", 3) end
  return tonumber(C.mm_batch_row(self.batch, self.current[0]))
end

-- Show the batch to the readers and choose the loop for those of its columns that have nulls.
function Worker:point(batch)
  local nulls, key = {}, ""
  for k, column in ipairs(self.columns) do
    local data = batch.columns[column.index]
    nulls[k] = data.valid ~= nil and C.mm_column_null_count(data) > 0
    key = key .. (nulls[k] and "1" or "0")
  end
  if not self.variants[key] and self.variant_count >= MAX_VARIANTS then
    for k in ipairs(nulls) do nulls[k] = true end
    key = "all"
  end
  self.nulls = nulls
  local n = tonumber(batch.length)
  for k, column in ipairs(self.columns) do columns.point(column, batch.columns[column.index], n, nulls[k]) end
  if not self.variants[key] then
    self.variants[key] = loop.generate(self.spec, nulls)
    self.variant_count = self.variant_count + 1
  end
  return self.variants[key]
end

-- The row of an error that left no room to look for it: the loop once more, noting each row.
function Worker:find_row(batch, target)
  local spec = setmetatable({ track = true }, { __index = self.spec })
  self.running = loop.generate(spec, self.nulls)
  pcall(self.running, tonumber(batch.length), target)
  return math.max(self.current[0], 0)
end

-- Run the loop; returns the number of rows that went well, and the fault that ended it.
function Worker:loop(batch, target)
  local n = tonumber(batch.length)
  self.batch, self.running = batch, self:point(batch)
  local ok, about = xpcall(self.running, self.handler, n, target)
  if ok then about = nil end
  if not ok then
    if type(about) ~= "table" then about = { message = tostring(about) } end
    if about.message == native.NO_MEMORY then error(native.NO_MEMORY, 0) end
    about.row = about.row or self:find_row(batch, target)
    n = about.row
  end
  self.batch = false
  return n, about
end

function Worker:map(batch, out)
  local err, first = native.err, batch.count
  check(C.mm_rows_share(batch, #self.results, out, err))
  for k, result in ipairs(self.results) do result:begin(tonumber(batch.length), out.columns[first + k - 1]) end
  local done, about = self:loop(batch, self.results)
  local field
  for _, result in ipairs(self.results) do
    local invalid = result:complete(done)
    if invalid then done, field = invalid, result.name end
  end
  if field then
    about = { row = done, id = "result", field = field,
      message = ("%s: result '%s' is not valid UTF-8"):format(self.script, field),
      hint = "declare it as binary, or give text" }
  end
  for k = 0, out.count - 1 do out.columns[k].length = done end
  out.length = done
  return about
end

function Worker:where(batch, out, track)
  local n = tonumber(batch.length)
  if not self.keep or self.keep_size < n then
    self.keep, self.keep_size = ffi.new("uint8_t[?]", n), n
  end
  ffi.fill(self.keep, n)
  local done, about = self:loop(batch, self.keep)
  check(C.mm_rows_keep(batch, self.keep, done, track, out, native.err))
  return about
end

---Run a batch. Returns 0, or the status of the error that it filled in; `out` holds the rows before that.
---@param batch ffi.cdata* mm_batch *
---@param out ffi.cdata* mm_batch *, empty
---@param err ffi.cdata* mm_error *
---@param track boolean note where kept rows come from
---@return integer status
function Worker:run(batch, out, err, track)
  local about
  if self.kind == "map" then about = self:map(batch, out) else about = self:where(batch, out, track) end
  if not about and self.guard:changed(tonumber(batch.length)) then
    C.mm_batch_resize(out, 0, nil)
    about = self.guard:about(self.script)
    about.row = 0
  end
  if not about then return 0 end
  local row = C.mm_batch_row(batch, about.row)
  fault.fill(err, C.MM_ESCRIPT, about)
  err.row = row
  return err.code
end

---When there are no more rows: 0, or the status of the error that it filled in.
---@param err ffi.cdata* mm_error *
---@return integer status
function Worker:last_look(err)
  if not self.guard:changed(math.huge) then return 0 end
  return fault.fill(err, C.MM_ESCRIPT, self.guard:about(self.script))
end

-- Worker.run with pointers from C; our own failures too become an mm_error.
local function entry(worker, stage)
  return function(batch, out, err)
    batch, out, err = ffi.cast(batch_pointer, batch), ffi.cast(batch_pointer, out), ffi.cast(error_pointer, err)
    native.err.code = 0
    local ok, status = pcall(worker.run, worker, batch, out, err, stage.track_rows)
    if ok then return status end
    C.mm_batch_resize(out, 0, nil)
    if status == native.NO_MEMORY and native.err.code ~= C.MM_ENOMEM then
      C.mm_host_fail_memory(err)
    elseif native.err.code < 0 then
      ffi.copy(err, native.err, ffi.sizeof "mm_error")
    else
      fault.fill(err, C.MM_EBUG, { id = "rows", message = tostring(status) })
    end
    err.row = C.mm_batch_row(batch, 0)
    return err.code
  end
end

---Bring a shipment to life in this state.
---@param shipment string
---@param stored ffi.cdata* mm_store *
---@param schema ffi.cdata* mm_schema *, of what leaves the stage
---@param job { seed: any, now: integer } see moonmill.rows.environment
---@return table worker
---@return table unpacked
local function start(shipment, stored, schema, job)
  local worker
  function job.row_number() return worker:row_number() end
  local set = require("moonmill.rows.environment").install(job)
  job.guard = guard.new(set)
  local unpacked, kinds = require("moonmill.rows.unship")(shipment, stored, set), {}
  job.guard:watch_shared()
  job.begun = true
  local first = schema.count - #unpacked.outputs
  for k = 1, #unpacked.outputs do kinds[k] = schema.fields[first + k - 1].type end
  worker = new(unpacked, kinds, job.guard)
  return worker, unpacked
end

---Called by lua/host once per worker, in a state of its own.
---@param shipment string
---@param stage lightuserdata mm_stage *
---@param job lightuserdata mm_job *
---@param now integer the job's time
---@return fun(batch: lightuserdata, out: lightuserdata, err: lightuserdata): integer run
---@return fun(err: lightuserdata): integer last_look
local function open(shipment, stage, job, now)
  stage, job = ffi.cast(stage_pointer, stage), ffi.cast("mm_job *", job)
  local worker = start(shipment, C.mm_job_store(job), stage.out, { seed = C.mm_job_seed(job), now = now })
  return entry(worker, stage), function(err) return worker:last_look(ffi.cast(error_pointer, err)) end
end

return { new = new, start = start, open = open }
