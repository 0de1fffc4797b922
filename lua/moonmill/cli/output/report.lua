-- moonmill.cli.output.report - errors on stderr, as text or JSON, and the exit code that goes with them.
local failure = require "moonmill.base.failure"
local native = require "moonmill.base.ffi"

-- What an option of the command can do about an error in data.
local OPTIONS = {
  ["ragged-row"] = "--ragged fills short rows with null and cuts long ones",
  ["bad-quote"] = "--quote none reads quotes as they are",
}

-- A signal that stopped the job is no error: the exit code says it all.
local function signal_code(problem)
  local number = native.C.mm_host_signal()
  return failure.is(problem) and problem.code == "cancel" and number > 0 and 128 + number or nil
end

---Write what went wrong.
---@param problem any a failure, or the text of a mistake of our own
---@param format "text"|"json"
---@return integer exit code
local function problem(what, format)
  if not failure.is(what) then
    what = failure.new {
      code = "bug", id = "bug", message = tostring(what),
      hint = "this is a mistake in moonmill, not in your script: please report it",
    }
  end
  if OPTIONS[what.id] then what.hint = (what.hint and what.hint .. "; " or "") .. OPTIONS[what.id] end
  io.stdout:flush()
  local code = signal_code(what)
  if code and format == "text" then
    io.stderr:write("moonmill: stopped\n")
  else
    io.stderr:write(format == "json" and failure.json(what) or failure.text(what), "\n")
  end
  return code or failure.exit_code(what)
end

return { problem = problem }
