/* main.c - the command `moonmill`: hands its arguments to moonmill.cli.main and returns what that says.
 * SPDX-License-Identifier: MIT */
#include "command/command.h"
#include "command/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct command {
  int argc;
  char **argv;
  int code;   /* of the exit */
  int broken; /* what lua_pcall returned */
} command;

static int traceback(lua_State *L) {
  const char *text = lua_tostring(L, 1);
  if (mm_state_lacks_memory(L, LUA_ERRRUN)) return 1;
  luaL_traceback(L, L, text ? text : "error without a message", 1);
  return 1;
}

/* require("moonmill.cli.main").main(arguments) -> exit code; arguments[0] is the name of the command */
static int run_command(lua_State *L) {
  const command *c = lua_touserdata(L, 1);
  mm_state_require(L, "moonmill.cli.main");
  lua_getfield(L, -1, "main");
  lua_createtable(L, c->argc, 1);
  for (int i = 0; i < c->argc; i++) {
    lua_pushstring(L, c->argv[i]);
    lua_rawseti(L, -2, i);
  }
  lua_call(L, 1, 1);
  return 1;
}

/* Everything that may run out of memory is within a protected call: outside of one it would end the process. */
static int call_command(lua_State *L) {
  command *c = lua_touserdata(L, 1);
  lua_pushcfunction(L, traceback);
  lua_pushcfunction(L, run_command);
  lua_pushlightuserdata(L, c);
  c->broken = lua_pcall(L, 1, 1, -3);
  lua_sethook(L, NULL, 0, 0);
  if (c->broken && (c->code = mm_signals_expired())) return 0;
  if (mm_state_lacks_memory(L, c->broken)) c->broken = LUA_ERRMEM;
  if (c->broken && c->broken != LUA_ERRMEM)
    fprintf(stderr, "moonmill: internal error: %s\n", lua_isstring(L, -1) ? lua_tostring(L, -1) : "not a text");
  c->code = c->broken ? -MM_EBUG : (int)lua_tointeger(L, -1);
  return 0;
}

/* Take the numbers of stdin, stdout and stderr where they are closed: else the first file that is opened gets one, and
 * what is printed goes into it. Reading from such a stdin fails, and so does writing to such a stdout or stderr. */
static void open_standard(void) {
  static const int flags[] = {O_WRONLY, O_RDONLY, O_RDONLY};
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    if (open("/dev/null", flags[fd]) != fd && open("/", O_RDONLY | O_DIRECTORY) != fd) _exit(-MM_EIO);
  }
}

/* Then stderr is read by a program. */
static bool wants_json(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--errors=json") == 0) return true;
    if (strcmp(argv[i], "--errors") == 0 && i + 1 < argc && strcmp(argv[i + 1], "json") == 0) return true;
  }
  return false;
}

int main(int argc, char **argv) {
  mm_error error = {0};
  open_standard();
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
  if (!mm_host_machine_code() && !wants_json(argc, argv))
    fputs("moonmill: warning: the system denies machine code, so scripts run without JIT, slower\n", stderr);
  mm_signals_interruptible(L);
  command c = {.argc = argc, .argv = argv};
  if (lua_cpcall(L, call_command, &c) || c.broken == LUA_ERRMEM) {
    c.code = -mm_host_fail_memory(&error);
    fprintf(stderr, "moonmill: error[%s]: %s\n", error.id, error.message);
  }
  int code = c.code;
  fflush(stdout);
  int number = mm_host_signal();
  if (number && code == 128 + number) mm_signals_die(number);
  if (code == 128 + SIGPIPE) mm_signals_die(SIGPIPE);
  if (mm_signals_leaving()) _exit(code);
  return code; /* the state is not closed: the system takes everything back at once */
}
