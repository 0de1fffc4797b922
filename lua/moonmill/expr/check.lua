-- moonmill.expr.check - the third pass: a tree to a typed tree. Finds names, types and nulls, and says what is wrong with them.
--
-- `truth` marks places where null counts as false (filters, conditions of if): there `a or b` on nullable conditions means the same in
-- Lua and in SQL; elsewhere it is refused. `c and a or b` with values a, b that are not conditions is if(c, a, b).
local ffi = require "ffi"
local coerce = require "moonmill.expr.coerce"
local forms = require "moonmill.expr.forms"
local functions = require "moonmill.functions"
local node = require "moonmill.expr.node"
local suggest = require "moonmill.suggest"
local types = require "moonmill.types"

local Checker = {}
Checker.__index = Checker

local comparisons = { ["=="] = "EQ", ["~="] = "NE", ["<"] = "LT", ["<="] = "LE", [">"] = "GT", [">="] = "GE" }
local arithmetic = { ["+"] = "ADD", ["-"] = "SUB", ["*"] = "MUL", ["/"] = "DIV", ["//"] = "FLOORDIV", ["%"] = "MOD", ["^"] = "POW" }
local foreign = { -- names of other tools
  ifelse = "if", iif = "if", case = "if", when = "if", avg = "mean", average = "mean", substr = "sub", substring = "sub", length = "len",
  isnull = "x == null", is_null = "x == null", notnull = "x ~= null", is_not_null = "x ~= null", ifnull = "coalesce",
  fill_null = "coalesce", nvl = "coalesce", power = "pow", ceiling = "ceil", ln = "log", isin = "is_in", least = "min", greatest = "max",
  strlen = "len", char_length = "len", toupper = "upper", tolower = "lower", uppercase = "upper", lowercase = "lower",
  startswith = "starts_with", endswith = "ends_with", strip = "trim", int = "i64", float = "f64", string = "utf8", str = "utf8",
  tostring = "utf8", tonumber = "f64", stddev = "std", nunique = "n_unique", count_distinct = "n_unique",
}

-- ---- Leaves ----

