/* wait.c - what ends the opening of files and a blocked read or write: a cancelled job, a time limit, a host that says
 * stop.
 * SPDX-License-Identifier: MIT */
#include "io/wait.h"
#include "base/clock.h"
#include "base/error.h"
#include <pthread.h>
#include <stdatomic.h>

void file_wait_begin(file_wait *wait, int64_t open_timeout, int (*interrupt)(void *context), void *context) {
  wait->opener = pthread_self();
  wait->interrupt = interrupt;
  wait->context = context;
  wait->open_timeout = open_timeout;
  if (open_timeout > 0) atomic_store(&wait->deadline, mm_milliseconds() + open_timeout);
}

void file_wait_end(file_wait *wait) {
  atomic_store(&wait->deadline, 0);
  wait->interrupt = NULL;
}

/* Call the interrupt callback when its time has come; on the thread that opens alone, and not again once it has said
 * stop. */
static void call_interrupt(file_wait *wait) {
  if (!pthread_equal(pthread_self(), wait->opener) || !wait->interrupt || atomic_load(&wait->stop)) return;
  int64_t now = mm_milliseconds();
  if (now - wait->polled_at < POLL_MS) return;
  wait->polled_at = now;
  if (wait->interrupt(wait->context) != 0) atomic_store(&wait->stop, true);
}

int file_wait_check(file_wait *wait, const char *path, const char *late, mm_error *error) {
  call_interrupt(wait);
  if (atomic_load_explicit(&wait->stop, memory_order_relaxed))
    return error_fail(error, MM_ECANCEL, "cancelled", "the job was cancelled");
  int64_t deadline = atomic_load_explicit(&wait->deadline, memory_order_relaxed);
  if (!deadline || mm_milliseconds() < deadline) return 0;
  error_fail(error, MM_ELIMIT, "timeout", "%s %g seconds", late, (double)wait->open_timeout / 1000);
  return error_set_file(error, MM_ELIMIT, path);
}
