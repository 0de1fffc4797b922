/* clock.h - the monotonic clock, and timed waits on it: setting the wall clock never lengthens a wait. Of C alone: the
 * rooms above include it, LuaJIT does not read it.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* From some moment. Safe in a signal handler. */
int64_t mm_nanoseconds(void);
int64_t mm_milliseconds(void);
/* A condition whose timed waits are by that clock. */
void mm_cond_init(pthread_cond_t *condition);
/* The moment so many milliseconds from now, for pthread_cond_timedwait of such a condition. */
struct timespec mm_moment_after(int milliseconds);
/* Wait at most so long for a lock: 0, or what pthread_mutex_timedlock says, which knows the clock on the wall alone. */
int mm_lock_within(pthread_mutex_t *lock, int milliseconds);
