/* main.c - the command `moonmill`: hands its arguments to moonmill.cli and returns what that says.
 * SPDX-License-Identifier: MIT */
#include "host.h"
#include "state.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int traceback(lua_State *L) {
  const char *text = lua_tostring(L, 1);
  luaL_traceback(L, L, text ? text : "error without a message", 1);
  return 1;
}

/* require("moonmill.cli").main(arguments) -> exit code; arguments[0] is the name of the command */
static int run_command(lua_State *L) {
  int argc = (int)lua_tointeger(L, 1);
  char **argv = lua_touserdata(L, 2);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "moonmill.cli");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "main");
  lua_createtable(L, argc, 1);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i);
  }
  lua_call(L, 1, 1);
  return 1;
}

int main(int argc, char **argv) {
  mm_error error = {0};
  if (mm_isa_check(&error) < 0) {
    fprintf(stderr, "error[%s]: %s\n  hint: %s\n", error.id, error.message, error.hint);
    return -error.code;
  }
  mm_state_in_command();
  mm_signals_install();
  lua_State *L = mm_state_new(&error);
  if (!L) {
    fprintf(stderr, "moonmill: %s\n", error.message);
    return -error.code;
  }
  int code;
  lua_pushcfunction(L, traceback);
  lua_pushcfunction(L, run_command);
  lua_pushinteger(L, argc);
  lua_pushlightuserdata(L, argv);
  if (lua_pcall(L, 2, 1, 1) == 0) {
    code = (int)lua_tointeger(L, -1);
  } else {
    fprintf(stderr, "moonmill: internal error: %s\n", lua_tostring(L, -1));
    code = -MM_EBUG;
  }
  fflush(stdout);
  int number = mm_host_signal();
  if (number && code == 128 + number) mm_signals_die(number);
  if (mm_signals_leaving()) _exit(code);
  return code; /* the state is not closed: the system takes everything back at once */
}
