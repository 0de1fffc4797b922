-- files - for specs of formats: files of their own, read and written through jobs.
--
--   local files = require "files"
--   local path = files.write("a.csv", "x\n1\n")   -- in a folder that is removed at the end of the process
--   local lists, schema, format = files.read { text = "x\n1\n" }  --> { x = { 1 } }, { { "x", "i64", true } }, "csv"
--   local lists, err = files.read { paths = { path }, columns = { "x: u8?" }, threads = 2, options = { nulls = "NA" } }
--   local text, err = files.save { table = columns.table { ... }, name = "out.csv", options = { level = 5 } }
--
-- A failure is a Lua table with the fields of mm_error.
local ffi = require "ffi"
local C = require("moonmill.base.ffi").C
local columns = require "columns"

pcall(ffi.cdef, [[char *mkdtemp(char *template); int getpid(void);]])

local M = {}

---A folder of this process for its files; removed when it ends.
function M.folder()
  if M._folder then return M._folder end
  local template = ffi.new("char[64]", "/tmp/moonmill-spec-XXXXXX")
  M._folder = ffi.string(ffi.C.mkdtemp(template))
  M._remover = newproxy(true)
  getmetatable(M._remover).__gc = function() os.execute("rm -rf " .. M._folder) end
  return M._folder
end

function M.path(name) return M.folder() .. "/" .. name end

function M.write(name, text)
  local path = M.path(name)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

