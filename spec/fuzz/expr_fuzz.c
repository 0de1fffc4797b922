/* expr_fuzz.c - hosts expr_fuzz.lua, which gives hostile texts to the expression compiler.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What LuaJIT holds is not seen by the search for leaks. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }

static void die(lua_State *L) {
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
  abort();
}

static lua_State *new_state(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  if (luaL_dofile(L, "spec/fuzz/expr_fuzz.lua")) die(L);
  return L;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static lua_State *L;
  if (!L) L = new_state();
  lua_pushvalue(L, -1);
  lua_pushlstring(L, (const char *)bytes, size);
  if (lua_pcall(L, 1, 1, 0)) die(L);
  if (!lua_isnil(L, -1)) die(L);
  lua_pop(L, 1);
  return 0;
}
