-- The functions of a script that were running when an error was raised.
local frames = require "moonmill.base.frames"
local rowfn = require "rowfn"

local fields = { { "x", "i64", { 1, 2, 3 } } }

local function frames_of(fn)
  local out, err = rowfn.map(fields, "y: f64", fn)
  assert(out == nil, "the run did not fail")
  return frames.decode(require("ffi").string(err.frames))
end

describe("frames of a row function", function()
  it("are the script's functions from the innermost to the row function, which is called by its stage", function()
    local line = rowfn.line()
    local function deep(x) if x > 2 then error "too deep" end return x end
    local function outer(x)
      local y = deep(x)
      return y
    end
    local file = "spec/lua/base/frames_spec.lua"
    assert.same({
      { file = file, line = line + 1, ["function"] = "deep" },
      { file = file, line = line + 3, ["function"] = "outer" },
      { file = file, line = rowfn.line() + 1, ["function"] = "map" },
    }, frames_of(function(r) return outer(r.x) + 0 end))
  end)

  it("leave out our own functions", function()
    local found = frames_of(function(r) return r.nothing_of_this_name + 1 end)
    assert.equal(1, #found)
    assert.equal("map", found[1]["function"])
  end)

  it("are cut at the outer end when a recursion is deep", function()
    local function deep(n) return n > 200 and error "down here" or 1 + deep(n + 1) end
    local found = frames_of(function(r) return deep(r.x) end)
    assert.equal(24, #found)
    for _, frame in ipairs(found) do assert.equal("deep", frame["function"]) end
  end)

  it("are none where no function ran: a result that does not fit", function()
    assert.same({}, frames_of(function() return "text" end))
  end)
end)

describe("frames as text", function()
  local list = { { file = "a b.lua", line = 3, ["function"] = "f" }, { file = "c.lua", line = 4, ["function"] = "g" } }

  it("come back as they were", function() assert.same(list, frames.decode(frames.encode(list, 1000))) end)

  it("lose the outermost where there is no room", function()
    local whole = frames.encode(list, 1000)
    assert.same({ list[1] }, frames.decode(frames.encode(list, #whole - 1)))
    assert.same({}, frames.decode(frames.encode(list, 5)))
  end)
end)
