/* state.c - make Lua states: libraries, JIT parameters, where modules come from; protected calls of them, and what
 * stops them.
 *
 * DESIGN. Modules are embedded as bytecode and stand in package.preload: nothing is loaded before it is required. With
 * MOONMILL_LUA=dir they come from that folder instead, for development.
 *
 * SPDX-License-Identifier: MIT */
#include "state/state.h"
#include "luajit.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool in_command;

void mm_state_in_command(void) { in_command = true; }

/* Bytecode is only ever our own: it was made by the build, for this LuaJIT. */
static int load_embedded(lua_State *L) {
  const mm_embedded *module = lua_touserdata(L, lua_upvalueindex(1));
  if (luaL_loadbuffer(L, module->bytes, (size_t)module->size, module->name)) return lua_error(L);
  lua_pushstring(L, module->name);
  lua_call(L, 1, 1);
  return 1;
}

static void preload_modules(lua_State *L, bool only_others) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  for (const mm_embedded *module = mm_embedded_modules; module->name; module++) {
    if (only_others && strncmp(module->name, "moonmill", 8) == 0) continue;
    lua_pushlightuserdata(L, (void *)(uintptr_t)module);
    lua_pushcclosure(L, load_embedded, 1);
    lua_setfield(L, -2, module->name);
  }
  lua_pop(L, 2);
}

/* Modules are found in `folder`, or nowhere but in package.preload. */
static void set_paths(lua_State *L, const char *folder) {
  lua_getglobal(L, "package");
  if (folder) lua_pushfstring(L, "%s/?.lua;%s/?/init.lua", folder, folder);
  else lua_pushliteral(L, "");
  lua_setfield(L, -2, "path");
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "cpath");
  lua_pop(L, 1);
}

/* Where moonmill.base.ffi finds the core: "" is the executable, else the path of the shared object that this code is
 * in. */
static void set_library(lua_State *L) {
  Dl_info info;
  void *self = (void *)(uintptr_t)mm_state_new;
  const char *path = !in_command && dladdr(self, &info) ? info.dli_fname : "";
  lua_pushstring(L, path);
  lua_setglobal(L, "MOONMILL_LIBRARY");
}

/* Room for big generated loops. The defaults flush all compiled code when a thousand traces exist. */
static void set_jit(lua_State *L) {
  static const char *const parameters[] = {"maxtrace=8000", "maxmcode=16384", "maxrecord=16000", "maxirconst=4000",
                                           "maxsnap=2000",  "maxside=1000",   "sizemcode=256"};
  int count = (int)(sizeof(parameters) / sizeof(*parameters));
  lua_getglobal(L, "jit");
  lua_getfield(L, -1, "opt");
  lua_getfield(L, -1, "start");
  for (int i = 0; i < count; i++) lua_pushstring(L, parameters[i]);
  lua_call(L, count, 0);
  lua_pop(L, 2);
}

/* ---- Machine code: MemoryDenyWriteExecute of systemd, SELinux and others forbid it ---- */

static bool machine_code;

static void try_machine_code(void) {
  size_t size = (size_t)sysconf(_SC_PAGESIZE);
  void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  machine_code = page == MAP_FAILED || mprotect(page, size, PROT_READ | PROT_EXEC) == 0;
  if (page != MAP_FAILED) munmap(page, size);
}

bool mm_host_machine_code(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, try_machine_code);
  return machine_code;
}

/* Modules that load run once: compiling their loops costs more than it gives, and they leave no garbage. An error
 * leaves collector and compiler off, in a state that is closed. */
void mm_state_require(lua_State *L, const char *module) {
  lua_gc(L, LUA_GCSTOP, 0);
  luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  lua_getglobal(L, "require");
  lua_pushstring(L, module);
  lua_call(L, 1, 1);
  if (mm_host_machine_code()) luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_ON);
  lua_gc(L, LUA_GCRESTART, -1);
}

static int set_up(lua_State *L) {
  lua_pushboolean(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  luaL_openlibs(L);
  if (!mm_host_machine_code()) luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  const char *folder = getenv("MOONMILL_LUA");
  if (folder && !*folder) folder = NULL;
  preload_modules(L, folder != NULL);
  set_paths(L, folder);
  set_library(L);
  set_jit(L);
  return 0;
}

lua_State *mm_state_new(mm_error *error) {
  lua_State *L = mm_budget_state();
  if (!L) {
    mm_host_fail_memory(error);
    return NULL;
  }
  int status = lua_cpcall(L, set_up, NULL);
  if (!status) return L;
  mm_state_fail(L, status, MM_EBUG, "lua-state", error);
  mm_state_close(L);
  return NULL;
}

/* ---- Calls ---- */

void mm_state_stop(lua_State *L, lua_Debug *event) {
  (void)event;
  lua_pushliteral(L, "stopped");
  lua_error(L);
}

int mm_state_fail(lua_State *L, int status, int code, const char *id, mm_error *error) {
  if (mm_state_lacks_memory(L, status)) {
    mm_host_fail_memory(error);
    mm_state_collect(L); /* whoever tells of it needs memory too */
    return MM_ENOMEM;
  }
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  return mm_host_fail(error, code, id, "%s", text ? text : "an error that is not a text");
}

typedef struct pushed {
  lua_CFunction function;
  void *context;
  int references[2];
} pushed;

static int keep_both(lua_State *L) {
  pushed *p = lua_touserdata(L, 1);
  lua_pushcfunction(L, p->function);
  p->references[0] = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushlightuserdata(L, p->context);
  p->references[1] = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

/* Reading references and giving them up allocates nothing. */
bool mm_state_push(lua_State *L, lua_CFunction function, void *context, mm_error *error) {
  pushed p = {.function = function, .context = context, .references = {LUA_NOREF, LUA_NOREF}};
  int broken = lua_cpcall(L, keep_both, &p);
  for (int i = 0; i < 2; i++) {
    if (!broken) lua_rawgeti(L, LUA_REGISTRYINDEX, p.references[i]);
    luaL_unref(L, LUA_REGISTRYINDEX, p.references[i]);
  }
  if (!broken) return true;
  mm_state_fail(L, broken, MM_EBUG, "lua-state", error);
  lua_pop(L, 1);
  return false;
}
