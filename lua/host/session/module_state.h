/* module_state.h - what the files of a module of typed functions share: function_module.c makes and keeps its Lua
 * state, function_call.c calls into it.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "session/function_module.h"
#include "state/watchdog.h"
#include <pthread.h>

/* Functions of moonmill.typed.module_host, and what it said of the script's: references into the state's registry. */
#define MM_MODULE_REFS(X) \
  X(handler) X(tell) X(refuse) X(check_array) X(check_wide) X(too_many) X(not_exact) X(int64) X(uint64)

/* A function as the state at hand knows it. */
typedef struct mm_entry {
  int fn, value; /* the Lua function; what moonmill.typed.module_host calls it by */
  int anchors;   /* a table that holds the views of a call */
  int *small;    /* per argument: what makes a view, LUA_NOREF for scalars */
  int *big;
} mm_entry;

typedef struct mm_piece mm_piece;

struct mm_module {
  mm_watchdog watch;        /* watch.L is NULL while the script must be run (anew) */
  char *name;
  mm_text *texts;        /* as mm_module_open was given them */
  int32_t text_count;
  char *about;
  mm_function *functions; /* as the script declared them when it was first run */
  mm_entry *entries;
  int32_t count;
  bool *plain;           /* per function: numbers and booleans alone */
#define X(name) int name;
  MM_MODULE_REFS(X)
#undef X
  int call_all;          /* a reference to mm_module_call_all for this module */
  const void *call;      /* what it is to do, while it runs */
  mm_piece *pieces;      /* memory of all the texts and lists above */
  pthread_mutex_t lock;  /* held from enter to leave */
  _Atomic(const void *) owner; /* a mark of the thread that holds it */
};

/* With the module as upvalue: push the arguments of module->call, which may take memory, and call its function. */
int mm_module_call_all(lua_State *L);
/* Make sure that there is a state: run the script unless that was done. */
int mm_module_prepare(mm_module *module, const mm_pulse *pulse, mm_error *error);
/* Throw the state away; the next call runs the script anew. */
void mm_module_discard(mm_module *module);
/* Tell the problem on top of the stack, which is popped; returns its status. */
int mm_module_tell(mm_module *module, mm_error *error);
int mm_module_stopped(mm_module *module, mm_error *error); /* discard, and MM_ECANCEL */
