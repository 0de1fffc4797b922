-- The seam of formats: a second one, of the host, is found by content and by extension, and has options of its own,
-- though no file of the core knows it.
local ffi = require "ffi"
local columns = require "columns"
local files = require "files"
local C = require("moonmill.base.ffi").C

local build = os.getenv "MM_BUILD" or "build"
local library = build .. "/spec/toy_format.so"
local compile = "mkdir -p %s/spec && gcc -std=gnu11 -Wall -Werror -shared -fPIC -D_GNU_SOURCE -Icore -o %s "
  .. "spec/support/toy_format.c -L%s -lmoonmill"
assert(os.execute(compile:format(build, library, build)) == 0)
pcall(ffi.cdef, "const mm_format *const *toy_formats(void);")
local toy = ffi.load("./" .. library)

local function bytes_of(...)
  local list = { ... }
  return "TOY1\n" .. ffi.string(ffi.new("int64_t[?]", #list, list), 8 * #list)
end

local function read(text, options, format)
  return files.read { text = text, options = options, format = format }
end

local function numbers(first, last)
  local list = {}
  for i = first, last do list[#list + 1] = i end
  return list
end

describe("a format of the host", function()
  before_each(function() C.mm_set_formats(toy.toy_formats(), 1) end)
  after_each(function() C.mm_set_formats(nil, 0) end)

  it("is found by what a file begins with, whatever its name, also when it is compressed", function()
    local lists, schema, format = read(bytes_of(1, -2, 3))
    assert.same({ { value = { 1, -2, 3 } }, { { "value", "i64", false } }, "toy" }, { lists, schema, format })
    local path = files.compress("packed.csv.zst", bytes_of(unpack(numbers(1, 1000))))
    lists, schema, format = files.read { paths = { path } }
    assert.same({ { value = numbers(1, 1000) }, "toy.zst", 1 }, { lists, format, #schema })
  end)

  it("reads several files as one table, in morsels", function()
    local many = ffi.new("int64_t[?]", 100000)
    for i = 0, 99999 do many[i] = i end
    local first = files.write("first", "TOY1\n" .. ffi.string(many, 800000))
    local second = files.write("second", bytes_of(7, 8))
    local lists = files.read { paths = { first, second, first }, options = { chunk = 1000 } }
    assert.equal(200002, #lists.value)
    assert.same({ 99999, 7, 8, 0 }, { unpack(lists.value, 100000, 100003) })
    local _, failed = files.read { paths = { first, files.write("third", "a,b\n") } }
    assert.equal("bad-toy", failed.id)
  end)

  it("leaves all other files to the formats of the core", function()
    local lists, _, format = read "value\n1\n"
    assert.same({ { value = { 1 } }, "csv" }, { lists, format })
    assert.same({ value = { "TOY0", "x" } }, (read "value\nTOY0\nx\n"))
  end)

  it("is written by the end of a path, or by name", function()
    local t = columns.table { { "n", "i64", numbers(1, 70000) } }
    local saved = bytes_of(unpack(numbers(1, 100)))
    local small = columns.table { { "n", "i64", numbers(1, 100) } }
    assert.is_true(files.save { table = small, name = "out.toy" } == saved)
    assert.is_true(files.save { table = small, name = "out.t" } == saved)
    assert.is_true(files.save { table = small, name = "out.csv", format = "toy" } == saved)
    assert.matches("^n\n1\n", files.save { table = small, name = "out.toys" })
    assert.matches("^n\n1\n", files.save { table = small, name = "out.toy", format = "csv" })
    files.save { table = t, name = "many.toy" }
    assert.same({ value = numbers(1, 70000) }, (files.read { paths = { files.path "many.toy" } }))
  end)

  it("leaves nothing when its sink is abandoned", function()
    local path = files.path "gone.toy"
    local sink = C.mm_sink_file(path, nil, nil, nil)
    assert.is_truthy(files.bytes(path))
    C.mm_sink_abandon(sink)
    assert.is_nil(files.bytes(path))
    C.mm_stage_free(sink)
    local kept = C.mm_sink_table(-1, nil)
    C.mm_sink_abandon(kept) -- it has nothing to leave
    C.mm_stage_free(kept)
  end)

  it("has options of its own, checked by its table alone", function()
    local function with(...) return { format_options = { ... } } end
    assert.same({ n = { -30 } }, (read(bytes_of(3), with({ "scale", "10" }, { "sign", "turned" }, { "column", "n" }))))
    for option, message in pairs {
      [{ "scale", "0" }] = 'scale takes a whole number from 1 to 1000, got "0"',
      [{ "scale", "x" }] = 'scale takes a whole number from 1 to 1000, got "x"',
      [{ "sign", "tur" }] = 'sign is one of kept turned, got "tur"',
      [{ "column", "a\nb" }] = "column takes a text of one line",
      [{ "delimiter", ";" }] = 'the format toy has no option "delimiter"',
    } do
      local _, failed = read(bytes_of(3), with(option))
      assert.same({ -2, message }, { failed.code, failed.message })
    end
    local _, failed = read("a\n1\n", with { "scale", "10" })
    assert.same({ "csv-option", 'the format csv has no option "scale"' }, { failed.id, failed.message })
    local t = columns.table { { "n", "i64", { 1 } } }
    _, failed = files.save { table = t, name = "x.toy", output = with { "a", "b" } }
    assert.same({ "toy-option", "this format is written in one way" }, { failed.id, failed.message })
  end)

  it("has its options in the list from which hosts make theirs", function()
    local keys, i = {}, 0
    while C.mm_read_option(i) ~= nil do
      keys[#keys + 1] = ffi.string(C.mm_read_option(i).key)
      i = i + 1
    end
    assert.same({ "scale", "sign", "column", "delimiter", "quote", "null", "header", "ragged" }, keys)
    local err = ffi.new "mm_error"
    assert.equal(0, C.mm_read_option_check("sign", "--sign", "kept", 4, err))
    assert.equal(-2, C.mm_read_option_check("sign", "--sign", "kept ", 5, err))
    assert.equal('--sign is one of kept turned, got "kept "', ffi.string(err.message))
    C.mm_set_formats(nil, 0)
    assert.equal(-2, C.mm_read_option_check("sign", "--sign", "kept", 4, err))
  end)

  it("is known to the language by being there", function()
    local opened = require("moonmill.io.files").open({ files.write("some", bytes_of(5)) },
      { options = { { "column", "n" } } })
    assert.same({ "toy", "n", "i64" }, { opened.format, opened.columns[1].name, opened.columns[1].type.name })
    opened:close()
  end)
end)

describe("a format", function()
  it("that is named is used whatever the file holds", function()
    assert.same({ line = { "a,b", "1,2" } }, (read("a,b\n1,2\n", nil, "lines")))
    local _, failed = read("PAR1", nil, "csv")
    assert.same({ "wrong-format", "the file is Parquet, expected CSV" }, { failed.id, failed.message })
  end)

  it("that is not known is an error with those that are", function()
    local _, failed = read("a\n", nil, "toy")
    assert.same({ "unknown-format", 'there is no format "toy" for reading', "the formats: lines, csv" },
      { failed.id, failed.message, failed.hint })
    _, failed = files.save { table = columns.table { { "n", "i64", { 1 } } }, name = "x", format = "lines" }
    assert.same({ 'there is no format "lines" for writing', "the formats: csv" }, { failed.message, failed.hint })
  end)
end)
