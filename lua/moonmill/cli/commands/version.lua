-- moonmill version: what this command is made of.
local ffi = require "ffi"
local native = require "moonmill.base.ffi"

local version = { name = "version", summary = "print the version, the embedded LuaJIT and the kernels in use" }

function version.configure() end

function version.run()
  local number = native.VERSION
  print(("moonmill %d.%d.%d (%s, %s %s, kernels %s)"):format(
    math.floor(number / 10000), math.floor(number / 100) % 100, number % 100, jit.version, jit.os, jit.arch,
    ffi.string(native.C.mm_isa_name())))
end

return version
