/* group_merge.h - partials merged strictly in the order of morsels.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "engine/job_state.h"
#include "stages/group/group_partial.h"
#include <pthread.h>
#include <stdatomic.h>

enum { GROUP_QUEUE = 32 };

typedef struct group_partition {
  group_table groups;
  pthread_mutex_t lock;
  atomic_llong merged; /* partials of the queue that it has merged */
} group_partition;

/* One table while groups are few, then partitions of it. */
typedef struct group_merge {
  const group_plan *plan;
  void *self; /* of the two calls */
  /* An empty partial; on any thread. */
  int (*spare)(void *self, group_partial **partial, mm_error *error);
  /* Nothing more is needed of it; on any thread. */
  int (*done)(void *self, group_partial *take, mm_error *error);
  group_table whole;
  group_partition *partitions; /* NULL: whole is in use */
  atomic_bool partitioned;     /* partials should come scattered */
  atomic_bool failed;          /* a table may be broken, or nobody wants it: nothing more is merged */
  uint64_t morsels;
  _Atomic(group_partial *) queue[GROUP_QUEUE];
  atomic_llong queued; /* partials ever put into the queue */
  atomic_uint turn;    /* where the next drain begins */
} group_merge;

int group_merge_init(group_merge *merge, const group_plan *plan, mm_error *error);
void group_merge_free(group_merge *merge,
                      void (*drop)(void *self, group_partial *take));           /* what still is in the queue */
int group_merge_fold(group_merge *merge, group_partial *take, mm_error *error); /* in order, one at a time */
int group_merge_drain(group_merge *merge, mm_error *error);                     /* any worker */
void group_merge_stop(group_merge *merge);                                /* nothing more shall be merged; any thread */
int group_merge_finish(group_merge *merge, mm_job *job, mm_error *error); /* merge what is left, complete all states */
