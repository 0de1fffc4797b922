-- moonmill.doctor.diagnosis - is this build sound on this machine? What LuaJIT compiles wrongly, what can be stopped,
-- what the core uses.
local ffi = require "ffi"
local miscompilations = require "moonmill.doctor.miscompilations"
local differential = require "moonmill.doctor.differential"
local native = require "moonmill.base.ffi"

local C = native.C

local SEED, EXPRESSIONS = 20130101, 400

local doctor = {}

local function report(out, ok, name, text)
  out:write(("%-4s  %-22s %s\n"):format(ok and "ok" or "FAIL", name, text or ""))
end

local function check_cases(out)
  local sound = true
  for _, case in ipairs(miscompilations) do
    local ok, seen = case.run()
    report(out, ok, case.name, not ok and case.means .. ": " .. seen or nil)
    sound = sound and ok
  end
  local wrong = differential.run(SEED, EXPRESSIONS)
  report(out, #wrong == 0, "random expressions", #wrong == 0 and ("%d, compiled as interpreted"):format(EXPRESSIONS)
    or ("%d of %d differ when compiled, such as %s"):format(#wrong, EXPRESSIONS, wrong[1]))
  return sound and #wrong == 0
end

local function huge_pages()
  local file = io.open "/sys/kernel/mm/transparent_hugepage/enabled"
  local text = file and file:read "*l"
  if file then file:close() end
  return text and text:match "%[(%w+)%]" or "not known"
end

---Check everything and say so.
---@param out? file* default: stdout
---@return integer exit code: 0, or 70 where the linked LuaJIT gives wrong answers
function doctor.run(out)
  out = out or io.stdout
  local sound = check_cases(out)
  local stoppable = C.mm_host_hook_check()
  report(out, stoppable, "endless loops", stoppable and "can be stopped"
    or "a compiled loop in a row function cannot be cancelled")
  local matching = C.mm_host_pattern_check()
  report(out, matching, "hard patterns", matching and "can be stopped"
    or "string.find and similar with a hard pattern cannot be cancelled")
  out:write(("\nLuaJIT       %s, %s %s%s\n"):format(jit.version:gsub("^LuaJIT ", ""), jit.os, jit.arch,
    jit.status() and "" or ", compiler off"))
  out:write(("machine code %s\n"):format(C.mm_host_machine_code() and "can be run"
    or "denied by the system, scripts run without JIT"))
  out:write(("kernels      %s\n"):format(ffi.string(C.mm_isa_name())))
  out:write(("processors   %d\n"):format(C.mm_processors()))
  out:write(("huge pages   %s\n"):format(huge_pages()))
  out:write(("libzstd      %s\n"):format(ffi.string(C.mm_host_zstd_version())))
  return sound and stoppable and matching and 0 or 70
end

return doctor
