-- What the specs of expressions share: a scope with columns of every type, and trees as text.
local types = require "moonmill.base.types"

local trees = {}

---A scope with a column per type, named like it, and a nullable one with an "n" before its name.
function trees.scope()
  local scope = { columns = {}, order = {}, params = { limit = { type = types.i64, value = 5LL },
    gain = { type = types.f64, value = 1.5 } } }
  for _, name in ipairs(types.names) do
    if name ~= "null" then
      for prefix, nullable in pairs { [""] = false, n = true } do
        scope.columns[prefix .. name] = { type = types[name], nullable = nullable }
        scope.order[#scope.order + 1] = prefix .. name
      end
    end
  end
  table.sort(scope.order)
  return scope
end

---A typed tree as text: OP<types>(arguments), with ! where the operation can fail.
function trees.show(n)
  if n.kind == "column" then return n.name end
  if n.kind == "const" then
    return n.null and "null" or type(n.value) == "string" and '"' .. n.value .. '"'
      or (tostring(n.value):gsub("U?LL$", ""))
  end
  local args = {}
  for i, arg in ipairs(n.args) do args[i] = trees.show(arg) end
  for _, item in ipairs(n.items or {}) do args[#args + 1] = trees.show(item) end
  local on = n.on.name .. (n.on2 and n.on2 ~= n.on and "," .. n.on2.name or "")
  return ("%s<%s>%s(%s)"):format(n.op .. (n.mode and n.mode ~= "check" and "." .. n.mode or ""), on, n.fails and "!"
    or "", table.concat(args, ", "))
end

return trees
