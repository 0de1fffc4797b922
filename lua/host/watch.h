/* watch.h - calls of Lua that another thread can look after: tap them when they last long, stop them when asked.
 *
 * DESIGN. A state's phase says who may touch it. A call goes IDLE > RUNNING > IDLE with one store and one exchange. A
 * second thread that wants to hook the state makes it HOOKING for as long as lua_sethook takes, then HOOKED (the call
 * is to pulse) or DOOMED (it is to stop); it never touches a state that is IDLE.
 *
 *        mm_watch_call            the watching thread            tap, on the call's thread
 *   IDLE ------------> RUNNING ---------> HOOKING > HOOKED ------------> RUNNING | DOOMED
 *
 * One thread for all states looks every few milliseconds, and only while there are calls.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "functions.h"
#include "state.h"
#include <stdatomic.h>

enum mm_watch_phase { MM_WATCH_IDLE, MM_WATCH_RUNNING, MM_WATCH_HOOKING, MM_WATCH_HOOKED, MM_WATCH_DOOMED };

/* What is watched: one Lua state at a time. */
typedef struct mm_watch {
  lua_State *L;
  const mm_pulse *pulse;  /* of the running call; may be NULL */
  atomic_int phase;
  atomic_uint calls;      /* so far: the same number at two looks tells that the call lasts */
  unsigned seen;          /* at the last look; the watching thread's */
  void (*forked)(struct mm_watch *watch); /* in the child of a fork, where other threads are gone */
  struct mm_watch *next;
} mm_watch;

void mm_watch_add(mm_watch *watch);    /* all zero but for `forked` */
void mm_watch_remove(mm_watch *watch); /* it is idle */
/* The state that calls go to from now on; NULL: none. May raise an error of Lua: call it protected. */
void mm_watch_bind(mm_watch *watch, lua_State *L);
/* lua_pcall, looked after. *stopped: Lua was left because of mm_watch_stop or of a pulse; the state must then be
 * closed. */
int  mm_watch_call(mm_watch *watch, int arguments, int results, int handler, const mm_pulse *pulse, bool *stopped);
/* Stop the call that is running, if any; from any thread. */
void mm_watch_stop(mm_watch *watch);
