-- moonmill.io.job_loop - run a plan to its end: the wait loop with progress, time limit and signals.
local failure = require "moonmill.base.failure"
local native = require "moonmill.base.ffi"

local C = native.C
local STEP = 20 -- milliseconds between looks at the clock
local PATIENCE = 1.5 -- seconds that a job gets to stop at the deadline
local SIGNALLED = 0.05 -- and when a signal came: who pressed Ctrl-C waits

-- A job that was told to stop and goes on.
local function give_up(job, stopped)
  job:abandon()
  C.mm_host_leave()
  failure.raise {
    code = stopped and "limit" or "cancel", id = stopped and "timeout" or "cancelled",
    message = "the job was cancelled",
    hint = "a thread was within a call that cannot be stopped, such as string.find in a long text",
  }
end

---Start a job and wait for it; raises what made it fail. The job is freed unless it succeeds.
---@param job moonmill.Job
---@param options? { timeout: number?, watch: fun(job: moonmill.Job, seconds: number, done: boolean)? }
---@return moonmill.Job
local function run(job, options)
  options = options or {}
  local watch, began, stopped, stopping = options.watch, C.mm_host_clock(), false, nil
  C.mm_host_job(job:handle(), job:sink())
  local ok, problem = pcall(function()
    job:start()
    while job:wait(STEP) do
      local seconds = C.mm_host_clock() - began
      if C.mm_host_left() < 0 and not stopped then
        job:cancel "timeout"
        stopped = true
      end
      local signalled = C.mm_host_signal() > 0
      if stopped or signalled then stopping = stopping or seconds end
      if stopping and seconds > stopping + (signalled and SIGNALLED or PATIENCE) then give_up(job, stopped) end
      if watch then watch(job, seconds, false) end
    end
  end)
  if not ok and job:sink() then C.mm_sink_abandon(job:sink()) end -- a signal from here on leaves no file either
  C.mm_host_job(nil, nil)
  if watch then watch(job, C.mm_host_clock() - began, true) end
  if ok then return job end
  if stopped and type(problem) == "table" then
    local said = failure.timeout(options.timeout)
    problem.code, problem.id, problem.message = said.code, said.id, said.message
  end
  if C.mm_host_signal() > 0 then -- to free what a large job holds would take too long
    job:abandon()
    C.mm_host_leave()
  else
    job:free()
  end
  error(problem, 0)
end

return run
