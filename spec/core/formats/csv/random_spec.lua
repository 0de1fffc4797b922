local columns = require "columns"
local files = require "files"
local null = columns.null

-- All columns as text.
local function as_text(path)
  local names = files.bytes(path):match "^[^\r\n]*"
  local declared = {}
  for name in names:gmatch "c%d+" do declared[#declared + 1] = name .. ": utf8?" end
  return declared
end

-- Fields row by row, in peer.py's form; null is empty text, as Python has no null.
local function fields(lists, declared)
  local out = {}
  local first = lists[declared[1]:match "^%w+"]
  for row = 1, #first do
    for _, column in ipairs(declared) do
      local value = lists[column:match "^%w+"][row]
      out[#out + 1] = (value == null and "" or value):gsub("\\", "\\\\"):gsub("\n", "\\n"):gsub("\r", "\\r")
    end
  end
  return table.concat(out, "\n") .. (#out > 0 and "\n" or "")
end

describe("random tables", function()
  local seed, count = os.time(), 60
  setup(function()
    os.execute(("python3 spec/core/formats/csv/peer.py %d %d %s"):format(seed, count, files.folder()))
  end)

  it("are read as Python's csv module reads them", function()
    for i = 0, count - 1 do
      local path = files.path("case" .. i .. ".csv")
      local declared = as_text(path)
      local lists, err = files.read { paths = { path }, columns = declared }
      assert(lists, ("seed %d, case %d: %s"):format(seed, i, err and err.message or ""))
      assert.same(files.bytes(files.path("case" .. i .. ".txt")), fields(lists, declared),
        ("seed %d, case %d"):format(seed, i))
    end
  end)

  it("do not depend on the bytes read at a time, threads, or rows a batch", function()
    for i = 0, count - 1, 3 do
      local path = files.path("case" .. i .. ".csv")
      local declared = as_text(path)
      local whole = fields(files.read { paths = { path }, columns = declared }, declared)
      for _, case in ipairs { { 1, 1, 64 }, { 2, 2, 128 }, { 63, 3, 64 }, { 64, 1, 0 }, { 65, 2, 64 } } do
        local lists = files.read { paths = { path }, columns = declared, options = { chunk = case[1] },
          threads = case[2], batch_rows = case[3] }
        assert.truthy(whole == fields(lists, declared), ("seed %d, case %d, chunk %d"):format(seed, i, case[1]))
      end
    end
  end)

  it("are written so that they read back, with the difference of null and empty text", function()
    for i = 0, count - 1 do
      local declared = as_text(files.path("case" .. i .. ".csv"))
      local once = files.save { paths = { files.path("case" .. i .. ".csv") }, columns = declared, name = "once.csv" }
      local twice = files.save { paths = { files.path "once.csv" }, columns = declared, name = "twice.csv" }
      assert.truthy(once == twice, ("seed %d, case %d"):format(seed, i))
      local a = files.read { paths = { files.path("case" .. i .. ".csv") }, columns = declared }
      assert.same(a, (files.read { paths = { files.path "once.csv" }, columns = declared }),
        ("seed %d, case %d"):format(seed, i))
    end
  end)
end)

describe("hostile bytes", function()
  -- Random texts out of few characters, most of them no CSV: what reading each gives, told in a line.
  local script = [[
    package.path = "./lua/?.lua;./spec/support/?.lua;" .. package.path
    local columns, files = require "columns", require "files"
    math.randomseed(SEED)
    local alphabet = { "a", "1", ",", ",", '"', '"', "\n", "\n", "\r", "\r\n", "\0", "\255", "\195\169", '","',
      ("x"):rep(70) }
    for i = 1, 300 do
      local parts = { "a,b\n" }
      for j = 1, math.random(0, 60) do parts[j + 1] = alphabet[math.random(#alphabet)] end
      local text = table.concat(parts)
      local lists, err = files.read { text = text, columns = { "b: utf8?" }, options = { chunk = CHUNK,
        ragged = i % 3 == 0 } }
      if lists then
        for k, value in ipairs(lists.b) do lists.b[k] = ("%q"):format(tostring(value)) end
        print(table.concat(lists.b, " "))
      else
        print(err.id .. " " .. err.line .. " " .. err.column .. " " .. err.row)
      end
    end
  ]]
  local function outcome(isa, chunk, seed)
    local path = files.write("hostile.lua", (script:gsub("SEED", tostring(seed)):gsub("CHUNK", tostring(chunk))))
    return files.run(("MM_ISA=%s %s %s 2>&1"):format(isa, files.luajit(), path))
  end

  it("have the same outcome on every instruction set and with any number of bytes read at a time", function()
    local seed = os.time()
    local first = outcome("base", 0, seed)
    assert.truthy(select(2, first:gsub("\n", "")) >= 300, first:sub(1, 500))
    for _, case in ipairs { { "avx2", 0 }, { "avx2", 1 }, { "base", 3 }, { "avx2", 64 } } do
      assert.truthy(first == outcome(case[1], case[2], seed), ("seed %d, %s, chunk %d"):format(seed, case[1], case[2]))
    end
  end)
end)
