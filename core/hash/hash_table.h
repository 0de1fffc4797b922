/* hash_table.h - a table that numbers encoded keys in order of first appearance.
 *
 * DESIGN. The table of row keys, with the one hash of row keys (row_encoding.h): whatever groups, counts or, later,
 * joins rows uses it. Another table needs a reason, which its header states: hot_keys.h, hot_strings.h,
 * kernels/in/in_set.h, kernels/in/text_in_set.h, aggregates/count_distinct_global.c.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "base/arena.h"
#include "hash/row_encoding.h"

typedef struct hash_table {
  const row_encoding *encoding;
  arena *arena;    /* of long text */
  uint64_t *slots; /* upper half of the hash above number + 1; 0: empty */
  int64_t slot_count;
  mm_buffer entries; /* number i at i * encoding->stride words */
  int64_t count;     /* entries */
  int64_t tabled;    /* of them, those that the slots know; others were appended */
} hash_table;

/* Number of each entry, new ones in order. `entries` must stay apart from the table's own. */
int hash_table_resolve(hash_table *table, const uint64_t *entries, int64_t n, uint32_t *numbers, mm_error *error);
/* Take all entries as new ones without looking. Only until the next hash_table_clear. */
int hash_table_append(hash_table *table, const uint64_t *entries, int64_t n, uint32_t *numbers, mm_error *error);
void hash_table_clear(hash_table *table);
void hash_table_free(hash_table *table);
static inline const uint64_t *hash_table_entry(const hash_table *table, int64_t number) {
  return (const uint64_t *)table->entries.data + number * table->encoding->stride;
}
