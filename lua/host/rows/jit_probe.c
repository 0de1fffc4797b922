/* jit_probe.c - run a row function over a sample in a Lua state of its own, to say whether LuaJIT compiles it.
 * SPDX-License-Identifier: MIT */
#include "rows/rows.h"
#include "state/state.h"
#include "state/watchdog.h"
#include <errno.h>

enum { PATIENCE_SECONDS = 2 }; /* that a function gets for the rows of a sample */

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
  lua_pushliteral(L, "moonmill.rows.worker.jit_probe");
  lua_call(L, 1, 1);
  lua_pushlstring(L, t->shipment, (size_t)t->size);
  lua_pushlightuserdata(L, (void *)(uintptr_t)t->out);
  lua_pushlightuserdata(L, (void *)(uintptr_t)t->sample);
  lua_call(L, 3, 1);
  return 1;
}

/* ---- The end of patience: a thread that stops what lasts. A pulse would do, but its hook disturbs the compiler
 * ---- */

typedef struct alarm_clock {
  mm_watchdog *watch;
  pthread_t thread;
  bool set;
  pthread_mutex_t mutex;
  pthread_cond_t over;
  bool done;
} alarm_clock;

static void *stop_when_late(void *argument) {
  alarm_clock *clock = argument;
  struct timespec until = mm_moment_after(PATIENCE_SECONDS * 1000);
  pthread_mutex_lock(&clock->mutex);
  int waited = 0;
  while (!clock->done && waited != ETIMEDOUT) waited = pthread_cond_timedwait(&clock->over, &clock->mutex, &until);
  bool late = !clock->done;
  pthread_mutex_unlock(&clock->mutex);
  if (late) mm_watchdog_stop(clock->watch);
  return NULL;
}

static void set_alarm(alarm_clock *clock) {
  pthread_mutex_init(&clock->mutex, NULL);
  mm_cond_init(&clock->over);
  clock->set = pthread_create(&clock->thread, NULL, stop_when_late, clock) == 0;
}

static void stop_alarm(alarm_clock *clock) {
  pthread_mutex_lock(&clock->mutex);
  clock->done = true;
  pthread_cond_signal(&clock->over);
  pthread_mutex_unlock(&clock->mutex);
  if (clock->set) pthread_join(clock->thread, NULL);
  pthread_mutex_destroy(&clock->mutex);
  pthread_cond_destroy(&clock->over);
}

int mm_rows_try(const char *shipment, int64_t size, const mm_schema *out, const mm_table *sample, mm_buffer *text,
                mm_error *error) {
  static const char endless[] = "fails: it did not come to an end";
  trial t = {shipment, size, out, sample};
  lua_State *L = mm_state_new(error);
  if (!L) return error ? error->code : MM_ENOMEM;
  mm_watchdog watch = {.L = L};
  alarm_clock clock = {.watch = &watch};
  bool stopped;
  if (!mm_state_push(L, try_function, &t, error)) {
    mm_state_close(L);
    return error ? error->code : MM_ENOMEM;
  }
  set_alarm(&clock);
  int broken = mm_watchdog_call(&watch, 1, 1, 0, NULL, &stopped);
  stop_alarm(&clock);
  size_t length = 0;
  const char *said = stopped ? NULL : lua_tolstring(L, -1, &length);
  int status;
  if (stopped) status = mm_buffer_append(text, endless, sizeof endless - 1, error);
  else if (!broken) status = mm_buffer_append(text, said, (int64_t)length, error);
  else status = mm_state_fail(L, broken, MM_ESCRIPT, "script", error);
  mm_state_close(L);
  return status;
}
