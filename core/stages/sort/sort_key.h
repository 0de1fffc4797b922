/* sort_key.h - rows in an order: their keys as numbers, sorting them, merging what is sorted.
 *
 * DESIGN. The keys of a row are packed, most significant first, into a number of 128 bits whose order is the rows'
 * order (null first or last, descending keys complemented). Long texts, many keys, and 64-bit integers where both null
 * and the extreme value occur do not fit: then only the leading `bits` are compared, and rows with equal ones are
 * compared by value from key `key` on.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"
#include "types/gather.h"

typedef struct sort_key {
  uint64_t high, low; /* the number */
  row_ref at;         /* the row: batch and row of it */
} sort_key;

/* By the numbers alone. */
static inline bool sort_key_less(const sort_key *a, const sort_key *b) {
  return (a->high < b->high) | ((a->high == b->high) & (a->low < b->low));
}

typedef struct sort_column {
  mm_order order;
  int32_t type;        /* storage */
  int32_t width;       /* bits of the whole code; of text: as many as are packed */
  int32_t start, bits; /* where in the 128 the leading bits of the code are; `bits` 0: not packed */
} sort_column;

typedef struct sort_spec {
  sort_column *keys;
  int32_t count;
} sort_spec;

/* How many leading bits of the normalised key are exact, for the rows they were made of. */
typedef struct key_precision {
  int32_t bits, key;        /* `key` is the ordering's count when numbers decide alone */
  uint64_t nulls, extremes; /* keys of 64-bit integers where a null, or a value with the number of a null, was seen */
} key_precision;

int sort_spec_init(sort_spec *o, const mm_order *orders, int32_t count, const mm_schema *schema, mm_error *error);
void sort_spec_free(sort_spec *o);

/* Numbers of all rows of a batch; key i is {number, {part, i}}. */
void sort_spec_keys(const sort_spec *o, const mm_batch *rows, int32_t part, sort_key *sort_keys,
                    key_precision *precision);
/* What is exact over the rows of both. */
void key_precision_join(const sort_spec *o, key_precision *to, const key_precision *other);
sort_key sort_key_masked(sort_key r, int32_t bits); /* leading bits only */
/* Whether rows of this number may differ in keys from `key` on, the first that numbers leave open for some rows: a text
 * that is there as a whole leaves nothing open. */
bool sort_key_is_open(const sort_spec *o, int32_t key, const sort_key *r);
/* Rows of a batch whose first key may come before that of a key, a bit each; where that key is the only one, those
 * with an equal key do not count. Returns how many, or -1 where looking at the first key alone is of no use. */
int64_t sort_spec_filter(const sort_spec *o, const mm_batch *rows, const sort_key *boundary, uint64_t *passed);
