local files = require "files"

-- The failure of reading a text: its id, line, column (0: none).
local function fails(id, line, column, settings)
  local lists, err = files.read(settings)
  assert.is_nil(lists)
  assert.same({ id, line, column }, { err.id, err.line, err.column }, err.message)
  return err
end

describe("bad CSV", function()
  it("has rows with too few or too many fields", function()
    local err = fails("ragged-row", 3, 0, { text = "a,b\n1,2\n3\n4,5\n" })
    assert.same("the row has 1 field, expected 2", err.message)
    assert.same(-1, err.code)
    assert.truthy(err.file:match "/input%.csv$")
    assert.same(1, err.row)
    assert.same("the row has 4 fields, expected 2", fails("ragged-row", 2, 0,
      { text = 'a,b\n1,2,"x,\ny",4\n4,5\n' }).message)
    assert.same("the row has 3 fields, expected 2", fails("ragged-row", 4, 0, { text = 'a,b\n1,"\n"\n1,2,3' }).message)
  end)

  it("is found also where field ends line up by chance", function()
    fails("ragged-row", 2, 0, { text = "a,b,c\n1\n2\n3\n" })
    fails("ragged-row", 2, 0, { text = "a,b\n1\n2\n3,4\n5,6\n" })
    fails("ragged-row", 3, 0, { text = "a,b\n1,2\n1,2,3\n1\n1,2\n", columns = { "b: i64" } })
    fails("ragged-row", 3, 0, { text = "a,b\n1,2\n1,2,3\n1\n1,2\n", columns = {} })
  end)

  it("has empty lines before the last", function()
    assert.same("an empty line, expected 2 fields", fails("ragged-row", 3, 0, { text = "a,b\n1,2\n\n3,4\n" }).message)
    fails("ragged-row", 3, 0, { text = "a,b\n1,2\n\n\n" })
    fails("ragged-row", 3, 0, { text = "a,b\r\n1,2\r\n\r\n3,4" })
  end)

  it("has a quote that is not closed: where it was opened", function()
    fails("unclosed-quote", 3, 3, { text = 'a,b\n1,2\n1,"x\n1,2\n' })
    fails("unclosed-quote", 3, 3, { text = 'a,b\n"1",2\n1,"x""\n""' })
    fails("unclosed-quote", 3, 1, { text = 'a,b\n1,2\n"' })
    fails("unclosed-quote", 1, 3, { text = 'a,"b\n1,2\n' })
  end)

  it("has text after a closing quote", function()
    fails("bad-quote", 2, 5, { text = 'a,b\n"12"x,2\n' })
    fails("bad-quote", 3, 6, { text = 'a,b\n1,2\n1,"x" \n' })
    fails("bad-quote", 2, 4, { text = 'a,b\n"1" ,2\n' })
    fails("bad-quote", 2, 6, { text = 'a,b\n1,"2"x\n' })
    fails("bad-quote", 2, 7, { text = 'a,b\n1,"2"\rx\n' })
  end)

  it("has a quote within a field that does not begin with one", function()
    local err = fails("bad-quote", 2, 4, { text = 'a,b\n1,5" pipe\n2,6" pipe\n' })
    assert.truthy(err.hint:match "quotes")
    fails("bad-quote", 2, 4, { text = 'a,b\n1,x"\n' })
    fails("bad-quote", 5, 2, { text = 'a,b\n"x\ny",1\n1,2\n1"2,3\n', columns = { "b: i64" } })
    fails("bad-quote", 1, 4, { text = 'a,b"\n1,2\n' })
  end)

  it("has bytes that are not UTF-8 in a column that is read", function()
    local text = "a,b,c\n1,x,2\n1,\195\169\255,2\n"
    local err = fails("bad-utf8", 3, 3, { text = text })
    assert.same({ "b", "é\\xff" }, { err.field, err.value })
    assert.same({ a = { 1, 1 } }, (files.read { text = text, columns = { "a: i64" } }))
    assert.same({ b = { "x", "\195\169\255" } }, (files.read { text = text, columns = { "b: binary" } }))
    fails("bad-utf8", 2, 1, { text = "a,b\n\195,x\n\169,y\n", columns = { "a: utf8" } })
  end)

  it("has numbers that are none or do not fit", function()
    local err = fails("bad-number", 3, 3, { text = "a,b\n1,2\n1,x2\n", columns = { "b: i64?" } })
    assert.same({ "b", "x2", 'declare it in input: "b: utf8?"' }, { err.field, err.value, err.hint })
    assert.same('b: expected i64, found "x2"', err.message)
    err = fails("bad-number", 3, 1, { text = "a,b\n-128,2\n128,2\n", columns = { "a: i8" } })
    assert.same("a: 128 does not fit i8", err.message)
    for _, case in ipairs {
      { "i64", "3.0" }, { "i64", "9223372036854775808" }, { "i64", "1e3" }, { "i64", " 1" }, { "i64", "1 " }, { "i64",
        "-" }, { "i64", "0x1F" },
      { "i64", "1_000" }, { "u8", "-1" }, { "u8", "256" }, { "u64", "18446744073709551616" }, { "u64", "-1" },
        { "i16", "32768" }, { "u32", "4294967296" },
      { "f64", "1e999" }, { "f64", "1,5" }, { "f64", "." }, { "f64", "-" }, { "f32", "1e39" }, { "i64", '""' },
        { "f64", '""' }, { "i64", "1\r" },
    } do
      local value = case[2]:find(",", 1, true) and '"' .. case[2] .. '"' or case[2]
      local failed = fails("bad-number", 3, 1, { text = "a,b\n1,1\n" .. value .. ",1\n", columns = { "a: "
        .. case[1] } })
      assert.same("a", failed.field)
    end
  end)

  it("has other values that are none", function()
    for _, case in ipairs { { "bool", "yes" }, { "bool", "1" }, { "date", "2013-02-29" }, { "date", "1/2/2013" },
      { "timestamp", "2013-01-01T25:00" },
      { "timestamp(s)", "2013-01-01T10:00:00.5" }, { "duration", "1h" }, { "null", "x" } } do
      local err = fails("bad-value", 2, 3, { text = "a,b\n1," .. case[2] .. "\n", columns = { "b: " .. case[1]
        .. "?" } })
      assert.same(case[2], err.value)
    end
  end)

  it("has nulls in a column that is declared without", function()
    local err = fails("null-value", 3, 3, { text = "a,b\n1,2\n3,\n", columns = { "b: i64" } })
    assert.same('declare it in input: "b: i64?"', err.hint)
    fails("null-value", 2, 1, { text = "a,b\nNA,2\n", columns = { "a: utf8" }, options = { nulls = "NA" } })
  end)

  it("has carriage returns alone, outside quotes", function()
    fails("lone-cr", 2, 1, { text = "a,b\nx\ry,2\n" })
    fails("lone-cr", 1, 0, { text = "a,b\r1,2\r3,4\r" })
  end)

  it("has names that occur twice", function()
    assert.same('columns 1 and 3 are both named "a"', fails("duplicate-column", 1, 0,
      { text = "a,b,a\n1,2,3\n" }).message)
    assert.same('columns 1 and 2 are both named "c2"', fails("duplicate-column", 1, 0, { text = "c2,\n1,2\n" }).message)
  end)

  it("has names that are no text", function()
    fails("bad-header", 1, 0, { text = "a,\255\n1,2\n" })
    fails("bad-header", 1, 0, { text = "a,\0\n1,2\n" })
  end)

  it("is empty", function()
    for _, text in ipairs { "", "\239\187\191" } do
      local err = fails("empty-file", 0, 0, { text = text })
      assert.truthy(err.file:match "/input%.csv$")
    end
    fails("empty-file", 0, 0, { paths = { files.write("some.csv", "a\n1\n"), files.write("none.csv", "") } })
  end)

  it("is something else", function()
    for _, case in ipairs { { "\31\139\8", "gzip" }, { "BZh91AY", "bzip2" }, { "\2537zXZ\0", "xz" }, { "PAR1",
      "Parquet" }, { "\255\254a\0", "UTF-16" },
      { "\254\255\0a", "UTF-16" }, { "PK\3\4", "zip" }, { "ARROW1\0\0", "Arrow IPC" }, { "\147NUMPY", "npy" } } do
      assert.same(("the file is %s, expected CSV"):format(case[2]), fails("wrong-format", 0, 0, { text = case[1]
        .. "\n1\n" }).message)
    end
  end)

  it("has another header in a later file", function()
    local one, two = files.write("first.csv", "a,b\n1,2\n"), files.write("second.csv", "a,c\n1,2\n")
    local err = fails("header-differs", 1, 0, { paths = { one, two } })
    assert.same(two, err.file)
    assert.same('column "b" is missing, which the first file has', err.message)
    err = fails("header-differs", 1, 0, { paths = { one, files.write("third.csv", "b,a,d\n1,2,3\n") } })
    assert.same('column "d" is not in the first file', err.message)
  end)

  it("is told with the right file and line", function()
    local one, two = files.write("first.csv", "a,b\n1,2\n1,2\n"), files.write("second.csv", 'b,a\n1,"2"\n2,x\n')
    local err = fails("bad-number", 3, 3, { paths = { one, two }, columns = { "b: i64", "a: i64" } })
    assert.same(two, err.file)
    assert.same(3, err.row)
  end)

  it("is told at the lowest row, of equal rows in the first column of the file's order asked for", function()
    local text = "a,b\n1,1\n1,x\ny,1\n1\n"
    fails("bad-number", 3, 3, { text = text, columns = { "a: i64", "b: i64" } })
    fails("bad-number", 4, 1, { text = text, columns = { "a: i64" } })
    fails("ragged-row", 5, 0, { text = text, columns = {} })
    fails("bad-number", 2, 3, { text = "a,b\nx,y\n", columns = { "b: i64", "a: i64" } })
  end)

  it("comes after the errors of the rows before it", function()
    fails("bad-number", 2, 1, { text = 'a,b\nx,1\n1,"2\n', columns = { "a: i64" } })
    fails("bad-number", 2, 1, { text = 'a,b\nx,1\n1,2"\n', columns = { "a: i64" } })
  end)

  it("is told far into a file, at any number of threads", function()
    for _, threads in ipairs { 1, 2, 5 } do
      local text = 'a,b\n' .. ('1,"x\ny"\n'):rep(70000) .. "z,1\n" .. ('1,"x\ny"\n'):rep(70000) .. "z,1,3\n"
      local err = fails("bad-number", 140002, 1, { text = text, columns = { "a: i64" }, threads = threads })
      assert.same(70000, err.row)
    end
  end)
end)

