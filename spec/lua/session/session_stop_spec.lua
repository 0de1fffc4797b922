-- A request to a script that does not end: it is stopped, or left behind. Pulses are callbacks of Lua, which need
-- machine code.
local ffi = require "ffi"
local sessions = require "sessions"

describe("a session", function()
  local session
  before_each(function() session = sessions.new() end)
  after_each(function() session:close() end)

  it("stops a script when the pulse says so, whatever the script catches", function()
    local beats = 0
    local pulse = ffi.new "mm_pulse"
    local beat = ffi.cast("int (*)(void *)", function()
      beats = beats + 1
      return beats < 3 and 0 or 1
    end)
    pulse.beat = beat
    jit.off(sessions.new().ask_with) -- a callback must not come from compiled code
    local status, answer, problem = sessions.new():ask_with(pulse, "load", "text", "endless",
      "while true do pcall(function() while true do end end) end")
    beat:free()
    assert.same({ -9, "", "cancelled" }, { status, answer, problem })
    assert.equal(3, beats)
  end)

  it("is lost when it was stopped, and no other one is", function()
    local stopped, pulse = sessions.new(), ffi.new "mm_pulse"
    local beat = ffi.cast("int (*)(void *)", function() return 1 end)
    pulse.beat = beat
    assert.equal(-9, (stopped:ask_with(pulse, "load", "text", "endless", "while true do end")))
    beat:free()
    assert.is_true(stopped:is_lost())
    local status, _, problem = stopped:ask("load", "text", "next", ":limit(1)")
    assert.same({ -8, "lost" }, { status, problem })
    assert.is_false(session:is_lost())
    assert.equal(0, (session:ask("load", "text", "next", ":limit(1)")))
  end)

  it("is left behind within a call of C that cannot be stopped", function()
    local stuck, pulse = sessions.new(), ffi.new "mm_pulse"
    local beat = ffi.cast("int (*)(void *)", function() return 1 end)
    pulse.beat = beat
    local status = stuck:ask_with(pulse, "load", "text", "stuck", 'os.execute "exec sleep 4" return mm.pipeline {}')
    beat:free()
    assert.equal(-9, status)
    assert.is_true(stuck:is_lost())
    assert.equal(0, (session:ask("load", "text", "next", ":limit(1)")))
  end)
end)
