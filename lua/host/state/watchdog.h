/* watchdog.h - calls of Lua that another thread looks after: their pulse beats while they last; they can be stopped.
 *
 * DESIGN. A state's phase says who may touch it. A call goes IDLE > RUNNING > IDLE with one store and one exchange. A
 * second thread that wants to hook the state makes it HOOKING for as long as lua_sethook takes, then HOOKED (the call
 * is to pulse) or STOPPING (it is to stop); it never touches a state that is IDLE.
 *
 *      mm_watchdog_call         the watching thread         pulse_hook, on the call's thread
 *   IDLE ------------> RUNNING ---------> HOOKING > HOOKED ------------> RUNNING | STOPPING
 *
 * One thread for all states looks every few milliseconds, and only while there are calls.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "state/state.h"
#include <stdatomic.h>

enum mm_watchdog_phase {
  MM_WATCHDOG_IDLE, MM_WATCHDOG_RUNNING, MM_WATCHDOG_HOOKING, MM_WATCHDOG_HOOKED, MM_WATCHDOG_STOPPING
};

/* What is watched: one Lua state at a time. */
typedef struct mm_watchdog {
  lua_State *L;
  const mm_pulse *pulse;  /* of the running call; may be NULL */
  atomic_int phase;
  atomic_uint calls;      /* so far: the same number at two looks tells that the call lasts */
  unsigned seen;          /* at the last look; the watching thread's */
  void (*forked)(struct mm_watchdog *watch); /* in the child of a fork, where other threads are gone */
  struct mm_watchdog *next;
} mm_watchdog;

void mm_watchdog_add(mm_watchdog *watch);    /* all zero but for `forked` */
void mm_watchdog_remove(mm_watchdog *watch); /* it is idle */
/* The state that calls go to from now on; NULL: none. May raise an error of Lua: call it protected. */
void mm_watchdog_bind(mm_watchdog *watch, lua_State *L);
/* lua_pcall, looked after. *stopped: Lua was left because of mm_watchdog_stop or of a pulse; the state must then be
 * closed. */
int  mm_watchdog_call(mm_watchdog *watch, int arguments, int results, int handler, const mm_pulse *pulse,
                      bool *stopped);
/* Stop the call that is running, if any; from any thread. */
void mm_watchdog_stop(mm_watchdog *watch);
