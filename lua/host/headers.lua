-- The headers that LuaJIT reads, in the order in which they need each other; paths from the root of the tree.
return {
  "core/moonmill.h", "core/stage.h", "lua/host/state/host.h", "lua/host/rows/rows.h", "lua/host/session/session.h",
  "lua/host/session/function_module.h", "lua/host/command/command.h",
}
