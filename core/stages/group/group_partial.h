/* group_partial.h - what a table held at the end of a morsel, to be merged into others.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stages/group/group_table.h"
#include <pthread.h>
#include <stdatomic.h>

enum { MM_PARTITIONS = 256 };

/* What a table held, to be merged into others: groups in order of first appearance, or so within each partition. */
typedef struct mm_partial {
  struct mm_partial *next; /* in a list of spare ones */
  mm_groups groups;        /* its slots stay empty */
  uint64_t base;           /* added to `first` */
  bool scattered;          /* by hash; partition p is groups [starts[p], starts[p + 1]) */
  uint32_t starts[MM_PARTITIONS + 1];
  uint8_t *fresh;   /* when not NULL: fresh[first of group] = 1 for groups that were new */
  atomic_int left;  /* partitions that have not merged it */
  mm_buffer places; /* while it is cut */
  void *cargo;      /* of the stage */
} mm_partial;

/* Partials that are not in use. */
typedef struct mm_spares {
  mm_partial *first;
  pthread_mutex_t lock;
} mm_spares;

/* Merge groups [from, to) of a partial. */
int mm_groups_merge(mm_groups *groups, mm_partial *partial, int64_t from, int64_t to, mm_error *error);
/* Hand over all groups to an empty partial and be empty; `scatter`: by partition. */
int mm_groups_cut(mm_groups *groups, mm_partial *partial, bool scatter, mm_error *error);

void mm_spares_init(mm_spares *spares);
int mm_spares_take(mm_spares *spares, const mm_group_plan *plan, mm_partial **partial, mm_error *error);
void mm_spares_give(mm_spares *spares, mm_partial *partial); /* its cargo is gone */
void mm_spares_free(mm_spares *spares);
void mm_partial_free(mm_partial *partial);
