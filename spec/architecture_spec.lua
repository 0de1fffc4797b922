-- Arrows point down only: pybridge -> lua -> core; pipelines see the language and nothing else.
local function files(...)
  local list = {}
  local pipe = assert(io.popen("git ls-files --cached --others --exclude-standard -- " .. table.concat({ ... }, " ")))
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  return list
end

local function each_line(path, visit)
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    visit(line, path .. ":" .. number)
  end
end

---Lines of files that `forbidden` names something of.
local function offences(paths, forbidden)
  local found = {}
  for _, path in ipairs(paths) do
    each_line(path, function(line, place)
      local what = forbidden(line, path)
      if what then found[#found + 1] = place .. ": " .. what end
    end)
  end
  return found
end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local function code(line) return (line:gsub("%-%-.*", "")) end

describe("the tree", function()
  it("has files to look at", function()
    assert.is_true(#files "'core/*.c'" > 10)
    assert.is_true(#files "'lua/moonmill/*.lua'" > 3)
  end)

  it("lets the core include only the core", function()
    assert.same({}, offences(files("'core/*.c'", "'core/*.h'", "'core/*.cc'"), function(line, path)
      local name = line:match '^%s*#%s*include%s+"([^"]+)"'
      if name and not exists("core/" .. (name:gsub("^%.%./", ""))) and not exists(path:match "^(.*/)" .. name) then
        return name
      end
      if name and (name:find "%.%./%.%./" or name:find "lua" or name:find "host%.h") then return name end
      local system = line:match "^%s*#%s*include%s+<([^>]+)>"
      if system and (system:find "^l?ua" or system:find "^lauxlib" or system:find "^Python") then return system end
    end))
  end)

  it("lets the language require only itself and LuaJIT", function()
    local own = { ffi = true, bit = true, jit = true, ["string.buffer"] = true, ["table.new"] = true,
      ["table.clear"] = true, argparse = true }
    assert.same({}, offences(files "'lua/moonmill/*.lua'", function(line)
      local name = code(line):match "%f[%w]require%s*%(?%s*[\"']([%w%._]+)[\"']"
      if name and not own[name] and not name:find "^moonmill" and not name:find "^jit%." then return name end
    end))
  end)

  it("lets the Python extension see the public headers and Python, neither the core's insides nor Lua", function()
    local public = { ["moonmill.h"] = true, ["arrow_abi.h"] = true, ["host.h"] = true, ["session.h"] = true,
      ["functions.h"] = true, ["base/clock.h"] = true }
    assert.same({}, offences(files("'pybridge/src/*.c'", "'pybridge/src/*.h'"), function(line)
      local name = line:match '^%s*#%s*include%s+"([^"]+)"'
      if name and not public[name] and not exists("pybridge/src/" .. name) then return name end
      local system = line:match "^%s*#%s*include%s+<([^>]+)>"
      if system and (system:find "^l?ua" or system:find "^lauxlib") then return system end
    end))
  end)

  it("lets the core and the host know nothing of Python", function()
    assert.same({}, offences(files("'core/*.c'", "'core/*.h'", "'lua/host/*.c'", "'lua/host/*.h'"), function(line)
      local name = line:match '^%s*#%s*include%s+[<"]([^">]+)'
      if name and (name:find "^Python" or name:find "pybridge") then return name end
    end))
  end)

  it("binds C in one file", function()
    assert.same({}, offences(files "'lua/moonmill/*.lua'", function(line, path)
      if path ~= "lua/moonmill/ffi.lua" and code(line):find "ffi%.[cl][do][ea][fd]%f[%W]" then return line end
    end))
  end)

  it("lets pipelines require only the language", function()
    assert.same({}, offences(files "'pipelines/*.lua'", function(line)
      local name = code(line):match "%f[%w]require%s*%(?%s*[\"']([%w%._]+)[\"']"
      if name and name ~= "moonmill" then return name end
    end))
  end)

  it("has no place for odds and ends", function()
    local found = {}
    for _, path in ipairs(files "core lua pipelines pybridge") do
      local name = path:match "([^/]+)%.[^./]+$"
      if name and (name:find "^utils?$" or name == "common" or name == "misc" or name:find "^helpers?$") then
        found[#found + 1] = path
      end
    end
    assert.same({}, found)
  end)

  it("keeps the header readable by LuaJIT: no macros, no inline, no conditions around declarations", function()
    assert.same({}, offences({ "core/moonmill.h" }, function(line)
      for _, pattern in ipairs { "^%s*#%s*define", "^%s*#%s*if", "static%s+inline", "\\$" } do
        if line:match(pattern) then return line end
      end
    end))
  end)

  it("says the licence in every C file", function()
    local found = {}
    for _, path in ipairs(files("'core/*.c'", "'core/*.h'", "'core/*.cc'", "'lua/host/*.c'", "'lua/host/*.h'",
      "'pybridge/src/*.c'", "'pybridge/src/*.h'")) do
      local head = assert(io.open(path)):read(4000) or ""
      if not head:find("SPDX-License-Identifier: MIT", 1, true) then found[#found + 1] = path end
    end
    assert.same({}, found)
  end)
end)
