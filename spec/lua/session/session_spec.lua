-- Sessions: scripts loaded, asked about and planned by a host that is not Lua.
local ffi = require "ffi"
local columns = require "columns"
local sessions = require "sessions"
local null = columns.null

local session = sessions.new()

local function with_files(files, fn)
  local folder = os.tmpname()
  os.remove(folder)
  os.execute("mkdir -p " .. folder)
  for name, text in pairs(files) do
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(text)
    file:close()
  end
  local ok, problem = pcall(fn, folder)
  os.execute("rm -r " .. folder)
  assert(ok, problem)
end

local function has(text, part)
  if not text:find(part, 1, true) then error(("%s\nis not in\n%s"):format(part, text), 2) end
end

local function refused(...)
  local status, answer = session:ask(...)
  assert.is_true(status < 0, answer)
  return answer, status
end

describe("a session", function()
  it("loads a chain, a script and a file, and describes them", function()
    local status, answer = session:ask("load", "text", "quick", [[
      mm.pipeline { about = "why", params = { "n: i64 = 3  -- how many", "s: utf8?" }, input = { "a: f64?", "..." } }
        :where "a > p.n" :limit(2)]])
    assert.equal(0, status)
    has(answer, '"kind":"pipeline"')
    has(answer, '"about":"why"')
    has(answer, '"text":"      mm.pipeline { about')
    has(answer, '"stages":["where","limit"]')
    has(answer, '"params":[{"default":"3","help":"how many","name":"n","nullable":false,"required":false,"type":"i64"},'
      .. '{"default":null,"help":null,"name":"s","nullable":true,"required":false,"type":"utf8"}]')
    has(answer, '"input":{"fields":[{"name":"a","nullable":true,"type":"f64"}],"rest":true}')
    local handle = answer:match '"handle":(%d+)'
    assert.equal(answer, select(2, session:ask("describe", handle)))
    has(select(2, session:ask("info", handle)), "stages: where limit")
    session:drop(handle)
    has(refused("describe", handle), '"id":"unknown-handle"')
    has(refused("load", "file", "/nowhere/x.lua"), '"id":"cannot-open"')
  end)

  it("gives the halves of a pipeline, which can be described and planned like the whole", function()
    local _, whole = session:ask("load", "text", "quick",
      'mm.pipeline { input = { "a: i64" } } :group("a", "n = count()")')
    has(whole, '"reach":"mergeable"')
    has(whole, '"half":null')
    local handle = whole:match '"handle":(%d+)'
    local _, partial = session:ask("partial", handle)
    local _, merge = session:ask("merge", handle)
    has(partial, '"half":"partial"')
    has(partial, '"reach":"rows"')
    has(merge, '"half":"merge"')
    has(merge, '"reach":"global"')
    has(merge, '"input":null')
    session:drop(handle)
    has(select(2, session:ask("output", partial:match '"handle":(%d+)', "a\ti64\t0\n")), '"name":"n__count"')
    has(select(2, session:ask("output", merge:match '"handle":(%d+)', "a\ti64\t0\nn__count\ti64\t0\n")),
      '"name":"n"')
    has(refused("merge", merge:match '"handle":(%d+)'), '"id":"not-mergeable"')
  end)

  it("finds modules beside a file, and keeps those of one name apart", function()
    with_files({ ["part.lua"] = "return { n = 1 }",
      ["main.lua"] = 'local part = require "part"\nglobal_of_main = 5\n'
        .. 'return require("moonmill").pipeline {} :limit(part.n)' },
      function(one)
        with_files({ ["part.lua"] = "return { n = 2 }",
          ["main.lua"] = 'assert(global_of_main == nil)\n'
            .. 'return require("moonmill").pipeline {} :limit(require("part").n)' },
          function(two)
            local rows = {}
            for i, folder in ipairs { one, two } do
              local status, answer = session:ask("load", "file", folder .. "/main.lua")
              assert.equal(0, status, answer)
              has(answer, '"modules":{"part":"return { n = ' .. i .. ' }"}')
              local lists = { { "a", "i64", { 1, 2, 3 } } }
              rows[i] = session:run(session:plan(tonumber(answer:match '"handle":(%d+)'), lists), lists).a
            end
            assert.same({ { 1 }, { 1, 2 } }, rows)
          end)
      end)
  end)

  it("takes modules as texts, also for row functions in workers", function()
    local status, answer = session:ask("load", "text", "elsewhere.lua",
      'local part = require "part" return mm.pipeline {} :map("b: f64", function(r) return part.twice(r.a) end)',
      "part", "return { twice = function(x) return 2 * x end }")
    assert.equal(0, status, answer)
    local lists = { { "a", "f64", { 1, 2 } } }
    local plan = assert(session:plan(tonumber(answer:match '"handle":(%d+)'), lists))
    assert.same({ 2, 4 }, session:run(plan, lists).b)
  end)

  it("tells the frames of an error in a script, innermost first", function()
    local answer, status = refused("load", "text", "bad",
      "local function inner() error 'no' end\nlocal function outer()\n  inner()\nend\nouter()")
    assert.equal(-5, status)
    has(answer, '"code":"script","id":"script","message":"no"')
    has(answer, '"frames":[{"file":"bad","function":"inner","line":1},{"file":"bad","function":"outer","line":3},'
      .. '{"file":"bad","function":"main chunk","line":5}]')
    has(refused("load", "text", "bad", ":where 'a >'"), '"line":1,"column":12')
    has(refused("load", "text", "bad", "x ="), '"id":"syntax"')
  end)

  it("refuses what it does not know", function()
    has(refused("nonsense"), '"id":"unknown-request"')
    has(refused("load", "text", "x", "return 3"), '"id":"no-pipeline"')
    has(refused("explain", session:load ":limit(1)", ""), '"id":"no-input"')
    has(refused("output", session:load ":limit(1)", ""), '"id":"no-input"')
    local declared = session:load 'mm.pipeline { params = { "k: i64" } } :limit(1)'
    assert.equal("null", select(2, session:ask("params", declared, "k", "3")))
    has(refused("params", declared, "k", "x"), '"id":"bad-param"')
  end)

  it("refuses parameters that would hide an option of Python's run", function()
    for _, name in ipairs { "threads", "out", "copy", "timeout", "progress", "data" } do
      local answer = refused("load", "text", "x", ('mm.pipeline { params = { "%s: i64 = 1" } }'):format(name))
      has(answer, '"id":"reserved-name"')
    end
  end)

  it("checks against columns that are given, declared, or not known", function()
    local free = session:load ':derive "b = a * 2"'
    assert.equal("null", select(2, session:ask("check", free, "")))
    assert.equal('{"dropped":[],"gives":[{"name":"a","nullable":true,"type":"i32"},'
      .. '{"name":"b","nullable":true,"type":"i64"}],"reads":[{"name":"a","nullable":true,"type":"i32"}]}',
      select(2, session:ask("check", free, "a\ti32\t1\n")))
    local declared = session:load 'mm.pipeline { input = { "a: f64" }, params = { "k: i64" } } :derive "b = a * p.k"'
    has(select(2, session:ask("output", declared, "")), '{"name":"b","nullable":true,"type":"f64"}')
    has(select(2, session:ask("check", declared, "a\ti64\t0\nz\\t\\\\\tutf8\t1\n")), '"dropped":["z\\t\\\\"]')
    has(refused("check", declared, "z\tutf8\t0\n"), '"id":"unknown-column"')
    has(refused("check", declared, "a\tf64\t0\n", "k", "x"), '"id":"bad-param"')
  end)

  it("explains a plan", function()
    local answer = select(2, session:ask("explain",
      session:load ':map("b: f64", function(r) return r.a + 1 end) :group({}, "s = sum(b)")', "a\tf64\t0\n"))
    has(answer, "segment 1")
    has(answer, "a Lua function that reads a")
  end)
end)

