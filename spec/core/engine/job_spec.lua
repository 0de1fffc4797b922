-- Jobs over tables in memory: all rows pass, in order, whatever the threads, batch size and chunks of the input.
local ffi = require "ffi"
local columns = require "columns"
local C = require("moonmill.base.ffi").C

local function numbers(n, chunk)
  return columns.table({ { "a", "i64", function(i) return i end, n = n }, { "b", "utf8", function(i)
    return i % 7 == 0 and columns.null or "row " .. i
  end, n = n } }, chunk)
end

local function count_wrong(lists, n)
  local wrong = 0
  for i = 1, n do
    local text = i % 7 == 0 and columns.null or "row " .. i
    if lists.a[i] ~= i or lists.b[i] ~= text then wrong = wrong + 1 end
  end
  return wrong + math.abs(#lists.a - n)
end

describe("a job", function()
  for _, n in ipairs { 0, 1, 63, 64, 65, 1023, 1025, 65535, 65536, 65537, 140001 } do
    it(("passes %d rows in order at any threads, batch size and chunks"):format(n), function()
      local chunk = n % 5 == 0 and 192 or 4096
      local table = numbers(n, chunk)
      for _, case in ipairs { { 1, 8192 }, { 2, 64 }, { 5, 65536 } } do
        local lists = assert(columns.run(table, {}, { threads = case[1], batch_rows = case[2] }))
        assert.equal(0, count_wrong(lists, n))
      end
    end)
  end

  it("keeps as many rows as the sink was asked for, and counts the others", function()
    local err = ffi.new "mm_error"
    for _, keep in ipairs { 0, 1, 1000, 70000, 200000 } do
      local job = C.mm_job_new(C.mm_source_table(numbers(150000, 8192), err), nil, err)
      assert.equal(0, C.mm_job_add(job, C.mm_sink_table(keep, err), err))
      assert.equal(0, C.mm_job_start(job, err))
      assert.equal(0, C.mm_job_wait(job, -1, err))
      local result, total = ffi.new "mm_table", ffi.new "int64_t[1]"
      assert.equal(0, C.mm_job_take_result(job, result, total, err))
      assert.equal(math.min(keep, 150000), tonumber(result.rows))
      assert.equal(150000, tonumber(total[0]))
      C.mm_table_free(result)
      C.mm_job_free(job)
    end
  end)

  it("reports its progress and the rows of each stage", function()
    local err, progress = ffi.new "mm_error", ffi.new "mm_progress"
    local job = C.mm_job_new(C.mm_source_table(numbers(100000, 8192), err), nil, err)
    C.mm_job_add(job, C.mm_sink_table(-1, err), err)
    C.mm_job_progress(job, progress)
    assert.equal(C.MM_JOB_NEW, progress.state)
    C.mm_job_start(job, err)
    C.mm_job_wait(job, -1, err)
    C.mm_job_progress(job, progress)
    assert.equal(C.MM_JOB_DONE, progress.state)
    assert.equal(100000, tonumber(progress.rows))
    assert.equal(2, tonumber(progress.morsels))
    local rows_in, rows_out = ffi.new "int64_t[1]", ffi.new "int64_t[1]"
    assert.equal(0, C.mm_job_stage_rows(job, 0, rows_in, rows_out))
    assert.equal(100000, tonumber(rows_in[0]))
    assert.equal(-1, C.mm_job_stage_rows(job, 1, rows_in, rows_out))
    C.mm_job_free(job)
  end)

  it("that is cancelled before it starts ends as cancelled, with the code it was cancelled with", function()
    for code, id in pairs { [C.MM_ECANCEL] = "cancelled", [C.MM_ELIMIT] = "timeout" } do
      local err, progress = ffi.new "mm_error", ffi.new "mm_progress"
      local job = C.mm_job_new(C.mm_source_table(numbers(100000, 8192), err), nil, err)
      C.mm_job_add(job, C.mm_sink_table(-1, err), err)
      C.mm_job_cancel(job, code)
      C.mm_job_start(job, err)
      assert.equal(code, C.mm_job_wait(job, -1, err))
      assert.equal(id, ffi.string(err.id))
      C.mm_job_progress(job, progress)
      assert.equal(C.MM_JOB_CANCELLED, progress.state)
      C.mm_job_free(job)
    end
  end)

  it("refuses calls out of order", function()
    local err = ffi.new "mm_error"
    local job = C.mm_job_new(C.mm_source_table(numbers(10), err), nil, err)
    assert.equal(C.MM_ESTATE, C.mm_job_wait(job, 0, err))
    assert.equal(C.MM_EBUG, C.mm_job_start(job, err)) -- no sink
    C.mm_job_free(job)
    job = C.mm_job_new(C.mm_source_table(numbers(10), err), nil, err)
    C.mm_job_add(job, C.mm_sink_table(-1, err), err)
    local result = ffi.new "mm_table"
    assert.equal(C.MM_ESTATE, C.mm_job_take_result(job, result, nil, err))
    assert.equal(0, C.mm_job_start(job, err))
    assert.equal(C.MM_ESTATE, C.mm_job_start(job, err))
    assert.equal(0, C.mm_job_wait(job, -1, err))
    C.mm_job_free(job)
  end)

  it("gives back all memory, also when it is freed while it runs", function()
    collectgarbage()
    collectgarbage()
    local before, err = columns.memory_used(), ffi.new "mm_error"
    local table = numbers(300000, 8192)
    local job = C.mm_job_new(C.mm_source_table(table, err), nil, err)
    C.mm_job_add(job, C.mm_sink_table(-1, err), err)
    C.mm_job_start(job, err)
    C.mm_job_free(job)
    C.mm_table_free(table)
    assert.equal(before, columns.memory_used())
  end)
end)
