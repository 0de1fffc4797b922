/* clock.c - the monotonic clock, and timed waits on it.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include <pthread.h>
#include <stdint.h>

int64_t mm_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int64_t mm_milliseconds(void) { return mm_nanoseconds() / 1000000; }

void mm_cond_init(pthread_cond_t *condition) {
  pthread_condattr_t kind;
  pthread_condattr_init(&kind);
  pthread_condattr_setclock(&kind, CLOCK_MONOTONIC);
  pthread_cond_init(condition, &kind);
  pthread_condattr_destroy(&kind);
}

static struct timespec later(clockid_t clock, int milliseconds) {
  struct timespec until;
  clock_gettime(clock, &until);
  until.tv_nsec += milliseconds % 1000 * 1000000L;
  until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  return until;
}

struct timespec mm_moment_after(int milliseconds) {
  return later(CLOCK_MONOTONIC, milliseconds);
}

int mm_lock_within(pthread_mutex_t *lock, int milliseconds) {
  struct timespec until = later(CLOCK_REALTIME, milliseconds);
  return pthread_mutex_timedlock(lock, &until);
}