describe("a plan of a session", function()
  local function plan(chain, lists, given) return session:plan(session:load(chain), lists, given) end

  local function run(chain, lists, given)
    local made, problem = plan(chain, lists, given)
    if not made then return nil, problem end
    return session:run(made, lists)
  end

  it("runs with parameters that are texts", function()
    local lists = { { "a", "i64", { 1, 2, 3 } } }
    assert.same({ 3 }, run('mm.pipeline { params = { "k: i64 = 9" } } :where "a > p.k"', lists, { k = "2" }).a)
    has(select(2, plan('mm.pipeline { params = { "k: i64" } } :where "a > p.k"', lists)), '"hint":"give k=..."')
    has(select(2, plan(":limit(1)", lists, { k = "2" })), '"id":"unknown-param"')
  end)

  it("casts numbers, and times of another unit, to the declared type", function()
    local lists = { { "a", "i32", { 1, null, 3 } }, { "t", "timestamp(ms)", { 1, 2, 3 } }, { "b", "f64", { 1, 2, 3 } } }
    local made = plan('mm.pipeline { input = { "b: i8", "a: f64?", "t: timestamp" } } :derive "c = a / 2"', lists)
    assert.equal("f64", made.gives[4].type.name)
    assert.equal("i32", made.reads[2].type.name)
    assert.same({ 0.5, null, 1.5 }, session:run(made, lists).c)
    assert.same({ 1000, 2000, 3000 }, session:run(made, lists).t)
    has(select(2, run('mm.pipeline { input = { "b: i8" } }', { { "b", "f64", { 1, 2.5 } } })), '"row":2')
    has(select(2, run('mm.pipeline { input = { "b: i8" } }', { { "b", "i64", { 1, 200 } } })), '"code":"data"')
  end)

  it("refuses another type, and says how to declare it", function()
    local _, problem = plan('mm.pipeline { input = { "a: f64" } }', { { "a", "utf8", { "x" } } })
    has(problem, '"id":"wrong-type","message":"column \\"a\\" is utf8, and it is declared as f64"')
    has(problem, 'declare \\"a: utf8\\"')
    has(problem, '"field":"a"')
  end)

  it("reads a column of nulls as any nullable type", function()
    local lists = { { "a", "null", { null, null } }, { "b", "i64", { 1, 2 } } }
    local made = plan('mm.pipeline { input = { "a: utf8?", "b: i64" } }', lists)
    assert.equal("utf8", made.gives[1].type.name)
    assert.same({ null, null }, session:run(made, lists).a)
    has(select(2, plan('mm.pipeline { input = { "a: utf8" } }', lists)), '"id":"null-value"')
  end)

  it("demands no nulls where the declaration has none", function()
    local made = plan('mm.pipeline { input = { "a: i64", "b: i64?" } }',
      { { "a", "i64", { 1, null } }, { "b", "i64", { 1, 2 } } })
    assert.is_false(made.reads[1].nullable)
    assert.is_true(made.gives[2].nullable)
  end)

  it("sees a bare buffer as value, whatever its name, and text as line", function()
    local lists = { { "x", "u8", { 1, 255 } } }
    local made = plan('mm.pipeline { input = "u8" } :derive { "value = wrap.u8(value + 1)" }', lists)
    assert.equal("x", made.reads[1].name)
    assert.same({ 2, 0 }, session:run(made, lists).value)
    assert.same({ "b" }, run([[mm.pipeline { input = "lines" } :where "line ~= 'a'"]],
      { { "t", "utf8", { "a", "b" } } }).line)
    has(select(2, plan('mm.pipeline { input = "u8" }', { lists[1], { "y", "u8", { 1, 2 } } })), '"id":"wrong-input"')
    has(select(2, plan('mm.pipeline { input = "u8" }', { { "x", "utf8", { "a" } } })), '"id":"wrong-type"')
  end)

  it("has no stages where nothing is to be done, and only names change in a bare buffer", function()
    local made = plan('mm.pipeline { input = "f64" }', { { "value", "f64", { 1, 2 } } })
    assert.equal(4, made.flags) -- keeps rows, cannot fail
    made = plan('mm.pipeline { input = "f64" }', { { "x", "f64", { 1, 2 } } })
    local C = require("moonmill.base.ffi").C
    assert.equal("value", made.gives[1].name)
    assert.equal(0, C.mm_plan_shares(made.plan, 0))
  end)

  it("refuses data with two columns of one name, and without columns", function()
    has(select(2, plan(":limit(1)", { { "a", "i64", { 1 } }, { "a", "i64", { 1 } } })), '"id":"duplicate-column"')
    has(select(2, plan(":limit(1)", {})), '"id":"no-columns"')
  end)

  it("tells failures of jobs by the script: place, stage, row, frames", function()
    local lists = { { "a", "i64", { 1, 2, 9223372036854775807LL } } }
    has(select(2, run('\n :derive "b = a + 1"', lists)), '"file":"spec","line":2,"column":17,"row":3')
    local _, problem = run([[
:map("b: f64", function(r)
  if r.a == 2 then error "two" end
  return 1
end)]], lists)
    has(problem, '"message":"two","file":"spec","line":2,"row":2')
    has(problem, '"frames":[{"file":"spec","function":"map","line":2}]')
  end)

  it("is forgotten when it is dropped, and its failures are then plain", function()
    local C = require("moonmill.base.ffi").C
    local made = plan(':derive "b = a + 1"', { { "a", "i64", { 1 } } })
    local problem = ffi.new("mm_error", { code = -1, stage = 0, place = 1, row = 4 })
    has(session:explain(made, problem), '"file":"spec"')
    C.mm_session_plan_drop(session.handle, made.number)
    local text = session:explain(made, problem)
    assert.is_nil(text:find '"file"')
    has(text, '"row":5')
  end)
end)