describe("limits", function()
  it("refuse rows of more than 64 MiB and fields of more than 16 MiB", function()
    local mega = ("x"):rep(2 ^ 20)
    fails("row-too-long", 3, 1, { text = "a,b\n1,2\n1," .. mega:rep(66) .. "\n" })
    local err = fails("row-too-long", 3, 3, { text = 'a,b\n1,2\n1,"' .. mega:rep(66) .. '"\n' })
    assert.same(-4, err.code)
    err = fails("field-too-long", 3, 3, { text = "a,b\n1,2\n1," .. mega:rep(16) .. "x\n", columns = { "b: utf8" } })
    assert.same({ -4, "b" }, { err.code, err.field })
    local lists = files.read { text = "a,b\n1,2\n1," .. mega:rep(16) .. "\n", columns = { "b: utf8" } }
    assert.same(2 ^ 24, #lists.b[2])
  end)

  it("refuse more than 65536 columns", function()
    fails("too-many-columns", 1, 0, { text = (","):rep(65536) .. "\n" })
    local lists = files.read { text = (","):rep(65535) .. "\n" .. (","):rep(65535) .. "1\n",
      columns = { "c65536: i64" } }
    assert.same({ 1 }, lists.c65536)
    fails("ragged-row", 2, 0, { text = (","):rep(65535) .. "\n1\n" .. ("\n"):rep(70000), columns = { "c65536: i64" } })
  end)
end)

describe("what is asked for", function()
  it("must be there and readable", function()
    local err = fails("not-found", 0, 0, { paths = { files.write("here.csv", "a\n1\n"), files.path "nowhere.csv" } })
    assert.same({ -3, files.path "nowhere.csv" }, { err.code, err.file })
    err = fails("is-directory", 0, 0, { paths = { files.folder() } })
    assert.same({ -3, files.folder() }, { err.code, err.file })
  end)

  it("must be columns of the file", function()
    assert.same(-2, fails("unknown-column", 0, 0, { text = "a\n1\n", columns = { "b: i64" } }).code)
  end)

  it("must make sense", function()
    assert.same(-2, fails("bad-delimiter", 0, 0, { text = "a\n1\n", options = { delimiter = "\n" } }).code)
    assert.same(-2, fails("bad-delimiter", 0, 0, { text = "a\n1\n", options = { delimiter = '"' } }).code)
    assert.same(-2, fails("bad-quote-option", 0, 0, { text = "a\n1\n", options = { quote = "\n" } }).code)
  end)
end)
