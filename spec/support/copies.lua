-- copies - CSV files to CSV files through a job, for specs of faults: a function that returns a status, never an error.
--
--   local copy = copies.csv({ "a.csv", "b.csv.zst" }, "out.csv", { threads = 2 })
--   local status = copy(err)     -- err: mm_error
local ffi = require "ffi"
local C = require("moonmill.base.ffi").C

local M = {}

local function text_array(list)
  local array = ffi.new("const char *[?]", #list)
  for i, text in ipairs(list) do array[i - 1] = text end
  return array
end

---Run a source through stages (functions of an mm_error that make one) into a sink, made likewise.
---@return integer status
function M.run(source, stages, sink, options, err)
  local job = C.mm_job_new(source, ffi.new("mm_job_options", { options.threads or 1, 64, 0 }), err)
  if job == nil then return err.code end
  ffi.gc(job, C.mm_job_free)
  local status = 0
  for i = 1, #stages + 1 do
    local stage = (stages[i] or sink)(err)
    if stage == nil then
      status = err.code
      break
    end
    status = C.mm_job_add(job, stage, err)
    if status < 0 then break end
  end
  if status >= 0 then status = C.mm_job_start(job, err) end
  if status >= 0 then status = C.mm_job_wait(job, -1, err) end
  C.mm_job_free(ffi.gc(job, nil))
  return status
end

---@param paths string[]
---@param target string
---@param options { threads: integer?, chunk: integer? }
function M.csv(paths, target, options)
  local array = text_array(paths)
  return function(err)
    local box = ffi.new "mm_input *[1]"
    local how = ffi.new("mm_input_options", { sample_rows = 50, chunk = options.chunk or 1024 })
    local status = C.mm_input_open(array, #paths, how, box, err)
    if status < 0 then return status end
    local source = C.mm_input_source(box[0], C.mm_input_schema(box[0]), err)
    if source == nil then return err.code end
    local function sink(failure) return C.mm_sink_file(target, nil, ffi.new "mm_output_options", failure) end
    return M.run(source, {}, sink, options, err), paths
  end
end

return M
