/* key_counter.h - how many rows there have been of each key.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "types/gather.h"

typedef struct key_counter_slot {
  uint64_t hash;
  row_ref first; /* a row of the key */
  int64_t count; /* 0: free */
} key_counter_slot;

typedef struct key_counter {
  key_counter_slot *slots;
  int64_t capacity, used; /* capacity is 0 or a power of two */
} key_counter;

/* Hashes of all rows by some columns; equal keys (all NaN, 0 and -0, all nulls) have equal hashes. */
void key_counter_hash(const mm_batch *rows, const int32_t *keys, int32_t key_count, uint64_t *hashes);
/* Count a row; batches[first.part] must show the first row of each key as long as the counter lives. Sets *count to how
 * many there have been. */
int key_counter_add(key_counter *t, const mm_batch *batches, const int32_t *keys, int32_t key_count, uint64_t hash,
                    row_ref row, int64_t *count, mm_error *error);
void key_counter_clear(key_counter *t); /* forget all keys, keep the room */
void key_counter_free(key_counter *t);
