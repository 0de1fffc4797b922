/* wait.h - waiting for files, and what ends it.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"
#include <pthread.h>
#include <stdatomic.h>

/* What ends a wait for files, of inputs and of an output alike. Zero: only `stop` does. */
typedef struct mm_wait {
  atomic_bool stop;            /* set when the job is cancelled, or by a pulse */
  int64_t patience;            /* milliseconds that opening may take; 0: as long as it takes */
  _Atomic int64_t deadline;    /* of opening, by the monotonic clock; 0: none */
  int (*pulse)(void *context); /* called while files are opened, on that thread; NULL: none, or not any more */
  void *context;
  pthread_t opener;
  int64_t beaten; /* when the pulse was last called */
} mm_wait;

enum { MM_BEAT_MS = 20 }; /* between two looks */
/* Opening begins, on this thread. */
void mm_wait_begin(mm_wait *wait, int64_t patience, int (*pulse)(void *context), void *context);
/* All is open: from now on only `stop` counts. */
void mm_wait_end(mm_wait *wait);
/* Call it at each step, often: 0 to go on, MM_ECANCEL, or MM_ELIMIT with "LATE n seconds" about `path`. No lock of the
 * feed may be held. */
int mm_wait_check(mm_wait *wait, const char *path, const char *late, mm_error *error);
#define MM_LATE_OPENING "opening took longer than"
