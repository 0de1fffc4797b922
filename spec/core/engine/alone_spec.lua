-- Jobs where no thread can be started: the calls that wait for them do the work.
local ffi = require "ffi"
local columns = require "columns"
local C = require("moonmill.base.ffi").C

local ROWS = 200000

-- close(-1) fails, as a start that cannot be; a Lua function cannot be called from compiled code.
pcall(ffi.cdef, "int close(int fd);")
local refuse = ffi.new("mm_threads",
  { ffi.cast("void *", -1), ffi.cast("int (*)(void *, void **, void (*)(void *), void *)", ffi.C.close), nil })

local function numbers()
  return columns.table { { "a", "i64", function(i) return i end, n = ROWS } }
end

-- A job over numbers that sorts them, which makes two segments, started without threads; and the status of the start.
local function start(flags)
  local err = ffi.new "mm_error"
  local job = C.mm_job_new(C.mm_source_table(numbers(), err), nil, err)
  local stage = C.mm_stage_sort(ffi.new("mm_order[1]", { { 0, 1, 0 } }), 1, err)
  stage.flags = bit.bor(stage.flags, flags or 0)
  assert.equal(0, C.mm_job_add(job, stage, err))
  assert.equal(0, C.mm_job_add(job, C.mm_sink_table(-1, err), err))
  C.mm_set_threads(refuse)
  local status = C.mm_job_start(job, err)
  C.mm_set_threads(nil)
  return job, status, err
end

describe("a job without threads", function()
  local function check(job, err)
    local result = ffi.new "mm_table"
    assert.equal(0, C.mm_job_take_result(job, result, nil, err))
    local values, wrong = columns.lists(result).a, 0
    C.mm_table_free(result)
    for i = 1, ROWS do
      if values[i] ~= ROWS + 1 - i then wrong = wrong + 1 end
    end
    assert.same({ ROWS, 0 }, { #values, wrong })
    C.mm_job_free(job)
  end

  it("is done by who waits for its end", function()
    local job, status, err = start()
    assert.equal(0, status)
    assert.equal(0, C.mm_job_wait(job, -1, err))
    check(job, err)
  end)

  it("is done in slices, between which it is seen and goes on", function()
    local job, status, err = start()
    assert.equal(0, status)
    local progress, waits, before = ffi.new "mm_progress", 0, 0
    repeat
      local left = C.mm_job_wait(job, waits < 2 and waits or 0, err)
      assert.is_true(left >= 0)
      C.mm_job_progress(job, progress)
      assert.is_true(tonumber(progress.morsels) >= before)
      waits, before = waits + 1, tonumber(progress.morsels)
    until left == 0
    assert.is_true(waits > 1)
    check(job, err)
  end)

  it("is cancelled before, in the middle, and by being freed", function()
    for _, code in ipairs { C.MM_ECANCEL, C.MM_ELIMIT } do
      for slices = 0, 2 do
        local job, _, err = start()
        for _ = 1, slices do C.mm_job_wait(job, 0, err) end
        C.mm_job_cancel(job, code)
        assert.equal(code, C.mm_job_wait(job, -1, err))
        assert.equal(code == C.MM_ELIMIT and "timeout" or "cancelled", ffi.string(err.id))
        C.mm_job_free(job)
        C.mm_job_free((start()))
      end
    end
  end)

  it("is refused where it runs code of others, which only another thread could stop", function()
    local job, status, err = start(C.MM_STAGE_USER_CODE)
    assert.same({ C.MM_ENOMEM, "no-thread" }, { status, ffi.string(err.id) })
    C.mm_job_free(job)
  end)
end)
