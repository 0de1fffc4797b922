/* group_partial.h - what a table held at the end of a morsel, to be merged into others.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stages/group/group_table.h"
#include <pthread.h>
#include <stdatomic.h>

enum { GROUP_PARTITIONS = 256 };

/* What a table held, to be merged into others: groups in order of first appearance, or so within each partition. */
typedef struct group_partial {
  struct group_partial *next; /* in a list of spare ones */
  group_table groups;         /* its slots stay empty */
  uint64_t base;              /* added to `first` */
  bool scattered;             /* by hash; partition p is groups [starts[p], starts[p + 1]) */
  uint32_t starts[GROUP_PARTITIONS + 1];
  uint8_t *fresh;   /* when not NULL: fresh[first of group] = 1 for groups that were new */
  atomic_int left;  /* partitions that have not merged it */
  mm_buffer places; /* while it is cut */
  void *payload;    /* of the stage */
} group_partial;

/* Partials that are not in use. */
typedef struct partial_pool {
  group_partial *first;
  pthread_mutex_t lock;
} partial_pool;

/* Merge groups [from, to) of a partial. */
int group_table_merge(group_table *groups, group_partial *partial, int64_t from, int64_t to, mm_error *error);
/* Hand over all groups to an empty partial and be empty; `scatter`: by partition. */
int group_table_cut(group_table *groups, group_partial *partial, bool scatter, mm_error *error);

void partial_pool_init(partial_pool *pool);
int partial_pool_take(partial_pool *pool, const group_plan *plan, group_partial **partial, mm_error *error);
void partial_pool_give(partial_pool *pool, group_partial *partial); /* its payload is gone */
void partial_pool_free(partial_pool *pool);
void group_partial_free(group_partial *partial);
