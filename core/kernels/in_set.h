/* in_set.h - the set of IN, of numbers.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"

/* The set of IN: a few values are compared one by one, whole numbers near each other are bits, others are hashed. */
enum mm_set_kind { SET_FEW, SET_SPAN, SET_HASH };
enum { SET_LINEAR = 16, SET_LINEAR_BYTES = 48 }; /* at most so many, in so many bytes */
typedef struct mm_set {
  enum mm_set_kind kind;
  int32_t count;            /* values of `few` */
  uint64_t few[SET_LINEAR]; /* bit patterns of the type */
  uint64_t *table;          /* SPAN: a bit for each number from `base` on; HASH: keys, or `empty` */
  int64_t words;            /* of the table */
  uint64_t base, span;      /* SPAN: numbers base .. base + span */
  uint64_t factor, empty;   /* HASH: `empty` is a value that is not in the set */
  uint32_t shift;           /* HASH: words is 2^(64 - shift) */
  bool apart;               /* HASH: every key is at its own place, none at the next */
} mm_set;
static inline uint64_t mm_set_place(const mm_set *set, uint64_t key) { return key * set->factor >> set->shift; }
static inline uint64_t mm_set_next(const mm_set *set, uint64_t place) {
  return (place + 1) & (~UINT64_C(0) >> set->shift);
}
mm_set *mm_set_new(const mm_value *values, int32_t count, int type, mm_error *error); /* of a storage type */
void mm_set_free(mm_set *set);
