-- moonmill.io.files - input files as the core opens them: columns, and a source for a job.
local ffi = require "ffi"
local failure = require "moonmill.base.failure"
local native = require "moonmill.base.ffi"
local schemas = require "moonmill.base.schemas"
local suggest = require "moonmill.base.suggest"

local C, err = native.C, native.err

---Files opened for reading, concatenated as one table.
---@class moonmill.Files
---@field paths string[]
---@field columns moonmill.Column[] of the first file, with types from a sample
local Files = {}
Files.__index = Files

---@class moonmill.FileOptions
---@field options string[][] names and values, as moonmill.io.read_options makes them
---@field format? string found by content if not given
---@field patience? number seconds that opening may wait for bytes of pipes

local FOREVER = 1e9 -- seconds

local function c_options(options)
  local made, given = ffi.new "mm_input_options", options.options or {}
  local list = ffi.new("mm_option[?]", math.max(#given, 1))
  for i, option in ipairs(given) do list[i - 1] = { option[1], option[2], #option[2] } end
  local patience = options.patience
  made.format, made.options, made.option_count = options.format, list, #given
  made.open_timeout = patience and patience < FOREVER and math.max(1, math.ceil(patience * 1000)) or 0
  return made, { list, options } -- what the struct points to
end

---Names in a folder, sorted; nil when it cannot be read.
---@param path string
---@return string[]?
local function names_in(path)
  local buffer = ffi.gc(ffi.new "mm_buffer", C.mm_buffer_free)
  if C.mm_host_list_directory(path, buffer, err) < 0 then return nil end
  local list = {}
  for name in ffi.string(buffer.data, buffer.size):gmatch "[^%z]+" do list[#list + 1] = name end
  table.sort(list)
  return list
end

---The nearest name in the folder of a path that is not there, as a hint.
---@return string?
local function suggestion(path)
  local folder, name = path:match "^(.*/)([^/]*)$"
  folder, name = folder or "", name or path
  local nearest = suggest.nearest(name, names_in(folder == "" and "." or folder) or {})
  return nearest and nearest ~= name and ('did you mean "%s"?'):format(folder .. nearest) or nil
end

---@param paths string[] "-" is stdin
---@param options? moonmill.FileOptions
---@param declared? moonmill.Input|false what the pipeline says about them
---@return moonmill.Files
local function open(paths, options, declared)
  if declared and declared.whole == "lines" then options = setmetatable({ format = "lines" }, { __index = options }) end
  local made, keep = c_options(options or {})
  local list, input = ffi.new("const char *[?]", #paths, paths), ffi.new "mm_input *[1]"
  local status = C.mm_input_open(list, #paths, made, input, err)
  if status < 0 then
    local problem = failure.from_c(err)
    if problem.code == "io" and not problem.hint then problem.hint = suggestion(problem.file or paths[1]) end
    error(problem, 0)
  end
  local handle = ffi.gc(input[0], C.mm_input_free)
  return setmetatable({
    paths = paths, columns = schemas.from_c(C.mm_input_schema(handle)), format = ffi.string(C.mm_input_format(handle)),
    _handle = handle, _keep = { keep, made },
  }, Files)
end

---A source of these columns; the files are given away.
---@param columns moonmill.Column[]
---@return ffi.cdata* mm_source, owned by the caller
function Files:source(columns)
  local handle = ffi.gc(self._handle, nil)
  self._handle = nil
  local source = C.mm_input_source(handle, schemas.to_c(columns), err)
  if source == nil then error(failure.from_c(err), 0) end
  return source
end

---What the first rows showed, from which the types were inferred.
---@return integer rows
---@return boolean all there are no other rows
---@return boolean[] nulls which columns had some
function Files:sample()
  local all, nulls = ffi.new "bool[1]", {}
  local rows = tonumber(C.mm_input_sampled(self._handle, all))
  for i = 1, #self.columns do nulls[i] = C.mm_input_sampled_null(self._handle, i - 1) end
  return rows, all[0], nulls
end

function Files:close()
  if self._handle then C.mm_input_free(ffi.gc(self._handle, nil)) end
  self._handle = nil
end

return { open = open, suggestion = suggestion, names_in = names_in }
