-- The programs of examples/ are built as a user would: against the installed library, by pkg-config.
local build = os.getenv "MM_BUILD" or "build"

local function output(command)
  local pipe = assert(io.popen(command .. " 2>&1; echo \"exit $?\""))
  local text = pipe:read "*a"
  pipe:close()
  return text:match "^(.-)exit (%d+)\n$"
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

describe("the C example, with the installed library,", function()
  local folder = os.tmpname()
  local environment = ("PKG_CONFIG_PATH=%s/lib/pkgconfig LD_LIBRARY_PATH=%s/lib "):format(folder, folder)
  local DATA = "pipelines/data/flights.csv.zst"

  setup(function()
    os.remove(folder)
    local text, code = output(("make install BUILD=%s PREFIX=%s"):format(build, folder))
    assert.equal("0", code, text)
  end)
  teardown(function() os.execute("rm -rf " .. folder) end)

  local function compile(compiler, source, program)
    local command = "%s%s %s $(%spkg-config --cflags --libs moonmill) -o %s/%s"
    return output(command:format(environment, compiler, source, environment, folder, program))
  end

  it("is built without a warning and gives what the command gives", function()
    local text, code = compile("cc -std=c11 -Wall -Wextra -Wpedantic -Werror", "examples/delays.c", "delays")
    assert.same({ "", "0" }, { text, code })
    local chain = ':group("carrier", "delay = mean(arr_delay)")'
    local expected = output(("%s/moonmill run -e '%s' %s | tail -n +2 | tr , ' '"):format(build, chain, DATA))
    local found, status = output(("%s%s/delays %s"):format(environment, folder, DATA))
    assert.equal("0", status)
    assert.is_true(#found > 100)
    assert.equal(expected, found)
  end)

  it("says what is wrong, with the exit code of the command", function()
    assert.same({ "delays: none.csv cannot open: No such file or directory\n", "3" },
      { output(("%s%s/delays none.csv"):format(environment, folder)) })
  end)

  it("may be C++", function()
    local source = folder .. "/version.cc"
    local file = assert(io.open(source, "w"))
    file:write 'extern "C" {\n#include <moonmill/stage.h>\n}\nint main() { return mm_version() != MM_VERSION; }\n'
    file:close()
    assert.same({ "", "0" }, { compile("c++ -Wall -Wextra -Werror", source, "version") })
    assert.same({ "", "0" }, { output(("%s%s/version"):format(environment, folder)) })
  end)

  it("is in the guide", function()
    assert.truthy(read("docs/c.md"):find("```c\n" .. read "examples/delays.c" .. "```", 1, true))
  end)

  it("goes away with uninstall", function()
    assert.same({ "", "0" }, { output(("make uninstall PREFIX=%s"):format(folder)) })
    assert.equal("", (output(("find %s -name '*moonmill*'"):format(folder))))
  end)
end)
