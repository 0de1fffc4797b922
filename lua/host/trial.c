/* trial.c - run a row function over a sample in a Lua state of its own, to say whether LuaJIT compiles it.
 * SPDX-License-Identifier: MIT */
#include "host.h"
#include "state.h"

typedef struct trial {
  const char *shipment;
  int64_t size;
  const mm_schema *out;
  const mm_table *sample;
} trial;

/* try(trial) -> text */
static int try_function(lua_State *L) {
  const trial *t = lua_touserdata(L, 1);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "moonmill.rows.trial");
  lua_call(L, 1, 1);
  lua_pushlstring(L, t->shipment, (size_t)t->size);
  lua_pushlightuserdata(L, (void *)(uintptr_t)t->out);
  lua_pushlightuserdata(L, (void *)(uintptr_t)t->sample);
  lua_call(L, 3, 1);
  return 1;
}

int mm_rows_try(const char *shipment, int64_t size, const mm_schema *out, const mm_table *sample, mm_buffer *text,
                mm_error *error) {
  trial t = {shipment, size, out, sample};
  lua_State *L = mm_state_new(error);
  if (!L) return error ? error->code : MM_ENOMEM;
  lua_pushcfunction(L, try_function);
  lua_pushlightuserdata(L, &t);
  int broken = lua_pcall(L, 1, 1, 0);
  size_t length = 0;
  const char *said = lua_tolstring(L, -1, &length);
  int status = broken
                   ? mm_host_fail(error, MM_ESCRIPT, "script", "%s", said ? said : "the row function cannot be set up")
                   : mm_buffer_append(text, said, (int64_t)length, error);
  lua_close(L);
  return status;
}
