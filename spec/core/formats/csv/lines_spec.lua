-- Lines of text as a column, out of files and out of memory.
local ffi = require "ffi"
local files = require "files"
local native = require "moonmill.base.ffi"
local C = native.C

local function read(text, settings)
  settings = settings or {}
  settings.text, settings.options = text, settings.options or {}
  settings.options.lines = true
  return files.read(settings)
end

describe("reading lines", function()
  it("gives every line whatever it holds, without its line end", function()
    local lists, schema, format = read 'a,b\n\n"x\r\n\tc\rd\r\r\nNA\nlast'
    assert.same({ line = { "a,b", "", '"x', "\tc\rd\r", "NA", "last" } }, lists)
    assert.same({ { "line", "utf8", false } }, schema)
    assert.equal("text", format)
  end)

  it("counts as many lines as there are line feeds, and one for what follows the last", function()
    for text, count in pairs { [""] = 0, ["\n"] = 1, ["\n\n"] = 2, ["a"] = 1, ["a\n"] = 1, ["\na"] = 2,
      ["\239\187\191a\n"] = 1 } do
      assert.equal(count, select(4, read(text)), ("%q"):format(text))
    end
    assert.same({ line = { "a" } }, (read "\239\187\191a\n"))
  end)

  it("does not depend on chunks, threads or batches", function()
    for _, n in ipairs { 1, 63, 64, 65, 1024, 65535, 65536, 65537, 140000 } do
      local lines = {}
      for i = 1, n do lines[i] = ("%d%s"):format(i, ("x"):rep(i % 7)) end
      for _, chunk in ipairs { 100, 65536 } do
        local rows = chunk == 100 and 64 or 0
        local lists = read(table.concat(lines, "\n"), { options = { chunk = chunk }, batch_rows = rows })
        assert.same(lines, lists.line, n)
      end
    end
  end)

  it("goes on from file to file, of which an empty one has none", function()
    local paths = { files.write("1.txt", "a\nb"), files.write("2.txt", ""), files.write("3.txt", "c\n") }
    assert.same({ line = { "a", "b", "c" } }, (read(nil, { paths = paths })))
    assert.same({ line = { "z" } }, (read(nil, { paths = { files.compress("4.zst", "z\n") } })))
  end)

  it("names file and line of what is not UTF-8", function()
    local none, failed = read(("ok\n"):rep(70000) .. "a\255b\n")
    assert.is_nil(none)
    assert.same({ "bad-utf8", 70001, "convert it, for example with iconv" }, { failed.id, failed.line, failed.hint })
  end)

  it("refuses a line that is too long", function()
    local none, failed = read(("x"):rep(17 * 1024 * 1024))
    assert.is_nil(none)
    assert.equal("field-too-long", failed.id)
  end)

  it("refuses other ways to read beside it", function()
    for _, options in ipairs { { delimiter = ";" }, { quote = "'" }, { no_header = true }, { ragged = true },
      { nulls = "NA" } } do
      local none, failed = read("a\n", { options = options })
      assert.is_nil(none)
      assert.equal("lines-option", failed.id)
    end
  end)
end)

describe("an input over memory", function()
  it("reads blocks instead of files, and holds them while it does", function()
    local err, blocks = ffi.new "mm_error", ffi.new "mm_block *[2]"
    for i, text in ipairs { "a,b\n1,x\n", "a,b\n2,y\n3,z" } do
      blocks[i - 1] = C.mm_block_new(#text, err)
      ffi.copy(C.mm_block_data(blocks[i - 1]), text, #text)
    end
    local lists = files.read { paths = { "<one>", "<two>" },
      options = { blocks = ffi.cast("mm_block *const *", blocks) } }
    assert.same({ a = { 1, 2, 3 }, b = { "x", "y", "z" } }, lists)
    for i = 0, 1 do
      assert.is_true(C.mm_block_sole(blocks[i]))
      C.mm_block_release(blocks[i])
    end
  end)

  it("names the block of a row that cannot be read", function()
    local err, blocks = ffi.new "mm_error", ffi.new "mm_block *[1]"
    local text = "a\n1\nx"
    blocks[0] = C.mm_block_new(#text, err)
    ffi.copy(C.mm_block_data(blocks[0]), text, #text)
    local none, failed = files.read { paths = { "<mine>" }, columns = { "a: i64" },
      options = { blocks = ffi.cast("mm_block *const *", blocks) } }
    assert.is_nil(none)
    assert.same({ "<mine>", 3, "x" }, { failed.file, failed.line, failed.value })
    C.mm_block_release(blocks[0])
  end)
end)
