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

typedef struct rank {
  uint64_t high, low; /* the number */
  row_ref at;         /* the row: batch and row of it */
} rank;

/* By the numbers alone. */
static inline bool sort_key_less(const rank *a, const rank *b) {
  return (a->high < b->high) | ((a->high == b->high) & (a->low < b->low));
}

typedef struct sort_column {
  mm_order order;
  int32_t type;        /* storage */
  int32_t width;       /* bits of the whole code; of text: as many as are packed */
  int32_t start, bits; /* where in the 128 the leading bits of the code are; `bits` 0: not packed */
} sort_column;

typedef struct ordering {
  sort_column *keys;
  int32_t count;
} ordering;

/* How far numbers decide for the rows they were made of. */
typedef struct clarity {
  int32_t bits, key;        /* `key` is the ordering's count when numbers decide alone */
  uint64_t nulls, extremes; /* keys of 64-bit integers where a null, or a value with the number of a null, was seen */
} clarity;

int sort_spec_init(ordering *o, const mm_order *orders, int32_t count, const mm_schema *schema, mm_error *error);
void sort_spec_free(ordering *o);

/* Numbers of all rows of a batch; rank i is {number, {part, i}}. */
void sort_spec_keys(const ordering *o, const mm_batch *rows, int32_t part, rank *ranks, clarity *clear);
/* What is clear over the rows of both. */
void key_precision_join(const ordering *o, clarity *to, const clarity *other);
rank sort_key_masked(rank r, int32_t bits); /* leading bits only */
/* Whether rows of this number may differ in keys from `key` on, the first that numbers leave open for some rows: a text
 * that is there as a whole leaves nothing open. */
bool sort_key_is_open(const ordering *o, int32_t key, const rank *r);
/* Rows of a batch whose first key may come before that of a rank, a bit each; where that key is the only one, those
 * with an equal key do not count. Returns how many, or -1 where looking at the first key alone is of no use. */
int64_t sort_spec_filter(const ordering *o, const mm_batch *rows, const rank *bound, uint64_t *passed);
