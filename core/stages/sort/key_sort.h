/* key_sort.h - sorting rows by their keys.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stages/sort/sort_key.h"

/* What is needed to compare keys: the batches that they point into, and the first key to compare by value. */
typedef struct key_comparator {
  const sort_spec *order;
  const mm_batch *batches;
  int32_t key;
} key_comparator;

bool sort_key_before(const key_comparator *by, const sort_key *a,
                     const sort_key *b); /* a strictly before b; not by place */
/* Stable; `spare` has room for twice as many. */
void key_sort(const key_comparator *by, sort_key *sort_keys, sort_key *spare, int64_t n);

typedef struct sort_key_list {
  sort_key *items;
  int64_t count, capacity;
} sort_key_list;

/* Room for `count` keys; what was in the list is lost. */
int sort_key_list_reserve(sort_key_list *list, int64_t count, mm_error *error);
void sort_key_list_free(sort_key_list *list);
