-- Plans: jobs made again and again from the same stages, by threads or right here, into tables or memory of the caller.
local ffi = require "ffi"
local columns = require "columns"
local params = require "moonmill.pipeline.params"
local plans = require "moonmill.plan.plan"
local schemas = require "moonmill.base.schemas"
local script = require "moonmill.script.script"
local C = require("moonmill.base.ffi").C

local err = ffi.new "mm_error"

-- A plan of a chain over all columns of a table.
local function plan_of(chain, source)
  local pipeline = script.evaluate(chain)
  local bound = plans.bind(pipeline, schemas.from_c(source.schema), params.resolve(pipeline.params, {}))
  assert.equal(source.schema.count, #bound.reads)
  local plan = ffi.gc(C.mm_plan_new(schemas.to_c(bound.reads), err), C.mm_plan_release)
  for _, item in ipairs(bound:make()) do assert.equal(0, C.mm_plan_add(plan, item.stage, err)) end
  return plan
end

local function job_of(plan, source, threads, batch_rows)
  local options = ffi.new("mm_job_options", { threads or 0, batch_rows or 0, 0 })
  return ffi.gc(C.mm_plan_job(plan, C.mm_source_table(source, err), options, err), C.mm_job_free)
end

local function finish(job, here)
  if here then return C.mm_job_run(job, err) end
  if C.mm_job_start(job, err) < 0 then return err.code end
  return C.mm_job_wait(job, -1, err)
end

local function rows_of(plan, source, threads, here)
  local job = job_of(plan, source, threads)
  assert.equal(0, C.mm_job_add(job, C.mm_sink_table(-1, err), err))
  assert.equal(0, finish(job, here), ffi.string(err.message))
  local result = ffi.gc(ffi.new "mm_table", C.mm_table_free)
  assert.equal(0, C.mm_job_take_result(job, result, nil, err))
  return columns.lists(result)
end

local function sample(n, chunk)
  return columns.table({
    { "a", "i64", function(i) return i end, n = n },
    { "b", "f64", function(i) return i % 3 == 0 and columns.null or i / 4 end, n = n },
    { "k", "utf8", function(i) return "k" .. i % 5 end, n = n },
  }, chunk)
end

-- Memory for the result, with a canary behind each column. `nullable` also gets room for validity.
local function memory_for(plan, n)
  local gives = C.mm_plan_gives(plan)
  local to, keep = ffi.new("mm_column[?]", gives.count), {}
  for i = 0, gives.count - 1 do
    local field = gives.fields[i]
    local width = tonumber(C.mm_type_width(field.type))
    local size = width > 0 and n * width or math.ceil(n / 64) * 8
    local bytes, valid = ffi.new("uint64_t[?]", math.ceil(size / 8) + 1), ffi.new("uint64_t[?]", math.ceil(n / 64) + 1)
    ffi.fill(ffi.cast("char *", bytes) + size, 8, 0x5A)
    keep[i] = { bytes, valid, size }
    to[i].type, to[i].length, to[i].data = field.type, n, bytes
    if field.nullable then to[i].valid = valid end
  end
  return to, keep
end

local function run_into(plan, source, to, options)
  local job = job_of(plan, source, options.threads, options.batch_rows)
  local sink = C.mm_sink_into(to, C.mm_plan_gives(plan).count, options.in_place or false, err)
  assert.equal(0, C.mm_job_add(job, sink, err))
  return finish(job, options.here)
end

local function lists_in(plan, to)
  local lists, gives = {}, C.mm_plan_gives(plan)
  for i = 0, gives.count - 1 do lists[ffi.string(gives.fields[i].name)] = columns.text(to + i) end
  return lists
end

describe("a plan", function()
  for _, chain in ipairs {
    ':derive { "c = a * 2", "d = b + a" } :where "k ~= \'k3\'"',
    ':group("k", { "n = count()", "m = mean(b)", "s = sum(a)" })',
    ':sort { "-k", "b", "a" }', ':where "b > 0" :limit(10, { by = "k" }) :select { "a", "b", "k" }',
    ':limit(7, { order = { "-a" } }) :derive { "e = b * 2", "f = k .. k" }',
    ':distinct { "k" } :derive { "g = a + b" }',
    ':map("x: f64?, y: bool", function(r) return r.b and r.b * 2, r.a % 2 == 0 and r.k ~= "k1" end)',
  } do
    it("gives the same rows each time, by threads or right here: " .. chain, function()
      local source = sample(70001, 1000 * 64)
      local plan = plan_of(chain, source)
      local first = rows_of(plan, source, 2)
      assert.same(first, rows_of(plan, source, 2))
      assert.same(first, rows_of(plan, source, 1, true))
    end)
  end

  it("tells which columns pass untouched, and what may happen in it", function()
    local source = sample(10)
    local plan = plan_of(':derive "c = a + 1" :select { "k", "c", "z = b" }', source)
    assert.same({ 2, -1, 1 }, { C.mm_plan_shares(plan, 0), C.mm_plan_shares(plan, 1), C.mm_plan_shares(plan, 2) })
    assert.equal(C.MM_STAGE_KEEPS_ROWS + C.MM_STAGE_CAN_FAIL, C.mm_plan_flags(plan))
    plan = plan_of(':where "a > 1 and b > 0 and k ~= \'\'"', source)
    assert.same({ -1, -1, -1 }, { C.mm_plan_shares(plan, 0), C.mm_plan_shares(plan, 1), C.mm_plan_shares(plan, 2) })
    assert.equal(0, C.mm_plan_flags(plan))
    plan = plan_of(':map("x: f64", function(r) return r.a end)', source)
    assert.same({ 0, 1, 2, -1 }, { C.mm_plan_shares(plan, 0), C.mm_plan_shares(plan, 1), C.mm_plan_shares(plan, 2),
      C.mm_plan_shares(plan, 3) })
    local function foreign(of) return bit.band(C.mm_plan_flags(of), C.MM_STAGE_USER_CODE) ~= 0 end
    assert.is_false(foreign(plan)) -- a vector program comes to an end
    assert.is_true(foreign(plan_of(':map("x: f64", function(r) while r.a < 0 do end return r.a end)', source)))
    assert.equal(C.MM_STAGE_KEEPS_ROWS, C.mm_plan_flags(plan_of("mm.pipeline {}", source)))
  end)

  it("fails here with the row of the failure", function()
    local source = columns.table { { "a", "i64", { 1, 2, 9223372036854775807LL, 4 } } }
    local job = job_of(plan_of(':derive "c = a + 1"', source), source)
    assert.equal(0, C.mm_job_add(job, C.mm_sink_table(-1, err), err))
    assert.equal(C.MM_EDATA, finish(job, true))
    assert.equal(2, tonumber(err.row))
  end)
end)

describe("a sink that writes into memory of the caller", function()
  local chain = ':derive { "c = a + a", "d = b + a", "e = b > 100", "f = f32(a) / 2" }'

  for _, n in ipairs { 0, 1, 63, 64, 65, 1023, 1024, 1025, 2047, 2048, 2049, 65536, 140001 } do
    it(("gets the rows that a table gets, and not a byte more, of %d rows"):format(n), function()
      for _, chunk in ipairs(n > 2000 and { n % 2 == 0 and 192 or 100 } or { 192, 100, 65536 }) do
        local source = columns.table({
          { "a", "i64", function(i) return i end, n = n },
          { "b", "f64", function(i) return i % 3 == 0 and columns.null or i / 4 end, n = n },
        })
        local whole, cut = source, ffi.gc(ffi.new "mm_table", C.mm_table_free)
        assert.equal(0, C.mm_schema_copy(cut.schema, source.schema, err))
        for start = 0, n - 1, chunk do
          local part = ffi.new "mm_batch"
          assert.equal(0, C.mm_batch_slice(part, whole.batches[0], start, math.min(chunk, n - start), err))
          assert.equal(0, C.mm_table_append(cut, part, err))
        end
        local plan = plan_of(chain, source)
        local expected = rows_of(plan, source, 1)
        for _, options in ipairs { { threads = 3, batch_rows = n > 2000 and 4096 or 64 }, { here = true } } do
          local to, keep = memory_for(plan, n)
          assert.equal(0, run_into(plan, cut, to, options), ffi.string(err.message))
          local got = lists_in(plan, to)
          for name, list in pairs(expected) do
            for i = 1, n do
              local value = list[i]
              local shown = value == columns.null and "null" or nil
              if shown and got[name][i] ~= shown then error(name .. " row " .. i .. ": " .. got[name][i]) end
              if not shown and type(value) == "number" and tonumber(got[name][i]) ~= value then
                error(("%s row %d: %s, expected %s"):format(name, i, got[name][i], tostring(value)))
              end
              if type(value) == "boolean" and got[name][i] ~= tostring(value) then error(name .. " row " .. i) end
            end
          end
          for i = 0, #keep do
            local after = ffi.cast("char *", keep[i][1]) + keep[i][3]
            assert.equal(("\x5A"):rep(8), ffi.string(after, 8))
          end
        end
      end
    end)
  end

  it("writes over its own input, through one column or several", function()
    for _, case in ipairs { ':derive "a = a * 3.5 + b"', ':derive { "t = a", "a = b + 1", "b = t - b" } :drop "t"' } do
      local n = 70001
      local source = columns.table {
        { "a", "f64", function(i) return i end, n = n }, { "b", "f64", function(i) return i / 8 end, n = n },
      }
      local plan = plan_of(case, source)
      local expected = rows_of(plan, source, 1)
      local to = ffi.new "mm_column[2]"
      for i = 0, 1 do
        local written = C.mm_plan_shares(plan, i) < 0
        to[i].type, to[i].length = source.schema.fields[i].type, n
        to[i].data = written and source.batches[0].columns[i].data or nil
      end
      assert.equal(0, run_into(plan, source, to, { threads = 2, in_place = true }), ffi.string(err.message))
      local got, wrong = columns.lists(source), 0
      for _, name in ipairs { "a", "b" } do
        for i = 1, n do
          if got[name][i] ~= expected[name][i] then wrong = wrong + 1 end
        end
      end
      assert.equal(0, wrong)
    end
  end)

  -- Narrow types are run in longer vectors, which end anywhere.
  for _, n in ipairs { 63, 64, 8191, 8192, 8193, 16447, 65600, 131073 } do
    it(("computes %d rows of narrow types, in place too"):format(n), function()
      local source = columns.table({
        { "a", "u8", function(i) return i % 256 end, n = n }, { "w", "u16", function(i) return i % 65536 end, n = n },
        { "q", "u8", function(i) return i % 7 == 0 and columns.null or i % 251 end, n = n },
      }, 640)
      local steps = ':derive { "c = wrap.u8(a + 1)", "d = wrap.u16(w * 3)", "e = i32(w)", "f = wrap.u8(q + a)" }'
      local plan = plan_of(steps, source)
      assert.equal(C.MM_STAGE_KEEPS_ROWS, C.mm_plan_flags(plan))
      local to, keep = memory_for(plan, n)
      assert.equal(0, run_into(plan, source, to, { threads = 2 }), ffi.string(err.message))
      local got, wrong = lists_in(plan, to), 0
      assert.equal(7, #keep + 1)
      for i = 1, n do
        local sum = i % 7 ~= 0 and tostring((i % 251 + i % 256) % 256) or "null"
        if tonumber(got.c[i]) ~= (i + 1) % 256 or tonumber(got.d[i]) ~= i % 65536 * 3 % 65536
          or tonumber(got.e[i]) ~= i % 65536 or got.f[i] ~= sum then wrong = wrong + 1 end
      end
      assert.equal(0, wrong)
      local bytes = columns.table { { "value", "u8", function(i) return i % 256 end, n = n } }
      local add = plan_of(':derive "value = wrap.u8(value + 1)"', bytes)
      local own = ffi.new "mm_column[1]"
      own[0].type, own[0].length, own[0].data = bytes.schema.fields[0].type, n, bytes.batches[0].columns[0].data
      assert.equal(0, run_into(add, bytes, own, { threads = 2, in_place = true }), ffi.string(err.message))
      local list = columns.lists(bytes).value
      for i = 1, n do wrong = wrong + (list[i] ~= (i + 1) % 256 and 1 or 0) end
      assert.equal(0, wrong)
    end)
  end

  -- So many that several morsels of bytes are one piece, on one thread and on two.
  describe("of millions of narrow rows", function()
    local n = 5000077
    local function value(i) return (i * 7 + math.floor(i / 65536)) % 251 end

    it("puts each row where it belongs, however the input is cut", function()
      for _, settings in ipairs { { threads = 1 }, { threads = 2, chunk = 100000 }, { threads = 3, chunk = 65536 * 5 },
        { threads = 1, batch_rows = 64000 } } do
        local source = columns.table({ { "value", "u8", value, n = n } }, settings.chunk)
        local plan = plan_of(':derive "value = wrap.u8(value * 3 + 1)"', source)
        local to, keep = memory_for(plan, n)
        assert.equal(0, run_into(plan, source, to, settings), ffi.string(err.message))
        local got, wrong = ffi.cast("const uint8_t *", to[0].data), 0
        for i = 1, n do wrong = wrong + (got[i - 1] ~= (value(i) * 3 + 1) % 256 and 1 or 0) end
        assert.equal(0, wrong)
        assert.equal(0x5A, got[n]) -- the canary behind
        assert.equal(1, #keep + 1)
      end
    end)

    it("reports the lowest row that fails", function()
      local bad = { [1200001] = true, [1200500] = true, [4000000] = true }
      local source = columns.table { { "value", "u8", function(i) return bad[i] and 255 or i % 250 end, n = n } }
      local plan = plan_of(':derive "value = u8(i16(value) + 1)"', source)
      local to, keep = memory_for(plan, n)
      for threads = 1, 3 do
        assert.equal(C.MM_EDATA, run_into(plan, source, to, { threads = threads }))
        assert.equal(1200000, tonumber(err.row))
      end
      assert.equal(1, #keep + 1)
    end)
  end)

  it("leaves a batch that fails as it was, in place", function()
    local n, bad = 100000, 90007
    local function value(i) return i == bad and 9223372036854775807LL or i end
    local source = columns.table { { "a", "i64", value, n = n } }
    local plan, to = plan_of(':derive "a = a + 1"', source), ffi.new "mm_column[1]"
    to[0].type, to[0].length, to[0].data = source.schema.fields[0].type, n, source.batches[0].columns[0].data
    assert.equal(C.MM_EDATA, run_into(plan, source, to, { threads = 1, batch_rows = 1024, in_place = true }))
    assert.equal(bad - 1, tonumber(err.row))
    local got, edge = columns.lists(source).a, math.floor((bad - 1) / 1024) * 1024
    assert.equal(edge + 1, got[edge]) -- the batch before is new
    for i = edge + 1, bad - 1 do assert.equal(i, got[i]) end -- its own batch is old
    assert.equal(n, got[n])
  end)

  it("refuses text, a wrong type, a wrong number of columns, and a null that has no place", function()
    local source = sample(10)
    local plan = plan_of(':derive "c = a + 1"', source)
    local to, keep = memory_for(plan, 10)
    assert.equal(4, #keep + 1)
    assert.equal(C.MM_EUSAGE, run_into(plan, source, to, {}))
    assert.matches('column "k" is utf8', ffi.string(err.message))
    to[2].data, to[3].type = nil, columns.type "f64"
    assert.equal(C.MM_EUSAGE, run_into(plan, source, to, {}))
    assert.matches('column "c" is i64, the memory for it is f64', ffi.string(err.message))
    to[3].type, to[1].valid = columns.type "i64", nil
    assert.equal(C.MM_EDATA, run_into(plan, source, to, {}))
    assert.equal("b", ffi.string(err.field))
    assert.equal(2, tonumber(err.row))
  end)
end)
