-- moonmill.expr.syntax.print - a tree as text again: one spelling for equal trees.

local function quoted(text)
  return '"' .. text:gsub('[\n\t\r"\\]', { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ['"'] = '\\"',
    ["\\"] = "\\\\" }) .. '"'
end

local function name(tree)
  return tree.name:find "^[%a_\128-\255][%w_\128-\255]*$" and not tree.quoted and tree.name or "`" .. tree.name .. "`"
end

local function print_tree(tree, inner)
  local function list(items)
    local parts = {}
    for i, item in ipairs(items) do parts[i] = print_tree(item) end
    return table.concat(parts, ", ")
  end
  local kind = tree.kind
  if kind == "column" then return name(tree) end
  if kind == "param" then return "p." .. tree.name end
  if kind == "text" then return quoted(tree.value) end
  if kind == "null" then return "null" end
  if kind == "call" then return tree.name .. "(" .. list(tree.args) .. ")" end
  if kind == "set" then return "{" .. list(tree.items) .. "}" end
  if kind == "number" and type(tree.value) == "number" then
    local text = ("%.17g"):format(tree.value)
    local short = ("%.15g"):format(tree.value)
    if tonumber(short) == tree.value then text = short end
    return text:find "[.e]" and text or text .. ".0"
  end
  if kind == "number" then return (tostring(tree.value):gsub("U?LL$", "")) end
  if kind == "bool" then return tostring(tree.value) end
  local text
  if kind == "unary" then
    text = (tree.op == "not" and "not " or "-") .. print_tree(tree.a, true)
  else
    text = print_tree(tree.a, true) .. " " .. tree.op .. " " .. print_tree(tree.b, true)
  end
  return inner and "(" .. text .. ")" or text
end

---@param tree table
---@return string
return function(tree) return print_tree(tree) end
