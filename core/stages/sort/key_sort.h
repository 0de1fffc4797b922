/* key_sort.h - sorting rows by their keys.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stages/sort/sort_key.h"

/* What is needed to compare ranks: the batches that they point into, and the first key to compare by value. */
typedef struct ranking {
  const ordering *order;
  const mm_batch *batches;
  int32_t key;
} ranking;

bool mm_rank_before(const ranking *by, const rank *a, const rank *b); /* a strictly before b; not by place */
/* Stable; `spare` has room for twice as many. */
void mm_ranks_sort(const ranking *by, rank *ranks, rank *spare, int64_t n);

typedef struct rank_list {
  rank *ranks;
  int64_t count, capacity;
} rank_list;

/* Room for `count` ranks; what was in the list is lost. */
int mm_ranks_room(rank_list *list, int64_t count, mm_error *error);
void mm_ranks_free(rank_list *list);
