-- moonmill.io.job - a run of a plan in the core: started, waited for, with errors that name the place in the script.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local native = require "moonmill.base.ffi"

local C, err = native.C, native.err

---@class moonmill.Job
local Job = {}
Job.__index = Job

---@param plan moonmill.Plan
---@param source ffi.cdata* mm_source, taken
---@param options? { threads: integer?, batch_rows: integer?, seed: integer? }
---@return moonmill.Job
local function new(plan, source, options)
  options = options or {}
  local ok, made = pcall(plan.make, plan)
  if not ok then
    C.mm_source_free(source)
    error(made, 0)
  end
  local settings = ffi.new("mm_job_options", { options.threads or 0, options.batch_rows or 0, options.seed or 0 })
  local handle = C.mm_job_new(source, settings, err)
  if handle == nil then error(failure.from_c(err), 0) end
  local self = setmetatable({ plan = plan, _handle = ffi.gc(handle, C.mm_job_free), steps = {} }, Job)
  for i, item in ipairs(made) do
    self.steps[i] = item.step
    self:check(C.mm_job_add(handle, item.stage, err))
  end
  return self
end

function Job:check(status)
  if status < 0 then error(self.plan:failure(err, self.steps), 0) end
  return status
end

---Where the result goes. A sink that writes a file has made a temporary one: this comes last, so that a signal finds
---the job.
---@param sink ffi.cdata* mm_stage, taken
---@return moonmill.Job self
function Job:into(sink)
  self:check(C.mm_job_add(self._handle, sink, err))
  self._sink = sink
  return self
end

---@return ffi.cdata*? mm_stage that `into` took
function Job:sink() return self._sink end

function Job:start()
  self:check(C.mm_job_start(self._handle, err))
  return self
end

---Wait at most so long; raises what made the job fail.
---@param milliseconds integer
---@return boolean running
function Job:wait(milliseconds) return self:check(C.mm_job_wait(self._handle, milliseconds, err)) > 0 end

---Ask it to stop.
---@param reason "cancel"|"timeout"
function Job:cancel(reason) C.mm_job_cancel(self._handle, reason == "timeout" and C.MM_ELIMIT or C.MM_ECANCEL) end

local abandoned = {} -- jobs that are never freed: that would wait for them

---Give up a job that was told to stop and does not: it leaves no file, and its threads stay until the process ends.
function Job:abandon()
  abandoned[self] = true
  if self._sink then C.mm_sink_abandon(self._sink) end
end

---@return ffi.cdata* mm_progress
function Job:progress()
  local progress = ffi.new "mm_progress"
  C.mm_job_progress(self._handle, progress)
  return progress
end

---What a table sink kept, and how many rows reached it.
---@return ffi.cdata* mm_table freed by the collector
---@return integer rows
function Job:result()
  local result, total = ffi.gc(ffi.new "mm_table", C.mm_table_free), ffi.new "int64_t[1]"
  self:check(C.mm_job_take_result(self._handle, result, total, err))
  return result, tonumber(total[0])
end

---The core's handle, for the host's signal handler.
function Job:handle() return self._handle end

function Job:free()
  if abandoned[self] then return end
  if self._handle then C.mm_job_free(ffi.gc(self._handle, nil)) end
  self._handle = nil
end

return { new = new }
