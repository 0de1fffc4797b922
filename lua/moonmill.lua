-- moonmill - the module that scripts require. What few scripts need is loaded when it is first named.
local parts = {
  pipeline = function() return require("moonmill.pipeline.pipeline").new end,
  fn = function() return require("moonmill.typed.function_module").fn end,
  module = function() return require("moonmill.typed.function_module").new end,
  array = function() return require("moonmill.typed.array").new end,
  store = function() return require "moonmill.store.store" end,
  sat = function() return require("moonmill.typed.integers").sat end,
  wrap = function() return require("moonmill.typed.integers").wrap end,
}

return setmetatable({}, {
  __index = function(self, name)
    local part = parts[name]
    if not part then
      local names = {}
      for known in pairs(parts) do names[#names + 1] = known end
      table.sort(names)
      local hint = require("moonmill.base.suggest").hint(tostring(name), names)
      error(("moonmill has no \"%s\"; %s"):format(tostring(name), hint or "it has " .. table.concat(names, ", ")), 2)
    end
    local value = part()
    rawset(self, name, value)
    return value
  end,
})
