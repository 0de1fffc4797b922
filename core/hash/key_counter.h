/* key_counter.h - how many rows there have been of each key: a count beside each key of a hash_table.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "hash/hash_table.h"
#include <assert.h>

typedef struct key_counter {
  hash_table keys;
  arena arena;       /* of long text in keys */
  mm_buffer entries; /* of the rows at hand */
  mm_buffer counts;  /* int64_t of each key */
} key_counter;

/* The numbers of the keys of all rows of a batch; `columns` are those of the encoding. Nothing of the batch is kept. */
int key_counter_number(key_counter *counter, const row_encoding *encoding, const mm_batch *rows, const int32_t *columns,
                       uint32_t *numbers, mm_error *error);
/* Count a row of a key; how many there have been, with this one. */
static inline int64_t key_counter_add(key_counter *counter, uint32_t number) {
  assert(counter->counts.data); /* the number is of a key that is there */
  return ++((int64_t *)counter->counts.data)[number];
}
void key_counter_clear(key_counter *counter); /* forget all keys, keep the room */
void key_counter_free(key_counter *counter);
