/* wait.h - waiting for files, and what ends it.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"
#include <pthread.h>
#include <stdatomic.h>

/* What ends a wait for files, of inputs and of an output alike. Zero: only `stop` does. */
typedef struct file_wait {
  atomic_bool stop;         /* shared cancel flag: set when the job is cancelled, or by the interrupt callback */
  int64_t open_timeout;     /* milliseconds that opening may take; 0: as long as it takes */
  _Atomic int64_t deadline; /* of opening, by the monotonic clock; 0: none */
  /* Interrupt callback, called while files are opened, on that thread; NULL: none, or not any more. */
  int (*interrupt)(void *context);
  void *context;
  pthread_t opener;
  int64_t polled_at; /* when the interrupt callback was last called */
} file_wait;

enum { POLL_MS = 20 }; /* between two looks */
/* Opening begins, on this thread. */
void file_wait_begin(file_wait *wait, int64_t open_timeout, int (*interrupt)(void *context), void *context);
/* All is open: from now on only `stop` counts. */
void file_wait_end(file_wait *wait);
/* Call it at each step, often: 0 to go on, MM_ECANCEL, or MM_ELIMIT with "LATE n seconds" about `path`. No lock of the
 * read context may be held. */
int file_wait_check(file_wait *wait, const char *path, const char *late, mm_error *error);
#define LATE_OPENING "opening took longer than"
