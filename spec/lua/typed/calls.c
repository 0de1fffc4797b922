/* calls.c - threads that call functions of one module, pulse and stop them, for spec/lua/typed/watchdog_spec.lua, which
 * compiles this file.
 * SPDX-License-Identifier: MIT */
#include "session/function_module.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { ADD, SPIN, LOOP }; /* functions of the module, by number */

static void rest(long microseconds) {
  struct timespec pause = {.tv_nsec = microseconds * 1000};
  nanosleep(&pause, NULL);
}

static int call(mm_module *module, int32_t function, double number, const mm_pulse *pulse, double *result) {
  mm_item argument = {.f = number}, item;
  mm_error error;
  if (mm_module_enter(module, true, pulse, &error) != 1) return error.code;
  int status = mm_module_call(module, function, &argument, &item, pulse, &error);
  if (status == 0 && result) *result = item.f;
  mm_module_leave(module);
  return status;
}

static int count_beat(void *context) {
  ++*(int *)context;
  return 0;
}

/* Beats during a call that spins; -1: it failed. */
int calls_beats(mm_module *module, double rounds);
int calls_beats(mm_module *module, double rounds) {
  int beats = 0;
  mm_pulse pulse = {count_beat, &beats};
  return call(module, SPIN, rounds, &pulse, NULL) < 0 ? -1 : beats;
}

static int refuse_beat(void *context) {
  (void)context;
  return 1;
}

/* What a call without end comes to when its pulse says stop. */
int calls_refused(mm_module *module);
int calls_refused(mm_module *module) {
  mm_pulse pulse = {refuse_beat, NULL};
  return call(module, LOOP, 0, &pulse, NULL);
}

typedef struct storm {
  mm_module *module;
  int rounds;
  atomic_int wrong, stopped, done, running;
} storm;

static void *caller(void *argument) {
  storm *s = argument;
  int beats = 0;
  mm_pulse pulse = {count_beat, &beats};
  for (int i = 0; i < s->rounds; i++) {
    double result = 0;
    int status = i % 3 == 0 ? call(s->module, SPIN, 1.2e6 * (i % 7), &pulse, NULL)
                            : call(s->module, ADD, i, i % 2 ? &pulse : NULL, &result);
    if (status == MM_ECANCEL) atomic_fetch_add(&s->stopped, 1);
    else if (status != 0) atomic_fetch_add(&s->wrong, 1);
    else atomic_fetch_add(&s->done, 1);
    if (status == 0 && i % 3 && result != i + 1) atomic_fetch_add(&s->wrong, 1);
  }
  atomic_fetch_sub(&s->running, 1);
  return NULL;
}

static void *canceller(void *argument) {
  storm *s = argument;
  while (atomic_load(&s->running)) {
    rest(4000);
    mm_module_cancel(s->module);
  }
  return NULL;
}

/* Calls that went wrong while three threads call and a fourth one, if `cancel`, stops; *stopped: those that it
 * stopped. */
int calls_storm(mm_module *module, int rounds, bool cancel, int *stopped);
int calls_storm(mm_module *module, int rounds, bool cancel, int *stopped) {
  storm s = {.module = module, .rounds = rounds, .running = 3};
  pthread_t threads[4];
  int count = cancel ? 4 : 3;
  for (int i = 0; i < count; i++)
    if (pthread_create(&threads[i], NULL, i < 3 ? caller : canceller, &s) != 0) return -1;
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
  *stopped = atomic_load(&s.stopped);
  return atomic_load(&s.wrong) + (atomic_load(&s.done) + *stopped != 3 * rounds);
}

/* The status of entering a module that this thread has entered. */
int calls_twice(mm_module *module);
int calls_twice(mm_module *module) {
  if (mm_module_enter(module, true, NULL, NULL) != 1) return 0;
  int status = mm_module_enter(module, true, NULL, NULL);
  mm_module_leave(module);
  return status;
}
