/* group_merge.h - partials merged strictly in the order of morsels.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "engine/job_state.h"
#include "stages/group/group_partial.h"
#include <pthread.h>
#include <stdatomic.h>

enum { MM_FOLD_QUEUE = 32 };

typedef struct mm_partition {
  mm_groups groups;
  pthread_mutex_t lock;
  atomic_llong merged; /* partials of the queue that it has merged */
} mm_partition;

/* One table while groups are few, then partitions of it. */
typedef struct mm_merger {
  const mm_group_plan *plan;
  void *self; /* of the two calls */
  /* An empty partial; on any thread. */
  int (*spare)(void *self, mm_partial **partial, mm_error *error);
  /* Nothing more is needed of it; on any thread. */
  int (*done)(void *self, mm_partial *take, mm_error *error);
  mm_groups whole;
  mm_partition *partitions; /* NULL: whole is in use */
  atomic_bool partitioned;  /* partials should come scattered */
  atomic_bool failed;       /* a table may be broken, or nobody wants it: nothing more is merged */
  uint64_t morsels;
  _Atomic(mm_partial *) queue[MM_FOLD_QUEUE];
  atomic_llong queued; /* partials ever put into the queue */
  atomic_uint turn;    /* where the next drain begins */
} mm_merger;

int mm_merger_init(mm_merger *merger, const mm_group_plan *plan, mm_error *error);
void mm_merger_free(mm_merger *merger, void (*drop)(void *self, mm_partial *take)); /* what still is in the queue */
int mm_merger_fold(mm_merger *merger, mm_partial *take, mm_error *error);           /* in order, one at a time */
int mm_merger_drain(mm_merger *merger, mm_error *error);                            /* any worker */
void mm_merger_stop(mm_merger *merger);                                /* nothing more shall be merged; any thread */
int mm_merger_finish(mm_merger *merger, mm_job *job, mm_error *error); /* merge what is left, complete all states */
