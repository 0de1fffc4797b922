-- Three ways to the value of an expression must agree: naive rules row by row, the compiled program over columns, and
-- the folded constant. Errors too: the same kind at the same lowest row.
local ffi = require "ffi"
local columns = require "columns"
local expr = require "moonmill.expr.compiler"
local random = require "expr.random"
local rules = require "expr.rules"
local types = require "moonmill.base.types"
local binding = require "moonmill.base.ffi"
local C, null = binding.C, rules.null

local ROWS = 200

-- Rows of all columns.
local function random_rows()
  local rows = {}
  for i = 1, ROWS do
    rows[i] = {}
    for _, type in ipairs(random.types) do
      rows[i][type] = random.value(type)
      rows[i]["n" .. type] = math.random(4) == 1 and null or random.value(type)
    end
  end
  return rows
end

-- The table of some rows, of the columns that expressions read, and the builder's description of them.
local function input(rows, expressions)
  local used, fields, inputs = { bool = true }, {}, {}
  for _, e in ipairs(expressions) do
    for name in pairs(expr.columns(expr.parse(e.text))) do used[name] = true end
  end
  for _, type in ipairs(random.types) do
    for _, name in ipairs { type, "n" .. type } do
      if used[name] then
        local function get(i) return rows[i][name] end
        fields[#fields + 1] = { name, type, get, name ~= type, n = #rows }
        inputs[#inputs + 1] = { name = name, type = types[type], nullable = name ~= type }
      end
    end
  end
  return columns.table(fields, 64), inputs
end

local function evaluate(e, row, truth)
  local ok, value = pcall(e.eval, row, truth)
  if ok then return value end
  if type(value) ~= "table" then error(value, 0) end
  return nil, value.id
end

-- What the rules give: texts of the rows that pass, row and id of the first error, and the rows without error. `before`
-- is computed first, as column "early".
local function expected(before, filter, e, rows)
  local list, good, first, first_id = {}, {}, nil, nil
  for i, row in ipairs(rows) do
    local keep, value, id = true, nil, nil
    if before then row.early, id = evaluate(before, row) end
    if filter and not id then keep, id = evaluate(filter, row, true) end
    if keep == true and not id then value, id = evaluate(e, row) end
    if not id then
      good[#good + 1] = row
      if keep == true then list[#list + 1] = rules.show(value) end
    elseif not first then
      first, first_id = i, id
    end
  end
  return list, good, first, first_id
end

-- What the program gives.
local function computed(before, filter, e, rows)
  local source, inputs = input(rows, { e, before or e, filter or e })
  local b = expr.builder(inputs)
  if before then b:derive("early", expr.parse(before.text)) end
  if filter then b:filter(expr.parse(filter.text)) end
  local column = b:derive("result", expr.parse(e.text))
  assert.equal(e.type, column.type.name)
  local built = b:finish { "result" }
  local schema, err = ffi.gc(ffi.new "mm_schema", C.mm_schema_free), ffi.new "mm_error"
  assert(C.mm_schema_add(schema, "result", types.to_c(column.type), column.nullable, err) == 0)
  local stage = C.mm_stage_program(ffi.gc(built.program, nil), schema, err)
  assert(stage ~= nil, ffi.string(err.message))
  local lists, failed = columns.run(source, { stage }, { as = columns.text })
  if lists then
    if not column.nullable then
      for _, text in ipairs(lists.result) do assert.not_equal("null", text) end
    end
    return lists.result
  end
  return nil, tonumber(failed.row) + 1, ffi.string(failed.id), built.places[failed.place]
end

local seed = tonumber(os.getenv "MM_SEED") or os.time()

describe(("random expressions (MM_SEED=%d)"):format(seed), function()
  math.randomseed(seed)
  local rows = random_rows()

  local function check(before, filter, e, i)
    local list, good, row, id = expected(before, filter, e, rows)
    local what = ("%s%s%s [seed %d, case %d]"):format(before and "early = " .. before.text .. ", " or "", e.text,
      filter and " where " .. filter.text or "", seed, i)
    local ok, result, failed_row, failed_id, place = pcall(computed, before, filter, e, rows)
    if not ok then -- a constant part fails at once, also when no row would have reached it
      assert(result.code == "usage" and (id or #list == 0), what .. "\n" .. tostring(result))
    else
      if id then
        local texts = { [e.text] = true, [(filter or e).text] = true, [(before or e).text] = true }
        assert.same({ row, id, true }, { failed_row, failed_id, place and texts[place.text] }, what)
        result, failed_row, failed_id = computed(before, filter, e, good)
      end
      assert(result, ("%s: failed at row %s: %s"):format(what, failed_row, failed_id))
      assert.same(list, result, what)
    end
  end

  it("are the same by the rules and compiled, after a filter and an earlier expression too", function()
    for i = 1, 250 do
      local before = i % 4 == 0 and random.expression(random.types[math.random(#random.types)], 2) or nil
      random.derived = before and { [before.type] = "early" } or {}
      local filter = i % 3 == 0 and random.condition(2) or nil
      check(before, filter, random.expression(random.types[i % #random.types + 1], 1 + i % 4), i)
    end
  end)

  it("are the same by the rules and compiled, of wraps within wraps", function()
    random.derived = {}
    local integers = { "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64" }
    for i = 1, 120 do check(nil, nil, random.wraps(integers[i % 8 + 1], 2 + i % 4), i) end
  end)

  it("are the same by the rules and folded", function()
    random.derived = {}
    for i = 1, 200 do
      local e = random.expression(random.types[i % #random.types + 1], 1 + i % 3)
      local row = rows[i % ROWS + 1]
      local value, id = evaluate(e, row)
      local text = random.with_constants(e, row)
      local ok, result = pcall(function() return expr.constant(expr.parse(text)) end)
      local what = ("%s [seed %d, case %d]"):format(text, seed, i)
      if id then
        assert.same({ false, id }, { ok, not ok and result.id }, what)
      else
        assert(ok, what .. "\n" .. tostring(result))
        assert.same({ "const", e.type, rules.show(value) },
          { result.kind, result.type.name, rules.show(result.null and null or result.value) }, what)
      end
    end
  end)
end)
