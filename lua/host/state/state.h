/* state.h - Lua states as this project makes them; shared by the files of lua/host.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "base/clock.h"
#include "state/host.h"
#include "lua.h"
#include "lauxlib.h"
#include "lualib.h"

/* The bytecode of a Lua module, inside the executable. The list ends with a name of NULL. */
typedef struct mm_embedded {
  const char *name;
  int64_t     size;
  const char *bytes;
} mm_embedded;
extern const mm_embedded mm_embedded_modules[];

/* A Lua state with the standard libraries, our JIT parameters and our modules; NULL and an error when there is no
 * memory. Environment variables of the standalone interpreter (LUA_PATH, LUA_INIT ...) have no effect. The caller
 * closes it with mm_state_close. Its memory counts against the limit of the process. Where the system denies executable
 * memory its compiler is off. */
lua_State *mm_state_new(mm_error *error);
void       mm_state_close(lua_State *L); /* NULL is allowed */
/* The first require of one of our modules: its value is left on the stack. */
void       mm_state_require(lua_State *L, const char *module);
/* A state without anything in it, whose memory is counted; NULL when there is none. */
lua_State *mm_budget_state(void);
/* Collect all garbage; false: an error is on top of the stack. */
bool       mm_state_collect(lua_State *L);
/* Was it a lack of memory? An error that Lua code raised again has lost its status, one within an error handler too. */
bool       mm_state_lacks_memory(lua_State *L, int status);
/* Fill in `error` (unless NULL) after lua_pcall or lua_cpcall returned `status`, and return its code: a lack of memory
 * as such, anything else as `code` and `id` with the text on top of the stack. */
int        mm_state_fail(lua_State *L, int status, int code, const char *id, mm_error *error);
/* Push `function` and `context` for a protected call; pushing them may take memory, and is protected itself. False, and
 * an error, when there is none. */
bool       mm_state_push(lua_State *L, lua_CFunction function, void *context, mm_error *error);
/* A hook that raises an error. Set for every instruction it does so again and again, until Lua has been left: whatever
 * the script catches, and wherever. */
void       mm_state_stop(lua_State *L, lua_Debug *event);
/* Say that this process is the command: its symbols are found in the executable itself, not in a shared object. */
void mm_state_in_command(void);
