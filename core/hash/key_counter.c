/* key_counter.c - a count beside each key of a hash table.
 * SPDX-License-Identifier: MIT */
#include "hash/key_counter.h"
#include "base/error.h"
#include <string.h>

enum { ROWS = 1024 }; /* encoded at a time */

/* Counts of 0 for the keys that are new. */
static int add_counts(key_counter *counter, mm_error *error) {
  int64_t size = counter->keys.count * (int64_t)sizeof(int64_t), known = counter->counts.size;
  if (size == known) return 0;
  TRY(mm_buffer_reserve(&counter->counts, size - known, error));
  memset(counter->counts.data + known, 0, (size_t)(size - known));
  counter->counts.size = size;
  return 0;
}

int key_counter_number(key_counter *counter, const row_encoding *encoding, const mm_batch *rows, const int32_t *columns,
                       uint32_t *numbers, mm_error *error) {
  counter->keys.encoding = encoding;
  counter->keys.arena = &counter->arena;
  TRY(mm_buffer_reserve(&counter->entries, ROWS * encoding->stride * (int64_t)sizeof(uint64_t), error));
  uint64_t *entries = (uint64_t *)counter->entries.data;
  for (int64_t start = 0; start < rows->length; start += ROWS) {
    int64_t n = rows->length - start < ROWS ? rows->length - start : ROWS;
    for (int32_t k = 0; k < encoding->count; k++)
      row_encoding_encode(encoding, k, &rows->columns[columns[k]], start, n, entries);
    row_encoding_complete(encoding, &rows->columns[columns[0]], start, n, entries);
    TRY(hash_table_resolve(&counter->keys, entries, n, numbers + start, error));
  }
  return add_counts(counter, error);
}

void key_counter_clear(key_counter *counter) {
  hash_table_clear(&counter->keys);
  arena_reset(&counter->arena);
  counter->counts.size = 0;
}

void key_counter_free(key_counter *counter) {
  hash_table_free(&counter->keys);
  arena_free(&counter->arena);
  mm_buffer_free(&counter->entries);
  mm_buffer_free(&counter->counts);
}
