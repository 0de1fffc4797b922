local columns = require "columns"
local files = require "files"
local null = columns.null

local function save(fields, output, name)
  return files.save { table = columns.table(fields), output = output, name = name }
end

describe("writing CSV", function()
  it("writes every type so that it reads back", function()
    local fields = {
      { "a", "i8", { -128, null, 127 } }, { "b", "u64", { 0, null, 18446744073709551615ULL } }, { "c", "f64", { 0.1,
        null, -1e300 } },
      { "d", "f32", { 0.5, null, 3.25 } }, { "e", "bool", { true, null, false } }, { "f", "utf8", { "x", null, "" } },
      { "g", "date", { 0, null, 15000 } }, { "h", "timestamp(ms)", { 0, null, 1500 } }, { "i", "duration(s)", { 60,
        null, -3600 } },
      { "j", "i64", { 1, null, -9007199254740992 } }, { "k", "binary", { "\255", null, "y" } },
    }
    local text = save(fields)
    assert.same(4, select(2, text:gsub("\n", "")))
    local declared = {}
    for i, field in ipairs(fields) do declared[i] = field[1] .. ": " .. field[2] .. "?" end
    local expected = {}
    for _, field in ipairs(fields) do expected[field[1]] = field[3] end
    assert.same(expected, (files.read { text = text, columns = declared }))
  end)

  it("quotes only what must be", function()
    local list = { "plain", " blanks ", "a,b", 'a"b', "a\nb", "a\rb", "", "tab\there", "é", "'", "#x" }
    assert.same('t\nplain\n blanks \n"a,b"\n"a""b"\n"a\nb"\n"a\rb"\n""\ntab\there\né\n\'\n#x\n', save { { "t", "utf8",
      list } })
  end)

  it("quotes names", function()
    assert.same('"a,b","c""d"\n1,2\n', save { { "a,b", "i64", { 1 } }, { 'c"d', "i64", { 2 } } })
  end)

  it("shows that a float is one", function()
    assert.same("x\n1024.0\n0.1\n-0.0\n", save { { "x", "f64", { 1024, 0.1, -0.0 } } })
  end)

  it("takes another delimiter, from the name or the option", function()
    assert.same("a\tb\n1,5\tx\n", save({ { "a", "utf8", { "1,5" } }, { "b", "utf8", { "x" } } }, nil, "out.tsv"))
    assert.same('a;b\n1;"x;y"\n', save({ { "a", "i64", { 1 } }, { "b", "utf8", { "x;y" } } }, { delimiter = ";" }))
    assert.same('x-y\n"-1"-2\n', save({ { "x", "i64", { -1 } }, { "y", "i64", { 2 } } }, { delimiter = "-" }))
  end)

  it("writes a text for null, and quotes text that equals it", function()
    local text = save({ { "a", "utf8", { "NA", null, "" } }, { "b", "i64", { 1, null, 3 } } }, { null = "NA" })
    assert.same('a,b\n"NA",1\nNA,NA\n"",3\n', text)
    assert.same({ a = { "NA", null, "" }, b = { 1, null, 3 } }, (files.read { text = text,
      options = { nulls = "NA" } }))
    local _, err = save({ { "a", "utf8", { "x" } } }, { null = "," })
    assert.same("bad-null", err.id)
  end)

  it("writes no header when asked not to", function()
    assert.same("1\n", save({ { "a", "i64", { 1 } } }, { no_header = true }))
  end)

  it("writes the header of a table without rows", function()
    assert.same("a,b\n", save { { "a", "i64", {} }, { "b", "utf8", {} } })
    assert.same("", save({ { "a", "i64", {} } }, { no_header = true }))
  end)

  it("keeps nulls of a single column, the last one too", function()
    local text = save { { "a", "i64", { null, 1, null } } }
    assert.same("a\n\n1\n\n", text)
    assert.same({ a = { null, 1, null } }, (files.read { text = text }))
  end)

  it("writes slices from any row", function()
    local n = 200
    local fields = { { "a", "utf8", function(i) return i % 7 == 0 and null or "t" .. i end, true, n = n }, { "b",
      "bool", function(i) return i % 3 == 0 end, false, n = n } }
    local whole = save(fields)
    assert.same(whole, files.save { table = columns.table(fields, 64) })
  end)
end)

describe("writing zstd", function()
  local function rows(n)
    return { { "n", "i64", function(i) return i end, false, n = n }, { "t", "utf8", function(i) return "text of row "
      .. i * i end, false, n = n } }
  end

  it("makes what the zstd command reads, at every size", function()
    for _, n in ipairs { 0, 1, 1000, 65536, 150000 } do
      local plain = save(rows(n))
      local packed = save(rows(n), nil, "out.csv.zst")
      assert.truthy(#packed < #plain + 30)
      assert.same(plain, files.run("zstd -dc " .. files.path "out.csv.zst"))
      assert.same("", files.run("zstd -q -t " .. files.path "out.csv.zst 2>&1"))
    end
    assert.same("", save({ { "a", "i64", {} } }, { no_header = true }, "none.csv.zst") and files.run("zstd -dc "
      .. files.path "none.csv.zst"))
  end)

  it("makes the same bytes at any number of threads and rows a batch", function()
    local first
    local path = files.write("rows.csv", save(rows(200000)))
    for _, case in ipairs { { 1, 0 }, { 2, 64 }, { 3, 1024 }, { 5, 65536 } } do
      local packed = files.save { paths = { path }, threads = case[1], batch_rows = case[2], name = "out.csv.zst" }
      first = first or packed
      assert.truthy(first == packed, ("%d threads, %d rows a batch"):format(case[1], case[2]))
    end
  end)

  it("has a level", function()
    local other = save(rows(5000), { level = 12 }, "out.zst")
    assert.truthy(#other ~= #save(rows(5000), { level = 1 }, "out.zst"))
    assert.truthy(other == save(rows(5000), { level = 12 }, "out.zst"))
  end)

  it("carries a checksum", function()
    local packed = save(rows(10), nil, "out.csv.zst")
    files.write("bad.csv.zst", packed:sub(1, -2) .. string.char((packed:byte(-1) + 1) % 256))
    local _, err = files.read { paths = { files.path "bad.csv.zst" } }
    assert.same("bad-checksum", err.id)
  end)
end)
