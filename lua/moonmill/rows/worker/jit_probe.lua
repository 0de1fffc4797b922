-- moonmill.rows.worker.jit_probe - does LuaJIT compile a row function? Tested by running it over a few batches, in a
-- state of its own that is thrown away.
--
-- DESIGN. LuaJIT tells what it records, gives up and links. A loop whose last instruction is JFORL was compiled. So was
-- one that LuaJIT let be without complaint once it had settled: the traces of a loop inside it go round it. What it
-- gives up before has no weight, as it may try a function on its own first.
local bit = require "bit"
local ffi = require "ffi"
local util = require "jit.util"
local vmdef = require "jit.vmdef"
local bytecode = require "moonmill.rows.bytecode"
local worker = require "moonmill.rows.worker.worker"
local native = require "moonmill.base.ffi"

local C = native.C
local clock = C.mm_host_clock
local ROWS, SECONDS = 600000, 1 -- what is run at most; half of it to settle

local WEAK = { blacklisted = true, ["inner loop in root trace"] = true } -- what follows from another reason
local PASSING = { ["NYI: return to lower frame"] = true, ["leaving loop in root trace"] = true }

local function name_of(func)
  local info = util.funcinfo(func)
  return info.ffid and vmdef.ffnames[info.ffid] or info.loc or "a C function"
end

-- Why LuaJIT gave up.
local function reason_of(code, detail)
  local text = vmdef.traceerr[code] or tostring(code)
  if text == "NYI: bytecode %s" and type(detail) == "number" then detail = bytecode.names[detail + 1] end
  if type(detail) == "function" then detail = name_of(detail) end
  return (text:gsub("%%%a", function() return tostring(detail) end))
end

-- Where the script is: LuaJIT may name a line of a library. Nil outside of the loop over rows.
local function line_of(subject, source, thread, func, pc)
  local line
  for level = 0, 40 do
    local info = debug.getinfo(thread, level, "Slf")
    if not info then return nil end
    if info.func == subject.running then return line or info.short_src end
    if not line and info.source == source then
      local number = info.func == func and util.funcinfo(func, pc).currentline or info.currentline
      line = ("%s:%d"):format(info.short_src:match "[^/]*$", number)
    end
  end
end

-- What LuaJIT says while the loop runs.
local function listener(subject, source, thread)
  local heard = { stitched = {} }
  local function abort(line, reason)
    if not line or PASSING[reason] then return end
    if heard.settled then heard.late = true end
    if heard.reason and WEAK[reason] then return end
    heard.line, heard.reason = line, reason
  end
  local function listen(what, trace, func, pc, code, detail)
    if what ~= "abort" and what ~= "stop" then return end
    local line = line_of(subject, source, thread, func, pc)
    if what == "abort" then
      abort(line, reason_of(code, detail))
    elseif line and util.traceinfo(trace).linktype == "stitch" then
      heard.stitched[name_of(func)] = true
    end
  end
  return heard, listen
end

-- The instruction at the end of the loop over rows.
local function loop_end(loop)
  local last
  for pc = 1, math.huge do
    local ins = util.funcbc(loop, pc)
    if not ins then return last end
    local op = bytecode.names[bit.band(ins, 255) + 1]
    if op and op:find "FORL$" then last = op end
  end
end

local function judge(heard, loop)
  local op = loop_end(loop)
  if op ~= "JFORL" and (op == "IFORL" or heard.late) then
    return heard.reason and ("not compiled: %s: %s"):format(heard.line, heard.reason) or "not compiled"
  end
  local names = {}
  for name in pairs(heard.stitched) do names[#names + 1] = name end
  table.sort(names)
  return #names > 0 and "leaves compiled code at " .. table.concat(names, ", ") or "compiled"
end

-- Run all batches again and again; the error of a row ends it.
local function run(subject, sample, heard)
  local began, done, err = clock(), 0, ffi.new "mm_error"
  local total = math.max(ROWS, 20 * tonumber(sample.rows))
  repeat
    local seconds = clock() - began
    heard.settled = done > total / 2 or seconds > SECONDS / 2
    for b = 0, tonumber(sample.count) - 1 do
      local out = ffi.new "mm_batch"
      local status = subject:run(sample.batches[b], out, err, false)
      C.mm_batch_free(out)
      if status < 0 then return ffi.string(err.message) end
    end
    done = done + tonumber(sample.rows)
  until done > total or seconds > SECONDS
end

---Called by lua/host in a state of its own.
---@param shipment string
---@param schema lightuserdata mm_schema *, of what leaves the stage
---@param sample lightuserdata mm_table *, rows that arrive
---@return string "compiled", "not compiled: ...", "leaves compiled code at ...", "fails: ..."
local function try(shipment, schema, sample)
  schema, sample = ffi.cast("mm_schema *", schema), ffi.cast("mm_table *", sample)
  local stored = ffi.gc(C.mm_store_snapshot(), C.mm_store_release)
  local subject, unpacked = worker.start(shipment, stored, schema, { seed = 0, now = os.time() })
  local source = debug.getinfo(unpacked.fn, "S").source
  local thread = coroutine.create(run) -- listeners are called in a thread of their own, and ask for this one's frames
  local heard, listen = listener(subject, source, thread)
  jit.attach(listen, "trace")
  local _, problem = assert(coroutine.resume(thread, subject, sample, heard))
  jit.attach(listen)
  return problem and "fails: " .. problem or judge(heard, subject.running)
end

return try
