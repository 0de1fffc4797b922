-- Aggregates of filtered rows without keys: the rows are not packed, which nobody may notice. Against naive Lua, and
-- against the same chain with an aggregate that does need packed rows.
local pipelines = require "pipelines"
local null = pipelines.null

local seed = tonumber(os.getenv "MM_SEED") or 4177
math.randomseed(seed)

-- Whole numbers and halves: their sums are exact in any order.
local makers = {
  i8 = function() return math.random(-128, 127) end, u8 = function() return math.random(0, 255) end,
  i16 = function() return math.random(-32768, 32767) end, u16 = function() return math.random(0, 65535) end,
  i32 = function() return math.random(-2 ^ 31, 2 ^ 31 - 1) end, u32 = function() return math.random(0, 2 ^ 32 - 1) end,
  i64 = function() return math.random(-2 ^ 36, 2 ^ 36) end, u64 = function() return math.random(0, 2 ^ 36) end,
  f32 = function() return math.random(-1000, 1000) / 2 end,
  f64 = function() return math.random(-100000, 100000) / 2 end,
  bool = function() return math.random(2) == 1 end,
}
local types = { "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64", "bool" }

local function list(name, rows, nulls)
  local made = { n = rows }
  for i = 1, rows do made[i] = nulls and math.random(4) == 1 and null or makers[name]() end
  return made
end

-- A column that decides which rows pass: nobody, everybody, few (which packs vectors on the way), some.
local shares = { 0, 1, 0.02, 0.4 }

local function naive(values, gate, share)
  local sum, known, rows = 0, 0, 0
  for i = 1, values.n do
    if gate[i] ~= null and gate[i] < share then
      rows = rows + 1
      if values[i] ~= null then
        known = known + 1
        sum = sum + (values[i] == true and 1 or values[i] == false and 0 or values[i])
      end
    end
  end
  return sum, known, rows
end

local function gates(rows, nulls)
  local gate = { n = rows }
  for i = 1, rows do gate[i] = nulls and math.random(9) == 1 and null or math.random() end
  return gate
end

