/* clock.c - the time that passes, for limits and progress, and waiting for a lock within it.
 * SPDX-License-Identifier: MIT */
#include "host.h"
#include "state.h"
#include <time.h>

double mm_host_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int mm_lock_within(pthread_mutex_t *lock, int milliseconds) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += milliseconds * 1000000L;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  return pthread_mutex_timedlock(lock, &until);
}
