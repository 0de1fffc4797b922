-- Where an output ends up: links, descriptors, owners and modes, and names as long as they may be.
local ffi = require "ffi"
local columns = require "columns"
local files = require "files"

pcall(ffi.cdef, "int geteuid(void);")

local TEXT = "n\n1\n2\n3\n"

local function save(path, output)
  local t = columns.table { { "n", "i64", { 1, 2, 3 } } }
  return files.save { table = t, path = path, output = output }
end

local function sh(text, ...) return files.run("cd " .. files.folder() .. " && " .. text:format(...)) end

describe("an output", function()
  after_each(function()
    assert.equal("", sh "ls -A | grep tmp$")
    os.execute(("chmod -R u+rwx %s; rm -rf %s/*"):format(files.folder(), files.folder()))
  end)

  it("through a link to nothing becomes what the link names, and the link stays", function()
    sh "mkdir sub; ln -s sub/new.csv link; ln -s $PWD/link second"
    for _, name in ipairs { "second", "link" } do
      assert.equal(TEXT, save(files.path(name)))
      assert.equal(TEXT, files.bytes(files.path "sub/new.csv"))
      assert.same("symbolic link\nsymbolic link\nregular file\n", sh "stat -c %%F link second sub/new.csv")
      os.remove(files.path "sub/new.csv")
    end
    sh "mkdir sub/deep; cd sub/deep; ln -s .. up; ln -s up/../made.csv link"
    assert.equal(TEXT, save(files.path "sub/deep/link"))
    assert.equal(TEXT, files.bytes(files.path "made.csv"))
  end)

  it("through links in a circle, or into a folder that is not there, is an error", function()
    sh "ln -s b a; ln -s a b; ln -s nowhere/x.csv c; ln -s ../../../../../../../nowhere/x.csv d; echo >f; ln -s f/x e"
    for name, expected in pairs { a = "cannot create: Too many levels of symbolic links",
      c = "cannot create " .. files.path "nowhere/x.csv" .. ", where the link leads: No such file or directory",
      e = "cannot create " .. files.path "f/x" .. ", where the link leads: Not a directory",
      ["f/x"] = "cannot create: Not a directory", ["g/"] = "cannot create: No such file or directory",
      [("x/"):rep(2100)] = "cannot create: File name too long",
      [("x"):rep(256)] = "cannot create: File name too long" } do
      local text, err = save(files.path(name))
      assert.is_nil(text)
      assert.same({ -3, expected }, { err.code, err.message })
    end
  end)

  it("may have a name of 255 bytes", function()
    local path = files.path(("x"):rep(251) .. ".csv")
    assert.equal(TEXT, save(path))
    assert.equal(TEXT, save(path))
  end)

  it("is not a folder, nor written into one without the right to", function()
    local text, err = save(files.folder() .. "/")
    assert.is_nil(text)
    assert.equal(-3, err.code)
    if ffi.C.geteuid() ~= 0 then
      sh "mkdir shut; chmod 555 shut"
      text, err = save(files.path "shut/x.csv")
      assert.same({ "no-permission" }, { text, err.id })
    end
  end)

  it("is refused when it is any file that is read, before anything is written", function()
    files.write("script.lua", "text")
    sh "ln script.lua hard; ln -s script.lua soft"
    for _, name in ipairs { "script.lua", "hard", "soft" } do
      local text, err = save(files.path(name), { inputs = { files.path "script.lua" } })
      assert.is_nil(text)
      assert.same({ "same-file", -2, files.path(name) }, { err.id, err.code, err.file })
      assert.equal("text", files.bytes(files.path "hard"))
    end
  end)

  describe("that replaces a file of another user", function()
    local function replaced(mode)
      files.write("theirs.csv", "old")
      sh("chown 1234:2345 theirs.csv; chmod %s theirs.csv", mode)
      save(files.path "theirs.csv")
      return sh "stat -c '%%u %%g %%a' theirs.csv"
    end

    it("keeps its owner, group and mode", function()
      if ffi.C.geteuid() ~= 0 then return pending "needs root" end
      for _, mode in ipairs { "644", "640", "4755", "6755", "2750", "1644", "400", "0" } do
        assert.equal("1234 2345 " .. mode .. "\n", replaced(mode))
      end
    end)

    -- As another user, who owns the folder: by setpriv or su.
    local function as_other(mode, owner)
      files.write("theirs.csv", "old")
      sh("chown %s theirs.csv; chmod %s theirs.csv; chmod 777 .; cp -f %s ./data.csv; chmod 644 data.csv", owner, mode,
        files.write("data", "n\n1\n"))
      local command = os.getenv "PWD" .. "/" .. require("command").path
      local said = sh("cp %s ./moonmill; chmod 755 moonmill; setpriv --reuid 4321 --regid 5432 --groups 7777 "
        .. "./moonmill run -e ':limit(1)' -o theirs.csv data.csv 2>&1", command)
      return said .. sh "stat -c '%%u %%g %%a' theirs.csv"
    end

    it("drops the rights that it lends where the owner cannot be kept", function()
      if ffi.C.geteuid() ~= 0 then return pending "needs root" end
      if not require("command").works() then return pending "needs the command" end
      assert.equal("4321 7777 755\n", as_other("4755", "1234:7777"))
      assert.equal("4321 7777 640\n", as_other("2640", "1234:7777"))
      assert.equal("4321 5432 644\n", as_other("6664", "1234:2345"))
      assert.equal("4321 5432 600\n", as_other("640", "1234:2345"))
      assert.equal("4321 7777 4755\n", as_other("4755", "4321:7777"))
    end)
  end)
end)
