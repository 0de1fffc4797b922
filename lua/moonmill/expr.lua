-- moonmill.expr - the driver of the expression compiler: text -> tree -> typed tree -> vector program.
--
-- DESIGN. One pass per file under moonmill/expr: lex, parse, check (types and nulls), fold (constants), narrow (smaller types, no
-- idle casts), emit (instructions). Trees are never changed: each pass returns a new one. `expr.builder` compiles several
-- expressions, in order, into one program: neighbouring stages fuse.
--
-- A scope is { columns = { name -> {type =, nullable =} }, order = { names... }, params = { name -> {type =, value =} } }, where type is
-- one of moonmill.types and the value of a parameter is what `expr.constant` gives (nil: null).
local parse = require "moonmill.expr.parse"

local expr = {}

---Tree of an expression; raises a failure (moonmill.failure) on a mistake.
---@param text string
---@param origin table? {file, line, column} of the text's first byte
---@return table tree
expr.parse = parse.expression

---"name = expression": its name and tree. "cols(...) = expression": the tree of the selector (kind "call", name "cols") instead of the name.
---A column's name alone names itself.
---@param text string
---@param origin table?
---@return string|table name
---@return table tree
expr.parse_named = parse.named

return expr
