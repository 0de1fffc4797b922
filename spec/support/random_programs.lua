-- random_programs - prints a digest of what random programs give, for a seed. Run as a script by the spec that compares
-- instruction sets: luajit spec/support/random_programs.lua SEED COUNT
package.path = "./spec/support/?.lua;./lua/?.lua;" .. package.path
local ffi = require "ffi"
local moonmill = require "moonmill.base.ffi"
local columns = require "columns"
local programs = require "programs"
local C, null = moonmill.C, columns.null

local state
local function random(n) -- 0 .. n - 1, the same everywhere
  state = (state * 16807) % 2147483647
  return state % n
end
local function pick(list) return list[random(#list) + 1] end

local specials = {
  f64 = { 0, -0.0, 1, -1, 0.5, -2.5, 1e300, -1e300, 1 / 0, -1 / 0, 0 / 0, 5e-324, 2 ^ 53 },
  f32 = { 0, -0.0, 1, -1, 0.5, -2.5, 1 / 0, -1 / 0, 0 / 0 },
  i64 = { 0LL, 1LL, -1LL, 2LL, -7LL, 100LL, 0x7fffffffffffffffLL, -0x7fffffffffffffffLL - 1LL, 9007199254740993LL },
  u64 = { 0ULL, 1ULL, 2ULL, 7ULL, 0xffffffffffffffffULL, 9007199254740993ULL }, i32 = { 0, 1, -1, 2147483647,
    -2147483648, 77 },
  u8 = { 0, 1, 255, 128 }, i16 = { 0, -1, 32767, -32768 }, bool = { true, false }, utf8 = { "", "a", "b", "zebra",
    "longer than sixteen bytes" },
}
local types = { "f64", "f32", "i64", "u64", "i32", "u8", "i16", "bool", "utf8" }
local arithmetic = { "ADD", "SUB", "MUL", "FLOORDIV", "MOD", "MIN", "MAX" }
local comparisons = { "EQ", "NE", "LT", "LE", "GT", "GE", "IS_DISTINCT" }

local function column(name, n)
  local nulls, small = random(3), random(2) == 0
  return { name, function()
    if nulls == 0 and random(6) == 0 then return null end
    if not small and random(3) == 0 then return pick(specials[name]) end
    if name == "bool" then return random(2) == 0 end
    if name == "utf8" then return ("x"):rep(random(20)) end
    if name == "f64" or name == "f32" then return random(4000) / 16 - 100 end
    return (name == "i64" and 1LL or name == "u64" and 1ULL or 1) * random(100)
  end, n = n }
end

local function of_type(pool, name) return pool[name][random(#pool[name]) + 1] end

local grow = {
  function(p, pool) -- arithmetic; integers that may overflow are guarded away by a filter on small values now and then
    local name = pick { "f64", "f32", "i64", "u64" }
    return name, p:op(pick(arithmetic), name, of_type(pool, name), of_type(pool, name))
  end,
  function(p, pool)
    local name = pick { "f64", "f32" }
    local op = pick { "FLOOR", "CEIL", "TRUNC", "SQRT", "NEG", "ABS", "SIGN", "DIV", "PLAIN" }
    return name, p:op(op, name, of_type(pool, name), of_type(pool, name))
  end,
  function(p, pool)
    return "f64", p:op(pick { "EXP", "LOG", "SIN", "CBRT", "TANH" }, "f64", of_type(pool, "f64"))
  end,
  function(p, pool) return "f64", p:op("ROUND", "f64", of_type(pool, "f64"), p:const("i64", 1LL * random(5))) end,
  function(p, pool)
    local name = pick(types)
    return "bool", p:op(pick(comparisons), name, of_type(pool, name), of_type(pool, name))
  end,
  function(p, pool)
    local a, b = unpack(pick { { "i64", "u64" }, { "f64", "i64" }, { "u64", "f64" } })
    return "bool", p:op(pick { "EQ", "LT", "GE" }, a, of_type(pool, a), of_type(pool, b), { type2 = b })
  end,
  function(p, pool) return "bool", p:op(pick { "AND", "OR" }, "bool", of_type(pool, "bool"), of_type(pool, "bool")) end,
  function(p, pool)
    return "bool", p:op(pick { "NOT", "IS_TRUE", "IS_NULL", "IS_NOT_NULL" }, "bool", of_type(pool, "bool"))
  end,
  function(p, pool)
    local name = pick(types)
    return name, p:op("SELECT", name, of_type(pool, "bool"), of_type(pool, name), of_type(pool, name))
  end,
  function(p, pool)
    local name = pick(types)
    return name, p:op("COALESCE", name, of_type(pool, name), of_type(pool, name))
  end,
  function(p, pool)
    local to, from = pick { "f64", "f32", "i64", "u64", "i32", "u8", "i16", "bool" }, pick { "f64", "f32", "i64",
      "u64", "i32", "u8", "bool" }
    return to, p:cast(to, from, of_type(pool, from), pick { "TRY", "TRY", "WRAP", "SATURATE", "CHECK" })
  end,
  function(p, pool)
    local name = pick { "f64", "i64", "i32", "u8", "utf8" }
    local count, first = 1 + random(30), nil
    for _ = 1, count do first = first or p:value(name, pick(specials[name])) if _ > 1 then p:value(name,
      pick(specials[name])) end end
    return "bool", p:op("IN", name, of_type(pool, name), first, count)
  end,
}

local function build(p)
  local pool = {}
  for i, name in ipairs(types) do pool[name] = { p:load(i - 1), p:const(name, pick(specials[name])) } end
  local outputs = {}
  for _ = 1, 6 + random(25) do
    if random(9) == 0 then p:filter(of_type(pool, "bool"))
    else
      local name, r = pick(grow)(p, pool)
      table.insert(pool[name], r)
      outputs[#outputs + 1] = r
    end
  end
  for i = 0, #types - 1 do outputs[#outputs + 1] = i * 2 end -- the loads
  return outputs
end

local function digest_of(hash, text)
  for i = 1, #text do hash = (hash * 31 + text:byte(i)) % 4294967291 end
  return hash
end

local function main(seed, count)
  state = seed
  local hash, failures, rows = 7, 0, 0
  for _ = 1, count do
    local n = pick { 1, 64, 200, 1024, 1025, 2048, 2049, 4200 }
    local fields, p = {}, programs.new(types)
    for i, name in ipairs(types) do fields[i] = column(name, n) end
    -- a column's function is called twice: make it a list first
    for _, field in ipairs(fields) do
      local list = { n = n }
      for i = 1, n do list[i] = field[2](i) end
      field[2] = list
    end
    local batch, keep = programs.batch(fields)
    local result, err = p:run(build(p), batch)
    if keep == nil then error "no batch" end
    for _, list in ipairs(result) do hash = digest_of(hash, table.concat(list, ",")) end
    rows = rows + result.rows
    if err then
      failures = failures + 1
      hash = digest_of(hash, ("%s %d %d %s"):format(ffi.string(err.id), tonumber(err.row), err.place,
        ffi.string(err.message)))
    end
  end
  print(("%s %d rows %d failures %.0f"):format(ffi.string(C.mm_isa_name()), rows, failures, hash))
end

main(tonumber(arg[1]), tonumber(arg[2]))
