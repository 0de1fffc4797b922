-- Aggregates of one group go through kernels; those of a group among others row by row. Both are the same to the last
-- bit: here a column whose first row is null, against the same rows as a group beside one that has only the first row.
local pipelines = require "pipelines"
local null = pipelines.null

local seed = tonumber(os.getenv "MM_SEED") or 5021
math.randomseed(seed)

local function whole(least, most)
  return function()
    return math.random(9) == 1 and (math.random(2) == 1 and least or most) or math.random(least, most)
  end
end

local odd = { 0 / 0, 1 / 0, -1 / 0, 0, -0.0, 2 ^ -1074, -2 ^ 1000, 2 ^ 53 + 1 }
local function float() return (math.random() - 0.5) * 10 ^ math.random(-6, 6) end
local function any_float() return math.random(40) == 1 and odd[math.random(#odd)] or float() end
local function zero() return math.random(2) == 1 and 0 or -0.0 end

local cases = {
  { "i8", whole(-128, 127) }, { "u8", whole(0, 255) }, { "i16", whole(-32768, 32767) }, { "u16", whole(0, 65535) },
  { "i32", whole(-2 ^ 31, 2 ^ 31 - 1) }, { "u32", whole(0, 2 ^ 32 - 1) }, { "i64", whole(-2 ^ 47, 2 ^ 47) },
  { "u64", whole(0, 2 ^ 47) }, { "f32", float, "" }, { "f32", any_float, " with odd ones" }, { "f64", float },
  { "f64", any_float, " with odd ones" }, { "f64", zero, " of zeros" },
  { "bool", function() return math.random(5) > 1 end },
}

-- Which rows are null: none, some, all, most, runs that end within words.
local gaps = {
  none = function() return false end,
  some = function() return math.random(3) == 1 end,
  all = function() return true end,
  most = function() return math.random(100) > 1 end,
  runs = function(i) return math.floor(i / 100) % 2 == 0 end,
}

local function text(value)
  if type(value) ~= "number" then return tostring(value) end
  return value == 0 and 1 / value < 0 and "-0" or ("%a"):format(value)
end

describe("aggregates of one group", function()
  for _, case in ipairs(cases) do
    local name, make, about = case[1], case[2], case[3] or ""
    it(("of %s%s are those of a group among others"):format(name, about), function()
      local aggregates = { "n = count(v)", "low = min(v)", "high = max(v)" }
      if name ~= "bool" then
        for _, more in ipairs { "s = sum(v)", "m = mean(v)", "d = var(v)", "e = std(v)" } do
          table.insert(aggregates, more)
        end
      end
      local chain = (':group(%%s, { "%s" })'):format(table.concat(aggregates, '", "'))
      for gap, is_null in pairs(gaps) do
        for _, rows in ipairs { 2, 8, 9, 64, 65, 130, 1000, 2049, 5000 } do
          local alone, among, keys = { n = rows }, { n = rows }, { n = rows }
          for i = 1, rows do
            among[i] = is_null(i) and null or make()
            alone[i], keys[i] = among[i], "a"
          end
          alone[1], keys[1] = null, "b"
          local settings = { piece = math.random(2) == 1 and 777 or nil,
            batch_rows = math.random(2) == 1 and 320 or nil }
          local one = pipelines.run(chain:format "{}", { { "v", name, alone } }, settings)
          local two = pipelines.run(chain:format '"k"', { { "k", "utf8", keys }, { "v", name, among } })
          for _, aggregate in ipairs(aggregates) do
            local out = aggregate:match "%w+"
            assert.equal(text(two[out][2]), text(one[out][1]),
              ("seed %d: %s, %d rows, %s null"):format(seed, aggregate, rows, gap))
          end
        end
      end
    end)
  end

  it("of filtered rows are those of packed ones", function()
    for _, case in ipairs(cases) do
      local name, make = case[1], case[2]
      local v, gate = { n = 6000 }, { n = 6000 }
      for i = 1, 6000 do v[i], gate[i] = math.random(5) == 1 and null or make(), math.random() end
      local lists = { { "v", name, v }, { "g", "f64", gate } }
      for _, share in ipairs { "0.9", "0.3", "0.01", "0.0" } do
        local chain = ([[:where "g < %s" :group({}, { "low = min(v)", "high = max(v)"%%s })]]):format(share)
        local selected = pipelines.run(chain:format "", lists)
        local packed = pipelines.run(chain:format ', "f = first(v)"', lists) -- first() needs packed rows
        for _, out in ipairs { "low", "high" } do
          assert.equal(text(packed[out][1]), text(selected[out][1]), ("seed %d: %s of %s"):format(seed, out, name))
        end
      end
    end
  end)
end)