function Checker:column(tree)
  local found = self.scope.columns[tree.name]
  if found then return node.column(tree.name, found.type, found.nullable, tree) end
  local hint
  if self.scope.params and self.scope.params[tree.name] then
    hint = ("write p.%s for the parameter"):format(tree.name)
  elseif functions.scalars[tree.name] and not suggest.nearest(tree.name, self.scope.order) then
    hint = "it is a function: " .. functions.scalars[tree.name].usage
  else
    hint = suggest.hint(tree.name, self.scope.order)
      or #self.scope.order > 0 and "the columns are " .. table.concat(self.scope.order, ", ", 1, math.min(#self.scope.order, 20))
      .. (#self.scope.order > 20 and ", …" or "") or nil
  end
  node.fail(tree, "unknown-column", ('there is no column "%s"'):format(tree.name), hint)
end

function Checker:param(tree)
  local params = self.scope.params or {}
  local found = params[tree.name]
  if not found then
    local names = {}
    for name in pairs(params) do names[#names + 1] = name end
    table.sort(names)
    node.fail(tree, "unknown-parameter", ('there is no parameter "%s"'):format(tree.name),
      suggest.hint(tree.name, names) or #names > 0 and "the parameters are " .. table.concat(names, ", ")
        or ('declare it: params = { "%s: i64 = 0" }'):format(tree.name))
  end
  local value = found.value
  if type(value) == "number" and not found.type.float then value = ffi.cast(found.type.integer and not found.type.signed and "uint64_t" or "int64_t", value) end
  return node.const(found.type, value, tree)
end

function Checker:number(tree)
  local value = tree.value
  local of = type(value) == "number" and types.f64 or ffi.istype("uint64_t", value) and types.u64 or types.i64
  return node.const(of, value, tree, true)
end

-- ---- Demands on a node ----

---A condition: bool, where null counts as false.
function Checker:condition(tree, what)
  local n = self:check(tree, true)
  if n.type == types.null then return node.const(types.bool, nil, tree) end
  if n.type ~= types.bool then
    node.fail(tree, "type", ("%s is %s, expected bool"):format(what, n.type.name), "compare it with a value, as in x ~= 0 or x ~= null")
  end
  return n
end

---A constant: anything without columns.
function Checker:constant(tree)
  local scope = self.scope
  self.scope = { columns = {}, order = {}, params = scope.params, constant = true }
  local n = self:check(tree)
  self.scope = scope
  return n
end

local kinds = {
  number = { "a number", function(t) return t.integer and coerce.wide(t) or t.float and t or nil end, "f64" },
  float = { "a number", function(t) return t.float and t or t.integer and types.f64 or nil end, "f64" },
  f64 = { "a number", function(t) return t.number and types.f64 or nil end, "f64" },
  int = { "a whole number", function(t) return t.integer and types.i64 or nil end, "i64" },
  text = { "utf8", function(t) return t == types.utf8 and t or nil end, "utf8" },
  bytes = { "utf8 or binary", function(t) return t.text and t or nil end, "utf8" },
  bool = { "bool", function(t) return t == types.bool and t or nil end, "bool" },
  moment = { "a date or timestamp", function(t) return (t == types.date or t.id == "timestamp") and t or nil end, "timestamp" },
  clock = { "a timestamp", function(t) return t.id == "timestamp" and t or nil end, "timestamp" },
}

---A node as the kind of argument that a function takes.
function Checker:kind(n, kind, entry, index, where)
  local wanted = kinds[kind]
  if n.type == types.null then return node.const(types[wanted[3]], nil, n) end
  local type = wanted[2](n.type)
  if not type then
    local hint
    if kind == "text" or kind == "bytes" then hint = "utf8(…) writes a value as text" end
    if n.type == types.utf8 and kind ~= "text" then hint = ("write %s(…) to read the text"):format(wanted[3]) end
    if kind == "clock" and n.type == types.date then hint = "a date has no time of day" end
    node.fail(n.at and n or where, "type", ("argument %d of %s is %s, expected %s"):format(index, entry.usage, n.type.name, wanted[1]), hint)
  end
  if type.id == "timestamp" and type.zone ~= "" and type.zone ~= "UTC" then
    node.fail(where, "type", ("%s of a timestamp in zone %s cannot be computed yet"):format(entry.name, type.zone), "timestamp(x) gives it in UTC")
  end
  return coerce.cast(n, type, n)
end

function Checker:count(tree, entry, least, most)
  local n = #tree.args
  if n >= least and (not most or n <= most) then return end
  local wanted = most == least and ("%d"):format(least) or most and ("%d to %d"):format(least, most) or ("at least %d"):format(least)
  node.fail(tree, "argument-count", ("%s takes %s argument%s, found %d"):format(entry.name, wanted, wanted == "1" and "" or "s", n), entry.usage)
end

---The entry of a call in the table of functions.
function Checker:entry(tree)
  local entry = functions.scalars[tree.name]
  if entry then return entry end
  if functions.aggregates[tree.name] then
    node.fail(tree, "aggregate", ("%s is an aggregate, which belongs into group"):format(tree.name),
      (':group("key", { "x = %s" })'):format(functions.aggregates[tree.name].usage))
  end
  local other = foreign[tree.name:lower()]
  node.fail(tree, "unknown-function", ('there is no function "%s"'):format(tree.name),
    other and ("write %s"):format(functions.scalars[other] and functions.scalars[other].usage or other)
      or suggest.hint(tree.name, functions.names()) or "moonmill help functions lists them")
end

-- ---- Operators ----

local function two_types(tree, a, b, hint)
  node.fail(tree, "type", ('"%s" takes numbers, found %s and %s'):format(tree.op, a.type.name, b.type.name), hint)
end

local function operands(a, b, tree)
  if a.type == types.null then a = node.const(b.type == types.null and types.f64 or b.type, nil, a) end
  if b.type == types.null then b = node.const(a.type, nil, b) end
  if a.type.number and b.type.number then return a, b end
  local hint
  for _, n in ipairs { a, b } do
    if n.type == types.utf8 then hint = tree.op == "+" and "join text with .." or "f64(…) or i64(…) reads a text as a number" end
  end
  return a, b, hint
end

-- Small whole constants at once, so that x + 60 * 60 is typed like x + 3600.
local function literal_whole(op, a, b, tree)
  if a.kind ~= "const" or b.kind ~= "const" or a.type ~= types.i64 or b.type ~= types.i64 then return nil end
  local x, y = tonumber(a.value), tonumber(b.value)
  if math.abs(x) > 2 ^ 31 or math.abs(y) > 2 ^ 31 then return nil end
  local value = op == "ADD" and a.value + b.value or op == "SUB" and a.value - b.value or op == "MUL" and a.value * b.value
  return value and node.const(types.i64, value, tree, true) or nil
end

function Checker:arithmetic(tree)
  local a, b, hint = operands(self:check(tree.a), self:check(tree.b), tree)
  local op = arithmetic[tree.op]
  local time = self:time_arithmetic(op, a, b, tree)
  if time then return time end
  if not (a.type.number and b.type.number) then two_types(tree, a, b, hint) end
  local literal = a.literal and b.literal
  local type
  if op == "POW" then
    type = types.f64
  else
    local whole = literal and literal_whole(op, a, b, tree)
    if whole then return whole end
    if op == "DIV" and a.type.integer and b.type.integer then
      type = types.f64
    else
      type = coerce.arithmetic(a, b, tree)
    end
  end
  return node.call(op, { coerce.cast(a, type, tree), coerce.cast(b, type, tree) }, { literal = literal }, tree)
end

-- Arithmetic of dates, timestamps and durations, or nil. Counts are i64: the operations are those of integers.
function Checker:time_arithmetic(op, a, b, tree)
  local x, y = a.type, b.type
  local function is_moment(t) return t == types.date or t.id == "timestamp" end
  if not (is_moment(x) or is_moment(y) or x.id == "duration" or y.id == "duration") then return nil end
  local function count(of, left, right, type) return node.call(of, { left, right }, { type = type, on = types.i64 }, tree) end
  local function stamp(n, unit) -- a date or timestamp in a unit
    local zone = n.type.id == "timestamp" and n.type.zone or nil
    return coerce.cast(n, types.make("timestamp", unit, zone), tree)
  end
  local function span(n, unit) return coerce.cast(n, types.make("duration", unit), tree) end
  local function unit_of(n) return n.type.unit or "us" end
  local unit = x.unit and y.unit and types.finer_unit(x.unit, y.unit) or x.unit or y.unit or "us"

  if op == "SUB" and is_moment(x) and is_moment(y) then
    return count(op, stamp(a, unit), stamp(b, unit), types.make("duration", unit))
  end
  if op == "ADD" and x.id == "duration" and is_moment(y) then a, b, x, y = b, a, y, x end
  if (op == "ADD" or op == "SUB") and y.id == "duration" then
    if x == types.date and b.days then
      local days = node.call("CAST", { a }, { type = types.i64, on = types.i64, on2 = types.i32, mode = "check" }, tree)
      local moved = count(op, days, b.days, types.i64)
      return node.call("CAST", { moved }, { type = types.date, on = types.i32, on2 = types.i64, mode = "check" }, tree)
    end
    if is_moment(x) then
      local left = stamp(a, unit)
      return count(op, left, span(b, unit), left.type)
    end
    if x.id == "duration" then return count(op, span(a, unit), span(b, unit), types.make("duration", unit)) end
  end
  if x.id == "duration" and y.id == "duration" then
    a, b = span(a, unit), span(b, unit)
    if op == "FLOORDIV" then return count(op, a, b, types.i64) end
    if op == "MOD" then return count(op, a, b, a.type) end
    if op == "DIV" then
      local function f64(n) return node.call("CAST", { n }, { type = types.f64, on = types.f64, on2 = types.i64, mode = "check" }, tree) end
      return node.call(op, { f64(a), f64(b) }, {}, tree)
    end
  end
  if op == "MUL" and (x.integer or y.integer) and (x.id == "duration" or y.id == "duration") then
    local n, d = a, b
    if x.id == "duration" then n, d = b, a end
    return count(op, coerce.cast(n, types.i64, tree), d, types.make("duration", unit_of(d)))
  end
  node.fail(tree, "type", ('"%s" has no meaning for %s and %s'):format(tree.op, x.name, y.name),
    (x.number or y.number) and "write days(n), hours(n), minutes(n) or seconds(n) for a number" or nil)
end

---A comparison of two nodes.
function Checker:compare(op, a, b, tree)
  if a.type == types.null or b.type == types.null then return node.const(types.bool, nil, tree) end
  if a.type == types.opaque or b.type == types.opaque then node.fail(tree, "type", "values of a foreign type cannot be compared") end
  a, b = coerce.compared(a, b, tree)
  return node.call(op, { a, b }, { type = types.bool, on2 = b.type }, tree)
end

function Checker:comparison(tree)
  local op = comparisons[tree.op]
  if op == "EQ" or op == "NE" then
    local other = tree.b.kind == "null" and tree.a or tree.a.kind == "null" and tree.b
    if other then
      local n = self:check(other)
      if n.type == types.null then return node.const(types.bool, op == "EQ", tree) end
      return node.call(op == "EQ" and "IS_NULL" or "IS_NOT_NULL", { n }, { type = types.bool }, tree)
    end
  end
  return self:compare(op, self:check(tree.a), self:check(tree.b), tree)
end

local function boolean(n, tree, what)
  if n.type == types.null then return node.const(types.bool, nil, n) end
  if n.type == types.bool then return n end
  node.fail(tree, "type", ('%s takes conditions, found %s'):format(what, n.type.name),
    what == '"and"' and "write if(c, a, null), or c and a or b" or "compare it with a value, as in x ~= 0 or x ~= null")
end

function Checker:conjunction(tree, truth)
  local a, b = self:check(tree.a, truth), self:check(tree.b, truth)
  return node.call("AND", { boolean(a, tree, '"and"'), boolean(b, tree, '"and"') }, { type = types.bool, truth = truth }, tree)
end

-- a or b, where both are checked.
local function alternative(a, b, tree, truth)
  if a.type == types.null then return b end
  if a.type == types.bool and (b.type == types.bool or b.type == types.null) then
    if a.nullable and not truth then
      node.fail(tree, "nullable-or", 'the left side of "or" may be null: Lua would take the right side, SQL gives null',
        "write coalesce(a, false) or b, or if(a, true, b)")
    end
    return node.call("OR", { a, boolean(b, tree, '"or"') }, { type = types.bool, truth = truth }, tree)
  end
  if a.type == types.bool then boolean(b, tree, '"or"') end
  local values, type = coerce.unify({ a, b }, '"or"')
  return node.call("COALESCE", values, { type = type, on = type }, tree)
end

-- A chain a or b or c ..., from the right; an operand `c and v` whose v is no condition makes an if.
function Checker:disjunction(tree, truth)
  local links, operands_of = {}, {}
  while tree.kind == "binary" and tree.op == "or" do
    table.insert(links, 1, tree)
    table.insert(operands_of, 1, tree.b)
    tree = tree.a
  end
  table.insert(operands_of, 1, tree)
  local checked, conditions = {}, {}
  for i, operand in ipairs(operands_of) do
    if i < #operands_of and operand.kind == "binary" and operand.op == "and" then
      local value = self:check(operand.b, truth)
      if value.type == types.bool or value.type == types.null then
        local left = boolean(self:check(operand.a, truth), operand, '"and"')
        value = node.call("AND", { left, boolean(value, operand, '"and"') }, { type = types.bool, truth = truth }, operand)
      else
        conditions[i] = self:condition(operand.a, 'the left side of "and"')
      end
      checked[i] = value
    else
      checked[i] = self:check(operand, truth)
    end
  end
  local result = checked[#checked]
  for i = #checked - 1, 1, -1 do
    if conditions[i] then
      result = forms.select(conditions[i], checked[i], result, links[i])
    else
      result = alternative(checked[i], result, links[i], truth)
    end
  end
  return result
end

function Checker:negative(tree)
  if tree.a.kind == "number" then
    local value = tree.a.value
    if type(value) == "number" then return node.const(types.f64, -value, tree, true) end
    if value == 0x8000000000000000ULL or value < 0x8000000000000000ULL then
      return node.const(types.i64, -ffi.cast("int64_t", value), tree, true)
    end
    node.fail(tree, "type", ("-%s does not fit i64"):format(tostring(value):gsub("ULL", "")))
  end
  local n = self:check(tree.a)
  if n.type == types.null then return node.const(types.f64, nil, n) end
  if n.type == types.u64 then node.fail(tree, "type", "a u64 has no negative", "write -i64(…)") end
  if n.type.integer then return node.call("NEG", { coerce.cast(n, types.i64, tree) }, { literal = n.literal }, tree) end
  if n.type.float then return node.call("NEG", { n }, { literal = n.literal }, tree) end
  if n.type.id == "duration" then return node.call("NEG", { n }, { type = n.type, on = types.i64 }, tree) end
  node.fail(tree, "type", ('"-" takes a number, found %s'):format(n.type.name))
end

-- ---- The walk ----

local result_types = { f64 = types.f64, bool = types.bool, i64 = types.i64 }

function Checker:call(tree, truth)
  local entry = self:entry(tree)
  if entry.form then return forms[entry.form](self, tree, entry, truth) end
  self:count(tree, entry, #entry.takes, #entry.takes)
  local args = {}
  for i, arg in ipairs(tree.args) do args[i] = self:kind(self:check(arg), entry.takes[i], entry, i, tree) end
  return node.call(entry.op, args, { type = result_types[entry.gives] }, tree)
end

---@param tree table
---@param truth boolean? null counts as false here
---@return table node
function Checker:check(tree, truth)
  local kind = tree.kind
  if kind == "column" then return self:column(tree) end
  if kind == "number" then return self:number(tree) end
  if kind == "text" then return node.const(types.utf8, tree.value, tree) end
  if kind == "bool" then return node.const(types.bool, tree.value, tree) end
  if kind == "null" then return node.const(types.null, nil, tree) end
  if kind == "param" then return self:param(tree) end
  if kind == "call" then return self:call(tree, truth) end
  if kind == "set" then node.fail(tree, "type", "braces stand only in is_in(x, {…})") end
  if kind == "unary" then
    if tree.op == "-" then return self:negative(tree) end
    return node.call("NOT", { boolean(self:check(tree.a), tree, '"not"') }, { type = types.bool }, tree)
  end
  if tree.op == "and" then return self:conjunction(tree, truth) end
  if tree.op == "or" then return self:disjunction(tree, truth) end
  if comparisons[tree.op] then return self:comparison(tree) end
  if tree.op == ".." then
    return node.call("CONCAT", { forms.text_of(self:check(tree.a), tree), forms.text_of(self:check(tree.b), tree) }, {}, tree)
  end
  return self:arithmetic(tree)
end

local check = {}

---The typed tree of an expression.
---@param tree table
---@param scope table see moonmill.expr
---@return table node
function check.value(tree, scope)
  local n = setmetatable({ scope = scope }, Checker):check(tree)
  if n.type == types.null then node.fail(tree, "type", "null alone has no type", "cast it, as in f64(null)") end
  return n
end

---The typed tree of a condition of where.
function check.condition(tree, scope)
  return setmetatable({ scope = scope }, Checker):condition(tree, "the condition")
end

---The typed tree of an expression as a type that the caller chose; `mode` as in forms.cast_to.
function check.cast(tree, scope, type, mode)
  return forms.cast_to(setmetatable({ scope = scope }, Checker):check(tree), type, mode or "check", tree)
end

return check
