-- moonmill.cli.output.progress - how far a job is, on stderr: a bar on a terminal, or one JSON object a line.
local native = require "moonmill.base.ffi"

local C = native.C
local STDERR = 2
local PATIENCE = 0.5 -- seconds before the first sign, and between JSON lines
local REFRESH = 0.1 -- seconds between pictures of the bar
local BAR = 24

local function scaled(value, units)
  local i = 1
  while value >= 999.5 and i < #units do
    value, i = value / 1000, i + 1
  end
  return (value >= 99.5 or i == 1) and ("%.0f%s"):format(value, units[i]) or ("%.1f%s"):format(value, units[i])
end
local BYTES = { " B", " kB", " MB", " GB", " TB" }
local COUNT = { "", " k", " M", " G", " T" }

local function duration(seconds)
  if seconds < 60 then return ("%.0f s"):format(seconds) end
  if seconds < 3600 then return ("%d min %02d s"):format(seconds / 60, seconds % 60) end
  return ("%d h %02d min"):format(seconds / 3600, seconds % 3600 / 60)
end

---What a moment of a job amounts to.
---@return { rows: integer, bytes: integer, share: number?, rate: number, eta: number?, seconds: number }
local function measure(progress, seconds)
  local rows, bytes, total = tonumber(progress.rows), tonumber(progress.bytes), tonumber(progress.bytes_total)
  local share = total > 0 and math.min(1, bytes / total) or nil
  return {
    rows = rows, rows_out = tonumber(progress.rows_out), bytes = bytes, total = total, share = share, seconds = seconds,
    rate = bytes / math.max(seconds, 1e-6), eta = share and share > 0 and seconds * (1 - share) / share or nil,
  }
end

local function bar_line(now)
  local parts = {}
  if now.share then
    local full = math.floor(now.share * BAR + 0.5)
    parts[1] = ("%3.0f%% [%s%s]"):format(now.share * 100, ("#"):rep(full), ("."):rep(BAR - full))
  else
    parts[1] = scaled(now.bytes, BYTES)
  end
  parts[#parts + 1] = scaled(now.rows, COUNT) .. " rows"
  parts[#parts + 1] = scaled(now.rate, BYTES) .. "/s"
  if now.eta then parts[#parts + 1] = duration(now.eta) .. " left" end
  return table.concat(parts, "  ")
end

local function json_line(now, done)
  local parts = {
    ('"rows":%d'):format(now.rows), ('"rows_out":%d'):format(now.rows_out), ('"bytes":%d'):format(now.bytes),
    ('"seconds":%.3f'):format(now.seconds), ('"bytes_per_second":%.0f'):format(now.rate),
  }
  if now.total >= 0 then parts[#parts + 1] = ('"bytes_total":%d'):format(now.total) end
  if now.share then parts[#parts + 1] = ('"percent":%.1f'):format(now.share * 100) end
  if now.eta and not done then parts[#parts + 1] = ('"eta":%.1f'):format(now.eta) end
  parts[#parts + 1] = '"done":' .. tostring(done)
  return "{" .. table.concat(parts, ",") .. "}"
end

local function bar()
  local drawn = -math.huge
  return function(job, seconds, done)
    if done then
      if drawn > 0 then io.stderr:write "\r\27[K" end
    elseif seconds >= PATIENCE and seconds - drawn >= REFRESH then
      drawn = seconds
      io.stderr:write("\r\27[K", bar_line(measure(job:progress(), seconds)))
      io.stderr:flush()
    end
  end
end

local function json()
  local written = 0
  return function(job, seconds, done)
    if not done and seconds - written < PATIENCE then return end
    written = seconds
    io.stderr:write(json_line(measure(job:progress(), seconds), done), "\n")
    io.stderr:flush()
  end
end

---The function that watches a job, or nil.
---@param mode "auto"|"bar"|"json"|"off"
local function watch(mode)
  if mode == "json" then return json() end
  if mode == "bar" or (mode == "auto" and C.mm_host_is_terminal(STDERR)) then return bar() end
  return nil
end

return { watch = watch, bar_line = bar_line, json_line = json_line, measure = measure }