describe("aggregates of filtered rows", function()
  for _, name in ipairs(types) do
    it(("add %s as naive Lua does"):format(name), function()
      for _, rows in ipairs { 0, 1, 63, 64, 65, 1023, 1024, 1025, 2047, 2048, 2049, 5000, 66000 } do
        for _, share in ipairs(rows > 6000 and { 0.4 } or shares) do
          for _, nulls in ipairs { false, true } do
            local values, gate = list(name, rows, nulls), gates(rows, nulls)
            local sum, known, passed = naive(values, gate, share)
            local lists = { { "v", name, values }, { "g", "f64", gate } }
            local about = ("seed %d, %d rows of %s, share %g, nulls %s"):format(seed, rows, name, share,
              tostring(nulls))
            local chain = (':where "g < %s" :group({}, { "s = sum(v)", "k = count(v)", "n = count()"%s })')
              :format(share == 0 and "0.0" or tostring(share), name == "bool" and "" or ', "m = mean(v)"')
            local out = pipelines.run(chain, lists, { piece = rows > 6000 and 66000 or 192, batch_rows = 3072 })
            assert.equal(sum, tonumber(out.s[1]), about)
            assert.equal(known, tonumber(out.k[1]), about)
            assert.equal(passed, tonumber(out.n[1]), about)
            if name == "bool" then assert.is_nil(out.m)
            elseif known == 0 then assert.equal(null, out.m[1], about)
            else assert.is_true(math.abs(out.m[1] - sum / known) <= math.abs(sum / known) * 1e-12, about)
            end
          end
        end
      end
    end)
  end

  it("of what is computed on the way are those of packed rows", function()
    for _, share in ipairs(shares) do
      for _, rows in ipairs { 1, 1025, 20000 } do
        local lists = { { "v", "i64", list("i64", rows, true) }, { "w", "i32", list("i32", rows) },
          { "g", "f64", gates(rows, true) }, { "t", "utf8", {} } }
        for i = 1, rows do lists[4][3][i] = i % 7 == 0 and null or "text " .. i end
        local chain = (':derive "a = v // 3" :where "g < %s and w ~= 5"' ..
          ' :derive { "x = a + w", "y = if(w > 0, v, null)", "h = w / 2" } :where "x ~= 17"' ..
          ' :group({}, { "s = sum(x)", "n = count()", "y = sum(y)", "ky = count(y)", "h = sum(h)", "t = count(t)"%s })')
          :format(share == 0 and "0.0" or tostring(share), "%s")
        local selected = pipelines.run(chain:format "", lists)
        local packed = pipelines.run(chain:format ', "f = first(x)"', lists) -- first() needs packed rows
        for _, column in ipairs { "s", "n", "y", "ky", "h", "t" } do
          assert.equal(tostring(packed[column][1]), tostring(selected[column][1]),
            ("%s, %d rows, share %g"):format(column, rows, share))
        end
      end
    end
  end)

  it("give the same bits at any number of threads and any size of batch", function()
    local rows, seen = 150000, nil
    local lists = { { "v", "f64", { n = rows } }, { "g", "f64", gates(rows, true) } }
    for i = 1, rows do
      lists[1][3][i] = math.random(30) == 1 and null or (math.random() - 0.5) * 10 ^ math.random(-8, 8)
    end
    for _, settings in ipairs { { threads = 1, batch_rows = 8192 }, { threads = 2, batch_rows = 64 },
      { threads = 3, batch_rows = 65536 }, { threads = 2, batch_rows = 1024 } } do
      settings.piece = 65536 + 640
      local out = pipelines.run(
        ':where "g < 0.7" :derive "x = v * 3 + g" :group({}, { "s = sum(x)", "m = mean(v)", "a = sum(v)" })', lists,
        settings)
      local bits = ("%a %a %a"):format(out.s[1], out.m[1], out.a[1])
      seen = seen or bits
      assert.equal(seen, bits)
    end
  end)

  -- Batches of which most rows pass are computed before they are filtered; what passes in one decides about the next.
  it("of floats are right where many, few, all and no rows pass in turn", function()
    local phases = { 0.9, 0.02, 1, 0, 0.5, 0.26, 0.24 }
    for _, rows in ipairs { 1, 63, 64, 65, 127, 2047, 2048, 2049, 4160, 16385, 70000 } do
      for _, settings in ipairs { { batch_rows = 64 }, { batch_rows = 2048 }, { batch_rows = 2112 }, { piece = 127 },
        {} } do
        local b, c, gate, sum, known = { n = rows }, { n = rows }, { n = rows }, 0, 0
        for i = 1, rows do
          local share = phases[math.floor(i / 2500) % #phases + 1]
          b[i], c[i] = math.random(-999, 999) / 2, math.random(-999, 999) / 2
          gate[i] = math.random() < share and 0.25 or 0.75
          if gate[i] < 0.5 then sum, known = sum + b[i] * c[i] + gate[i], known + 1 end
        end
        local out = pipelines.run(
          ':where "g < 0.5" :derive { "x = b * c + g", "two = 2.0" } ' ..
          ':group({}, { "s = sum(x)", "n = count(x)", "rows = count()", "b = mean(b)", "two = sum(two)" })',
          { { "b", "f64", b }, { "c", "f64", c }, { "g", "f64", gate } }, settings)
        local about = ("seed %d, %d rows, batches of %s, pieces of %s"):format(seed, rows, settings.batch_rows or "any",
          settings.piece or "any")
        assert.equal(sum, out.s[1], about)
        assert.equal(known, tonumber(out.n[1]), about)
        assert.equal(known, tonumber(out.rows[1]), about)
        assert.equal(2 * known, out.two[1], about)
        assert.equal(known == 0, out.b[1] == null, about)
      end
    end
  end)

  it("leave out the rows from a failure on, and report it", function()
    local lists = { { "v", "i64", { n = 3000 } } }
    for i = 1, 3000 do lists[1][3][i] = i == 2000 and 0x7fffffffffffffffLL or i end
    local problem = pipelines.problem(':where "v > 10" :derive "x = v + 1" :group({}, "s = sum(x)")', lists)
    assert.equal(2000, tonumber(problem.row))
    assert.truthy(problem.message:find("overflow", 1, true))
  end)

  it("count the rows of a stage as they pass", function()
    local rows = 10000
    local lists = { { "v", "i64", { n = rows } } }
    for i = 1, rows do lists[1][3][i] = i end
    local out = pipelines.run(':where "v <= 1234" :group({}, { "n = count()", "s = sum(v)" })', lists)
    assert.equal(1234, tonumber(out.n[1]))
    assert.equal(1234 * 1235 / 2, tonumber(out.s[1]))
  end)
end)
