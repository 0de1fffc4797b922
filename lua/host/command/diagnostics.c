/* diagnostics.c - what `moonmill doctor` asks about this machine and what is linked.
 * SPDX-License-Identifier: MIT */
#include "command/command.h"
#include "state/state.h"
#include <pthread.h>
#include <unistd.h>
#include <zstd.h>

const char *mm_host_zstd_version(void) { return ZSTD_versionString(); }

static void *stop_soon(void *L) {
  usleep(10000);
  lua_sethook(L, mm_state_stop, LUA_MASKCOUNT, 1);
  return NULL;
}

/* A script that ends by itself after a while is stopped from another thread. */
static bool can_stop(const char *script) {
  lua_State *L = mm_state_new(NULL);
  pthread_t thread;
  if (!L) return false;
  bool stopped = false;
  if (luaL_loadstring(L, script) == 0 && pthread_create(&thread, NULL, stop_soon, L) == 0) {
    stopped = lua_pcall(L, 0, 0, 0) != 0;
    pthread_join(thread, NULL);
  }
  lua_sethook(L, NULL, 0, 0);
  mm_state_close(L);
  return stopped;
}

bool mm_host_hook_check(void) { return can_stop("local x = 0 for i = 1, 3e8 do x = x + i end"); }

bool mm_host_pattern_check(void) {
  return can_stop("if ('a'):rep(23):find(('a?'):rep(23) .. ('a'):rep(23)) then return end");
}
