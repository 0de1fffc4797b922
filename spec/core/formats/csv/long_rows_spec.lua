-- Rows longer than the strips of 32 KiB that the reader works in: with more fields than the header, and fewer.
local files = require "files"

local null = require("columns").null

-- A row of `fields` fields, number `at` of them wide, the others short.
local function row(fields, wide, at)
  local parts = {}
  for i = 1, fields do parts[i] = i == at and wide or tostring(i % 10) end
  return table.concat(parts, ",")
end

-- A field as the reader gives it.
local function cell(text)
  if text == nil or text == "" then return null end
  local inner = text:match '^"(.*)"$'
  return inner and inner:gsub('""', '"') or text
end

-- Rows without a header, of as many binary columns as are wanted; longer and shorter ones too.
local function read(text, columns, chunk)
  local declared = {}
  for i = 1, columns do declared[i] = ("c%d: binary?"):format(i) end
  return files.read { text = text, columns = declared, options = { ragged = true, no_header = true, chunk = chunk } }
end

describe("a row longer than a strip", function()
  local PLAIN, QUOTED = ("x"):rep(70000), '"' .. ("y,\n\"\""):rep(15000) .. '"'
  for _, columns in ipairs { 1, 2, 3, 100 } do
    -- Each row as its number of fields, and perhaps a wide field and where it stands.
    local function shapes(wide)
      return { { columns }, { columns + 40000 }, { columns }, { columns + 3, wide, columns },
        { columns + 40000, wide, columns + 2 }, { 1 }, { columns + 40000, wide, 1 },
        { columns + 1, wide, columns + 1 } }
    end

    local function check(shown, newline, last, chunk)
      local rows = {}
      for i, shape in ipairs(shown) do rows[i] = row(unpack(shape)) end
      local lists, err = read(table.concat(rows, newline) .. last, columns, chunk)
      assert.is_true(lists ~= nil, err and err.message)
      for c = 1, columns do
        local list = lists["c" .. c]
        assert.equal(#shown, #list)
        for r, shape in ipairs(shown) do
          local expected = shape[3] == c and shape[2] or c <= shape[1] and tostring(c % 10) or nil
          assert.is_true(list[r] == cell(expected), ("row %d, column %d"):format(r, c))
        end
      end
    end

    for name, newline in pairs { ["LF"] = "\n", ["CR LF"] = "\r\n" } do
      for kind, wide in pairs { plain = PLAIN, quoted = QUOTED } do
        it(("is cut where it has too many fields: %d columns, %s, %s"):format(columns, name, kind), function()
          for _, chunk in ipairs { 0, 1000 } do
            check(shapes(wide), newline, newline, chunk)
            check(shapes(wide), newline, "", chunk)
          end
        end)
      end
    end
  end

  it("is cut under a header, and where types are inferred", function()
    local lists = files.read { text = "a,b\n1,2\n" .. row(50000) .. "\n3\n", options = { ragged = true } }
    assert.same({ a = { 1, 1, 3 }, b = { 2, 2, null } }, lists)
    lists = files.read { text = "a\n" .. row(50000) .. "\n" .. row(60000), options = { ragged = true } }
    assert.same({ a = { 1, 1 } }, lists)
  end)

  it("is cut, and filled, where there are 65,536 columns", function()
    local names = {}
    for i = 1, 65536 do names[i] = "n" .. i end
    local text = table.concat(names, ",") .. "\n" .. row(80000) .. "\n1\n" .. row(65536) .. "\n"
    local lists = files.read { text = text, options = { ragged = true }, columns = { "n65536: i64?", "n2: i64?" } }
    assert.same({ n65536 = { 6, null, 6 }, n2 = { 2, null, 2 } }, lists)
  end)

  it("is one of lines", function()
    local lists = files.read { text = ("x,"):rep(40000) .. "\n\ny", options = { lines = true } }
    assert.is_true(lists.line[1] == ("x,"):rep(40000))
    assert.same({ "", "y" }, { lists.line[2], lists.line[3] })
  end)

  it("is cut up to the limit of 64 MiB, which is named", function()
    local field = ("x"):rep(2 ^ 20 - 1)
    local lists = files.read { text = "a,b\n" .. (field .. ","):rep(63) .. "\n1,2\n", columns = { "b: utf8?" },
      options = { ragged = true } }
    assert.is_true(lists.b[1] == field and lists.b[2] == "2")
    local _, err = files.read { text = "a,b\n" .. (field .. ","):rep(65) .. "\n1,2\n", options = { ragged = true } }
    assert.same({ "row-too-long", 2 }, { err.id, err.line })
  end)

  it("is refused where rows may not be ragged, as a short one is", function()
    local _, err = files.read { text = "a,b\n1,2\n" .. row(50000) .. "\n" }
    assert.same({ "ragged-row", 3, "the row has 50000 fields, expected 2" }, { err.id, err.line, err.message })
  end)
end)