---The bytes of a file, or nil.
function M.bytes(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

---What a shell command prints; its success.
function M.run(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

---The beginning of a shell command that runs Lua scripts as this process does.
function M.luajit()
  local preload = os.getenv "MM_PRELOAD"
  return (preload and "LD_PRELOAD=" .. preload .. " " or "") .. (arg[-1] or "luajit")
end

---Compress text with the zstd command; returns the path.
function M.compress(name, text, arguments)
  local plain = M.write(name .. ".plain", text)
  os.execute(("zstd -q -f %s -o '%s' '%s'"):format(arguments or "", M.path(name), plain))
  return M.path(name)
end

---Names in the folder, sorted.
function M.names()
  local names = {}
  for name in M.run("ls -A " .. M.folder()):gmatch "[^\n]+" do names[#names + 1] = name end
  return names
end

local function failure(err)
  local copy = {}
  for _, key in ipairs { "code", "stage", "row", "line", "column" } do copy[key] = tonumber(err[key]) end
  for _, key in ipairs { "id", "file", "field", "value", "message", "hint" } do copy[key] = ffi.string(err[key]) end
  return copy
end

local function text_array(list)
  local array = ffi.new("const char *[?]", math.max(#list, 1))
  for i, text in ipairs(list) do array[i - 1] = text end
  return array
end

---Options of a format by name, as the core takes them: an mm_option array and its length; keep the third value alive.
local function format_options(given)
  local list, kept = ffi.new("mm_option[?]", 16), {}
  for i, option in ipairs(given) do
    kept[i] = option
    list[i - 1] = { option[1], option[2], #option[2] }
  end
  return list, #given, { list, kept }
end

-- The keys of options for CSV, as specs write them; other keys are fields of mm_input_options and mm_output_options.
local CSV = {
  delimiter = function(value) return { { "delimiter", value } } end,
  quote = function(value) return { { "quote", value == -1 and "none" or value } } end,
  ragged = function(value) return { { "ragged", tostring(value) } } end,
  no_header = function(value) return { { "header", tostring(not value) } } end,
  null = function(value) return { { "null", value } } end,
  nulls = function(value)
    local list = {}
    for text in (value .. "\n"):gmatch "([^\n]*)\n" do list[#list + 1] = { "null", text } end
    return list
  end,
}

local function fill_options(struct, options)
  local given = {}
  for key, value in pairs(options or {}) do
    if key == "lines" then struct.format = value and "lines" or nil
    elseif key == "format_options" then for _, option in ipairs(value) do given[#given + 1] = option end
    elseif CSV[key] then
      for _, option in ipairs(CSV[key](value)) do given[#given + 1] = option end
    elseif key ~= "inputs" then struct[key] = value end
  end
  local list, count, keep = format_options(given)
  struct.options, struct.option_count = list, count
  return struct, keep
end

local function wanted(declared, input)
  local schema, err = ffi.gc(ffi.new "mm_schema", C.mm_schema_free), ffi.new "mm_error"
  if not declared then
    assert(C.mm_schema_copy(schema, C.mm_input_schema(input), err) >= 0)
    return schema
  end
  for _, text in ipairs(declared) do
    local name, kind, null = text:match "^(.-):%s*([^?]+)(%??)$"
    assert(C.mm_schema_add(schema, name, columns.type(kind), null == "?", err) >= 0)
  end
  return schema
end

---Open files: mm_input, or nil and the failure. Free it or make it a source.
function M.open(settings)
  local paths = settings.paths or { M.write("input.csv", settings.text) }
  local box, err = ffi.new "mm_input *[1]", ffi.new "mm_error"
  local options, keep = fill_options(ffi.new "mm_input_options", settings.options)
  if settings.format and not settings.table then options.format = settings.format end
  local status = C.mm_input_open(text_array(paths), #paths, options, box, err)
  if status < 0 then return nil, failure(err), keep end
  return box[0]
end

local function start(source, sink, settings, err)
  local options = ffi.new("mm_job_options", { settings.threads or 2, settings.batch_rows or 0, 0 })
  local job = ffi.gc(C.mm_job_new(source, options, err), C.mm_job_free)
  local status = C.mm_job_add(job, sink, err)
  if status >= 0 then status = C.mm_job_start(job, err) end
  if status >= 0 then status = C.mm_job_wait(job, -1, err) end
  return job, status
end

---A source of files, or nil and the failure; its schema and format.
function M.source(settings)
  local input, failed = M.open(settings)
  if not input then return nil, failed end
  local err = ffi.new "mm_error"
  local format = ffi.string(C.mm_input_format(input))
  local schema = wanted(settings.columns, input)
  local source = C.mm_input_source(input, schema, err)
  if source == nil then return nil, failure(err) end
  return source, schema, format
end

---Read files: lists by name, the schema as a list, the format; or nil and the failure.
function M.read(settings)
  local source, schema, format = M.source(settings)
  if not source then return nil, schema end
  local err = ffi.new "mm_error"
  local job, status = start(source, C.mm_sink_table(-1, err), settings, err)
  local result = ffi.gc(ffi.new "mm_table", C.mm_table_free)
  if status >= 0 then status = C.mm_job_take_result(job, result, nil, err) end
  C.mm_job_free(ffi.gc(job, nil))
  if status < 0 then return nil, failure(err) end
  return columns.lists(result, settings.as), columns.schema(schema), format, tonumber(result.rows)
end

---Write a table, or what is read from files, in a format (that of the name of the file if none is given): the bytes of
---the output (unless `unread`), or nil and the failure.
function M.save(settings)
  local err = ffi.new "mm_error"
  local source, failed
  if settings.table then source = C.mm_source_table(settings.table, err)
  else source, failed = M.source(settings) end
  if not source then return nil, failed end
  local path = settings.path or M.path(settings.name or "output.csv")
  local o, keep = fill_options(ffi.new "mm_output_options", settings.output)
  local inputs = settings.output and settings.output.inputs
  if inputs then
    keep.inputs = text_array(inputs)
    o.inputs, o.input_count = keep.inputs, #inputs
  end
  local sink = C.mm_sink_file(path, settings.format, o, err)
  if sink == nil then
    C.mm_source_free(source)
    return nil, failure(err)
  end
  local job, status = start(source, sink, settings, err)
  C.mm_job_free(ffi.gc(job, nil))
  if status < 0 then return nil, failure(err) end
  return settings.unread and "" or M.bytes(path) or ""
end

return M
