-- sessions - the calls of lua/host/session/session.h, for specs: requests, plans over lists, what failures say.
--
--   local session = sessions.new()
--   session:ask("load", "text", "name", ':limit(2)')            --> status, JSON text
--   session:load ':where "a > 1"'                               --> handle; raises what went wrong
--   session:plan(handle, lists, { name = "value" })        --> { reads =, gives =, flags =, number = }, or nil, JSON
--   session:run(plan, lists)                                    --> lists of the result, or nil, JSON of the failure
local ffi = require "ffi"
local columns = require "columns"
local schemas = require "moonmill.base.schemas"
local C = require("moonmill.base.ffi").C

if not pcall(ffi.typeof, "mm_session") then
  local file = assert(io.open "lua/host/session/session.h")
  ffi.cdef((("\n" .. file:read "*a"):gsub("\n[ \t]*#[^\n]*", "\n")))
  file:close()
end

local err = ffi.new "mm_error"
local Session = {}
Session.__index = Session

local function texts_of(...)
  local count = select("#", ...)
  local texts, keep = ffi.new("mm_text[?]", math.max(count, 1)), { ... }
  for i = 1, count do
    keep[i] = tostring(keep[i])
    texts[i - 1].bytes, texts[i - 1].size = keep[i], #keep[i]
  end
  return texts, count, keep
end

local function new_buffer() return ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free) end
local function text_of(buffer) return buffer.data ~= nil and ffi.string(buffer.data, buffer.size) or "" end

local function new()
  local handle = C.mm_session_new(err)
  assert(handle ~= nil, ffi.string(err.message))
  return setmetatable({ handle = ffi.gc(handle, C.mm_session_release) }, Session)
end

function Session:close() C.mm_session_release(ffi.gc(self.handle, nil)) end

---Ask; `pulse` (an mm_pulse) may stop it.
function Session:ask_with(pulse, name, ...)
  local texts, count, keep = texts_of(...)
  local answer = new_buffer()
  local status = C.mm_session_call(self.handle, name, texts, count, pulse, answer, err)
  assert(keep)
  return status, text_of(answer), status < 0 and ffi.string(err.id) or nil
end

function Session:drop(handle) C.mm_session_drop(self.handle, tonumber(handle)) end
function Session:is_lost() return C.mm_session_lost(self.handle) end

function Session:ask(name, ...) return self:ask_with(nil, name, ...) end

---The handle of a text.
function Session:load(text)
  local status, answer = self:ask("load", "text", "spec", text)
  if status < 0 then error(answer, 2) end
  return tonumber(answer:match '"handle":(%d+)')
end

function Session:plan(handle, lists, given)
  local flat = {}
  for name, value in pairs(given or {}) do
    flat[#flat + 1], flat[#flat + 2] = name, value
  end
  local texts, count, keep = texts_of(unpack(flat))
  local source = columns.table(lists)
  local plan, number, failures = ffi.new "mm_plan *[1]", ffi.new "int32_t[1]", new_buffer()
  local status = C.mm_session_plan(self.handle, handle, source.schema, texts, count, nil, plan, number, failures, err)
  assert(keep)
  if status < 0 then return nil, text_of(failures) end
  local made = ffi.gc(plan[0], C.mm_plan_release)
  return { plan = made, number = number[0], reads = schemas.from_c(C.mm_plan_reads(made)),
    gives = schemas.from_c(C.mm_plan_gives(made)), flags = tonumber(C.mm_plan_flags(made)) }
end

---What a failure of a job of a plan means.
function Session:explain(plan, problem)
  local failures = new_buffer()
  local status = C.mm_session_failure(self.handle, plan.number, problem, nil, failures, err)
  assert(status >= 0, ffi.string(err.message))
  return text_of(failures)
end

function Session:run(plan, lists, threads)
  local by_name, read = {}, {}
  for _, list in ipairs(lists) do by_name[list[1]] = list end
  for i, column in ipairs(plan.reads) do read[i] = by_name[column.name] end
  local options = ffi.new("mm_job_options", { threads or 2, 0, 0 })
  local problem = ffi.new "mm_error"
  local job = ffi.gc(C.mm_plan_job(plan.plan, C.mm_source_table(columns.table(read), err), options, err), C.mm_job_free)
  local status = C.mm_job_add(job, C.mm_sink_table(-1, err), problem)
  if status >= 0 then status = C.mm_job_start(job, problem) end
  if status >= 0 then status = C.mm_job_wait(job, -1, problem) end
  if status < 0 then return nil, self:explain(plan, problem) end
  local result = ffi.gc(ffi.new "mm_table", C.mm_table_free)
  assert(C.mm_job_take_result(job, result, nil, err) >= 0)
  return columns.lists(result)
end

return { new = new }
