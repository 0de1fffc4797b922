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

bool sort_key_before(const ranking *by, const rank *a, const rank *b); /* a strictly before b; not by place */
/* Stable; `spare` has room for twice as many. */
void key_sort(const ranking *by, rank *ranks, rank *spare, int64_t n);

typedef struct sort_key_list {
  rank *ranks;
  int64_t count, capacity;
} sort_key_list;

/* Room for `count` ranks; what was in the list is lost. */
int sort_key_list_reserve(sort_key_list *list, int64_t count, mm_error *error);
void sort_key_list_free(sort_key_list *list);
