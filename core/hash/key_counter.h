/* key_counter.h - how many rows there have been of each key.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "types/gather.h"

typedef struct tally_slot {
  uint64_t hash;
  mm_pick first; /* a row of the key */
  int64_t count; /* 0: free */
} tally_slot;

typedef struct tally {
  tally_slot *slots;
  int64_t capacity, used; /* capacity is 0 or a power of two */
} tally;

/* Hashes of all rows by some columns; equal keys (all NaN, 0 and -0, all nulls) have equal hashes. */
void mm_tally_hash(const mm_batch *rows, const int32_t *keys, int32_t key_count, uint64_t *hashes);
/* Count a row; batches[first.part] must show the first row of each key as long as the tally lives. Sets *count to how
 * many there have been. */
int mm_tally_add(tally *t, const mm_batch *batches, const int32_t *keys, int32_t key_count, uint64_t hash, mm_pick row,
                 int64_t *count, mm_error *error);
void mm_tally_clear(tally *t); /* forget all keys, keep the room */
void mm_tally_free(tally *t);
