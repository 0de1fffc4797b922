-- moonmill run: a pipeline over files; data to a file, to stdout as CSV, or to a terminal as a table.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local input = require "moonmill.pipeline.input"
local native = require "moonmill.base.ffi"
local options_of = require "moonmill.cli.commands.options"
local params = require "moonmill.pipeline.params"

local C, err = native.C, native.err
local STDOUT = 1
local ROWS_SHOWN = 40

local run = {
  name = "run", summary = "run a pipeline over files",
  about = "Run a pipeline over files. Writes CSV to stdout, or a table if stdout is a terminal.",
}

function run.configure(parser)
  options_of.configure_pipeline(parser)
  parser:option("-o --output", "Write to a file; the name may end in .tsv and .zst, - is CSV on stdout.")
    :argname "FILE"
  parser:option("--threads", "Number of threads. Default: all processors."):argname "N"
  parser:option("--timeout", "Time limit in seconds for the script, opening files and the run together."):argname "S"
  parser:option("--progress", "Progress on stderr; auto shows a bar on a terminal.")
    :choices({ "auto", "bar", "json", "off" }):default "auto"
  options_of.configure_files(parser)
end

local FOREVER = 1e9 -- seconds

-- The seconds that are left, for what the core opens, rounded up as messages show them; nil: as many as it takes.
local function patience()
  local left = C.mm_host_left()
  return left < FOREVER and math.ceil(math.max(left, 0.001) * 20) / 20 or nil
end

-- Call a function that keeps to the deadline itself, and says more than that it has come.
local function opening(timeout, fn, ...)
  C.mm_host_opening(true)
  local ok, a, b = pcall(fn, ...)
  C.mm_host_opening(false)
  if not ok then error(a, 0) end
  if C.mm_host_left() < 0 then error(failure.timeout(timeout), 0) end
  return a, b
end

-- A file, as CSV unless its name says more. `read`: files that the run reads, none of which it may be.
local function sink_of(path, read)
  local settings = ffi.new "mm_output_options"
  local list = ffi.new("const char *[?]", math.max(#read, 1), read)
  settings.inputs, settings.input_count = list, #read
  settings.open_timeout = math.ceil((patience() or 0) * 1000)
  io.stdout:flush() -- what was printed comes first
  local sink = C.mm_sink_file(path, nil, settings, err)
  if sink == nil then error(failure.from_c(err), 0) end
  return sink
end

---Plan a pipeline over files.
---@return moonmill.Plan
---@return moonmill.Files
local function plan_over(pipeline, given, paths, file_options)
  local files = require("moonmill.io.files").open(paths, file_options, pipeline.input)
  local columns = input.bind(pipeline.input, files.columns, paths[1])
  return require("moonmill.plan.plan").bind(pipeline, columns, given), files
end

---Run a pipeline over files and show or write what comes out.
---@param pipeline moonmill.Pipeline
---@param paths string[]
---@param options table output, threads, timeout, progress, params, files; read: files that were read for the pipeline
function run.over(pipeline, paths, options)
  local given = params.resolve(pipeline.params, options.params or {})
  options.files.patience = patience()
  local plan, files = opening(options.timeout, plan_over, pipeline, given, paths, options.files)
  local shown = not options.output and C.mm_host_is_terminal(STDOUT)
  local job = require("moonmill.io.job").new(plan, files:source(plan.reads), { threads = options.threads })
  local watch = require("moonmill.cli.output.progress").watch(options.progress or "off")
  local read = options.read or {}
  table.move(paths, 1, #paths, #read + 1, read)
  job:into(shown and C.mm_sink_table(ROWS_SHOWN, err)
    or opening(options.timeout, sink_of, options.output or "-", read))
  require "moonmill.io.job_loop"(job, { timeout = options.timeout, watch = watch })
  if shown then
    local result, rows = job:result()
    require("moonmill.cli.output.terminal_table").table(io.stdout, result, rows, C.mm_host_terminal_width(STDOUT), true)
  end
  job:free()
end

function run.run(options)
  local timeout = options_of.number(options.timeout, "--timeout", 0)
  if timeout then
    local problem, say = failure.timeout(timeout), options.errors == "json" and failure.json or failure.text
    C.mm_host_deadline(timeout, say(problem) .. "\n", failure.exit_code(problem))
  end
  local pipeline, paths, name, read = options_of.pipeline(options)
  local given, file_options = options_of.params(options), options_of.files(options)
  params.resolve(pipeline.params, given) -- a parameter is missed before a file is
  if #paths == 0 then
    failure.raise {
      id = "no-input", message = ("no input files for %s"):format(name),
      hint = "name files behind the pipeline, or - for stdin",
    }
  end
  run.over(pipeline, paths, {
    params = given, output = options.output, progress = options.progress, files = file_options,
    threads = options_of.whole(options.threads, "--threads", 1, 2 ^ 31 - 1), timeout = timeout, read = read,
  })
end

run.plan_over = plan_over

return run
