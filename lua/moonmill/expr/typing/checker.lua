-- moonmill.expr.typing.checker - the third pass: a tree to a typed tree. Finds names, types and nulls, and says what is
-- wrong with them.
--
-- `truth` marks places where null counts as false (filters, conditions of if): there `a or b` on nullable conditions
-- means the same in Lua and in SQL; elsewhere it is refused. `c and a or b` with values a, b that are not conditions is
-- if(c, a, b).
local ffi = require "ffi"
local cast = require "moonmill.expr.typing.explicit_cast"
local coerce = require "moonmill.expr.typing.coerce"
local forms = require "moonmill.expr.typing.forms"
local catalogue = require "moonmill.functions.catalogue"
local node = require "moonmill.expr.typing.node"
local operators = require "moonmill.expr.typing.operators"
local suggest = require "moonmill.base.suggest"
local types = require "moonmill.base.types"

local Checker = {}
Checker.__index = Checker

local foreign = { -- names of other tools
  ifelse = "if", iif = "if", case = "if", when = "if", avg = "mean", average = "mean", substr = "sub",
  substring = "sub", length = "len",
  isnull = "x == null", is_null = "x == null", notnull = "x ~= null", is_not_null = "x ~= null", ifnull = "coalesce",
  fill_null = "coalesce", nvl = "coalesce", power = "pow", ceiling = "ceil", ln = "log", isin = "is_in", least = "min",
  greatest = "max",
  strlen = "len", char_length = "len", toupper = "upper", tolower = "lower", uppercase = "upper", lowercase = "lower",
  startswith = "starts_with", endswith = "ends_with", strip = "trim", int = "i64", float = "f64", string = "utf8",
  str = "utf8",
  tostring = "utf8", tonumber = "f64", stddev = "std", nunique = "n_unique", count_distinct = "n_unique",
}

-- ---- Leaves ----

function Checker:column(tree)
  local found = self.scope.columns[tree.name]
  if found and found.type == types.null then return node.const(types.null, nil, tree) end
  if found then return node.column(tree.name, found.type, found.nullable, tree) end
  local hint
  if self.scope.params and self.scope.params[tree.name] then
    hint = ("write p.%s for the parameter"):format(tree.name)
  elseif catalogue.scalars[tree.name] and not suggest.nearest(tree.name, self.scope.order) then
    hint = "it is a function: " .. catalogue.scalars[tree.name].usage
  else
    hint = suggest.hint(tree.name, self.scope.order)
      or #self.scope.order > 0 and "the columns are " .. table.concat(self.scope.order, ", ", 1,
        math.min(#self.scope.order, 20))
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
  if type(value) == "number" and not found.type.float then
    value = ffi.cast(found.type.integer and not found.type.signed and "uint64_t" or "int64_t", value)
  end
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
    node.fail(tree, "type", ("%s is %s, expected bool"):format(what, n.type.name),
      "compare it with a value, as in x ~= 0 or x ~= null")
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
  moment = { "a date or timestamp", function(t)
    return (t == types.date or t.id == "timestamp") and t or nil
  end, "timestamp" },
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
    node.fail(n.at and n or where, "type", ("argument %d of %s is %s, expected %s"):format(index, entry.usage,
      n.type.name, wanted[1]), hint)
  end
  if type.id == "timestamp" and type.zone ~= "" and type.zone ~= "UTC" then
    node.fail(where, "type", ("%s of a timestamp in zone %s cannot be computed yet"):format(entry.name, type.zone),
      "timestamp(x) gives it in UTC")
  end
  return coerce.cast(n, type, n)
end

function Checker:count(tree, entry, least, most)
  local n = #tree.args
  if n >= least and (not most or n <= most) then return end
  local wanted = most == least and ("%d"):format(least) or most and ("%d to %d"):format(least, most)
    or ("at least %d"):format(least)
  node.fail(tree, "argument-count", ("%s takes %s argument%s, found %d"):format(entry.name, wanted, wanted == "1" and ""
    or "s", n), entry.usage)
end

---The entry of a call in the table of functions.
function Checker:entry(tree)
  local entry = catalogue.scalars[tree.name]
  if entry then return entry end
  if catalogue.aggregates[tree.name] then
    node.fail(tree, "aggregate", ("%s is an aggregate, which belongs into group"):format(tree.name),
      (':group("key", { "x = %s" })'):format(catalogue.aggregates[tree.name].usage))
  end
  local other = foreign[tree.name:lower()]
  node.fail(tree, "unknown-function", ('there is no function "%s"'):format(tree.name),
    other and ("write %s"):format(catalogue.scalars[other] and catalogue.scalars[other].usage or other)
      or suggest.hint(tree.name, catalogue.names()) or "moonmill help functions lists them")
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
  return operators[kind][tree.op](self, tree, truth)
end

local check = {}

---The typed tree of an expression.
---@param tree table
---@param scope table see moonmill.expr.compiler
---@return table node
function check.value(tree, scope)
  local column = tree.kind == "column" and scope.columns[tree.name]
  if column then return node.column(tree.name, column.type, column.nullable, tree) end -- of any type
  local n = setmetatable({ scope = scope }, Checker):check(tree)
  if n.type == types.null then node.fail(tree, "type", "null alone has no type", "cast it, as in f64(null)") end
  return n
end

---The typed tree of a condition of where.
function check.condition(tree, scope)
  return setmetatable({ scope = scope }, Checker):condition(tree, "the condition")
end

---The typed tree of an expression as a type that the caller chose; `mode` as in moonmill.expr.typing.explicit_cast.
function check.cast(tree, scope, type, mode)
  return cast(setmetatable({ scope = scope }, Checker):check(tree), type, mode or "check", tree)
end

return check
