local columns = require "columns"
local files = require "files"
local C = require("moonmill.base.ffi").C
local null = columns.null

describe("reading CSV", function()
  it("gives the wanted columns with the declared types, in the wanted order", function()
    local lists, schema = files.read { text = "a,b,c\n1,x,2.5\n2,y,-3\n", columns = { "c: f64", "a: i32" } }
    assert.same({ a = { 1, 2 }, c = { 2.5, -3 } }, lists)
    assert.same({ { "c", "f64", false }, { "a", "i32", false } }, schema)
  end)

  it("reads every type", function()
    local kinds = {
      { "i8", "-128", -128 }, { "i16", "32767", 32767 }, { "i32", "-2147483648", -2147483648 },
      { "i64", "9007199254740992", 9007199254740992 }, { "u8", "255", 255 }, { "u16", "65535", 65535 },
      { "u32", "4294967295", 4294967295 }, { "u64", "18446744073709551615", 18446744073709551615ULL },
      { "f32", "0.5", 0.5 }, { "f64", "-1e-3", -0.001 }, { "bool", "true", true }, { "bool", "false", false },
      { "utf8", "é", "é" }, { "binary", "\255\254", "\255\254" }, { "date", "1970-01-02", 1 },
      { "timestamp", "1970-01-01T00:00:01Z", 1000000 }, { "timestamp(ms)", "1970-01-01 00:00:01.5", 1500 },
      { "duration(s)", "PT1M", 60 },
    }
    for _, kind in ipairs(kinds) do
      local lists, err = files.read { text = "k,x\nk," .. kind[2] .. "\n,\n", columns = { "x: " .. kind[1] .. "?" } }
      assert.same({ x = { kind[3], null } }, lists, kind[1] .. " " .. (lists and "" or err.message))
    end
  end)

  it("tells an empty field, which is null, from quotes with nothing in them, which are empty text", function()
    assert.same({ a = { null, "", "x" }, b = { "", null, "y" } }, (files.read { text = 'a,b\n,""\n"",\nx,y\n' }))
  end)

  it("keeps delimiters, line ends and doubled quotes within quotes", function()
    local lists = files.read { text = 'a,b\n"x,1","say ""hi"""\n"two\nlines","cr\r\nlf"\n"\r","""' .. '"\n',
      columns = { "a: utf8", "b: utf8" } }
    assert.same({ a = { "x,1", "two\nlines", "\r" }, b = { 'say "hi"', "cr\r\nlf", '"' } }, lists)
  end)

  it("takes CRLF, LF, and a last row without a line end", function()
    for _, text in ipairs { "a,b\r\n1,x\r\n2,y\r\n", "a,b\n1,x\n2,y\n", "a,b\r\n1,x\n2,y", "a,b\n1,x\r\n2,y\r\n\r\n",
      "a,b\n1,x\n2,y\n\n" } do
      assert.same({ a = { 1, 2 }, b = { "x", "y" } }, (files.read { text = text }), ("%q"):format(text))
    end
    assert.same({ a = { 1 }, b = { "" } }, (files.read { text = 'a,b\r\n1,""\r\n' }))
  end)

  it("reads numbers within quotes", function()
    assert.same({ { "a", "i64", true } }, { (select(2, files.read { text = 'a\n"1"\n' }))[1] })
    assert.same({ a = { 12 } }, (files.read { text = 'a\n"12"\n', columns = { "a: i64" } }))
  end)

  it("takes an empty line of a file of one column as null, the last one too", function()
    assert.same({ a = { 1, null, 2, null } }, (files.read { text = "a\n1\n\n2\n\n" }))
  end)

  it("skips a byte order mark, also before a quoted name", function()
    assert.same({ a = { 1 } }, (files.read { text = "\239\187\191a\n1\n" }))
    assert.same({ a = { 1 } }, (files.read { text = '\239\187\191"a"\n1\n' }))
  end)

  it("keeps NUL bytes in text", function()
    assert.same({ a = { "x\0y", "\0" }, b = { 1, 2 } }, (files.read { text = "a,b\nx\0y,1\n\0,2\n" }))
  end)

  it("gives an empty table for a header alone", function()
    for _, text in ipairs { "a,b\n", "a,b" } do
      local lists, schema = files.read { text = text }
      assert.same({ a = {}, b = {} }, lists)
      assert.same({ { "a", "utf8", true }, { "b", "utf8", true } }, schema)
    end
  end)

  it("names columns c1, c2, ... without a header, and c<N> where a name is empty", function()
    assert.same({ c1 = { 1, 3 }, c2 = { 2, 4 } }, (files.read { text = "1,2\n3,4\n", options = { no_header = true } }))
    assert.same({ a = { 1 }, c2 = { 2 } }, (files.read { text = "a,\n1,2\n" }))
  end)

  it("reads names in quotes", function()
    assert.same({ ["a,b"] = { 1 }, ['c"d'] = { 2 } }, (files.read { text = '"a,b","c""d"\n1,2\n' }))
  end)

  it("takes further texts for null where they are not quoted", function()
    local lists = files.read { text = 'a,b\nNA,1\n"NA",-\nx,NA\n', options = { nulls = "NA\n-" } }
    assert.same({ a = { null, "NA", "x" }, b = { 1, null, null } }, lists)
  end)

  it("fills short rows and cuts long ones when asked to", function()
    local lists = files.read { text = 'a,b,c\n1\n1,2,3,4\r\n\n1,"x,y"\r\n5,6,7', options = { ragged = true } }
    assert.same({ a = { 1, 1, null, 1, 5 }, b = { null, "2", null, "x,y", "6" }, c = { null, 3, null, null, 7 } },
      lists)
  end)

  it("takes quotes for text without quoting", function()
    assert.same({ a = { '"x', '5"' }, b = { 'y"', '"' } }, (files.read { text = 'a,b\n"x,y"\n5","\n',
      options = { quote = -1 } }))
  end)

  it("takes another delimiter and another quote", function()
    assert.same({ a = { "1;2" }, b = { '"' } },
      (files.read { text = "a;b\n'1;2';\"\n", options = { delimiter = ";", quote = "'" } }))
  end)

  it("finds tabs by name and by content", function()
    local lists, _, format = files.read { text = "a\tb\n1\t2,3\n" }
    assert.same({ a = { 1 }, b = { "2,3" } }, lists)
    assert.same("tsv", format)
    lists, _, format = files.read { paths = { files.write("comma.tsv", "a,b\tc\n1,2\t3\n") } }
    assert.same({ ["a,b"] = { "1,2" }, c = { 3 } }, lists)
    assert.same("tsv", format)
    assert.same("csv", select(3, files.read { text = "a,b\tc\n1,2\n" }))
  end)

  it("counts rows without reading a column", function()
    assert.same(3, (select(4, files.read { text = "a,b\n1,2\n3,4\n5,6\n", columns = {} })))
  end)

  it("fits every count of rows around the edges of words, vectors and morsels", function()
    for _, n in ipairs { 0, 1, 63, 64, 65, 1023, 1024, 1025, 8191, 8192, 8193, 65535, 65536, 65537, 131072 } do
      local lines = { "n,text" }
      for i = 1, n do lines[i + 1] = i .. ",t" .. i end
      local lists = files.read { text = table.concat(lines, "\n") .. "\n", columns = { "n: i64", "text: utf8" } }
      assert.same(n, #lists.n)
      for i = 1, n, math.max(1, math.floor(n / 100)) do
        assert.same(i, lists.n[i])
        assert.same("t" .. i, lists.text[i])
      end
      assert.same(n > 0 and "t" .. n or nil, lists.text[n])
    end
  end)

  it("drops an empty last line also where it would begin a morsel", function()
    for _, n in ipairs { 65534, 65535, 65536, 131072 } do
      local lists, err = files.read { text = "a,b\n" .. ("1,2\n"):rep(n) .. "\n", columns = { "a: i64" } }
      assert.same(n, lists and #lists.a or err.message)
    end
  end)
end)

describe("several files", function()
  it("are one table, in order, columns by name", function()
    local one, two = files.write("one.csv", "a,b\n1,x\n2,y"), files.write("two.csv", "b,a\nz,3\n")
    local empty = files.write("empty.csv", "a,b\n")
    assert.same({ a = { 1, 2, 3, 1, 2 }, b = { "x", "y", "z", "x", "y" } }, (files.read { paths = { one, two, empty,
      one } }))
  end)

  it("make morsels that do not depend on where files end", function()
    local paths, lines = {}, {}
    for i = 1, 70 do
      for j = 1, 1000 do lines[j] = (i - 1) * 1000 + j .. "," .. i end
      paths[i] = files.write("part" .. i .. ".csv", (i % 2 == 0 and "n,file\n" or "n,file\r\n") .. table.concat(lines,
        "\n") .. "\n")
    end
    local lists = files.read { paths = paths, columns = { "file: i64", "n: i64" } }
    assert.same(70000, #lists.n)
    for i = 1, 70000 do
      if lists.n[i] ~= i or lists.file[i] ~= math.ceil(i / 1000) then error("row " .. i) end
    end
  end)

  it("may mix plain and compressed ones", function()
    local one, two = files.write("plain.csv", "a\n1\n"), files.compress("packed.csv.zst", "a\n2\n")
    local lists, _, format = files.read { paths = { one, two } }
    assert.same({ a = { 1, 2 } }, lists)
    assert.same("csv.zst", format)
  end)
end)

describe("types from a sample", function()
  local function infer(...)
    local text = "x\n" .. table.concat({ ... }, "\n") .. "\n"
    local _, schema = files.read { text = text }
    return schema[1][2]
  end

  it("are the narrowest that all values fit", function()
    assert.same("i64", infer("1", "-2", "0", ""))
    assert.same("f64", infer("1", "2.5"))
    assert.same("f64", infer("1e3", "nan"))
    assert.same("bool", infer("true", "false"))
    assert.same("date", infer("2013-01-01", "2013-12-31"))
    assert.same("timestamp(us)", infer("2013-01-01", "2013-01-01T10:00:00Z"))
    assert.same("utf8", infer("1", "x"))
    assert.same("utf8", infer("true", "1"))
    assert.same("utf8", infer("", ""))
  end)

  it("are text where a number would lose digits or a sign", function()
    assert.same("utf8", infer("007", "1"))
    assert.same("utf8", infer("-01"))
    assert.same("utf8", infer("00.5"))
    assert.same("utf8", infer("+49"))
    assert.same("utf8", infer("9223372036854775808"))
    assert.same("utf8", infer("1e999"))
    assert.same("i64", infer("9223372036854775807", "-0"))
    assert.same("f64", infer("0.5", "0"))
  end)

  it("come from as many rows as asked for, and a later misfit is an error that tells how to declare the column",
    function()
    local text = "x,y\n" .. ("1,1\n"):rep(70000) .. "1.5,1\n"
    local lists, err = files.read { text = text, options = { sample_rows = 100 } }
    assert.is_nil(lists)
    assert.same({ "bad-number", 70002, 1, "x", "1.5" }, { err.id, err.line, err.column, err.field, err.value })
    assert.same('declare it in input: "x: f64?"', err.hint)
    lists = files.read { text = text, options = { sample_rows = 100000 } }
    assert.same(1.5, lists.x[70001])
  end)

  -- What comes out of opening alone: the types, or the failure.
  local function open(settings)
    local input, failed = files.open(settings)
    if not input then return nil, failed end
    local types = {}
    for _, field in ipairs(columns.schema(C.mm_input_schema(input))) do types[#types + 1] = field[2] end
    C.mm_input_free(input)
    return types
  end

  it("are not made up where no row is whole: opening tells what is wrong with the first", function()
    for text, id in pairs {
      ['a,b\n1,"2\n3,4\n'] = "unclosed-quote",
      ['a,b\n1,2"\n3,4\n'] = "bad-quote",
      ["a,b\n1\n3,4\n"] = "ragged-row",
      ["a,b\n\n3,4\n"] = "ragged-row",
    } do
      local types, err = open { text = text }
      assert.is_nil(types)
      assert.same({ id, 2, -1 }, { err.id, err.line, err.row }, text)
    end
    local packed = files.bytes(files.compress("whole.zst", "a,b\n" .. ("1,2.5\n"):rep(100000)))
    for _, keep in ipairs { 5, 12, 17 } do
      local types, err = open { paths = { files.write("cut.csv.zst", packed:sub(1, keep)) } }
      assert.is_nil(types)
      assert.same("truncated-zstd", err.id)
    end
  end)

  it("come from the whole rows before a failure, which the reader of the rows tells", function()
    for text, id in pairs {
      ['a,b\n1,2.5\n3,"4\n'] = "unclosed-quote",
      ['a,b\n1,2.5\nx,y"\n'] = "bad-quote",
      ["a,b\n1,2.5\nx\n"] = "ragged-row",
      ["a,b\n1,2.5\nx,y,z\nx,y\n"] = "ragged-row",
    } do
      assert.same({ "i64", "f64" }, (open { text = text }), text)
      local lists, err = files.read { text = text }
      assert.is_nil(lists)
      assert.same({ id, 3 }, { err.id, err.line }, text)
    end
  end)
end)
