/* in_set.h - the set of IN, of numbers.
 *
 * DESIGN. Constant after it was made, without values beside the keys, and searched by kernels of each instruction set
 * in the type of the column; a hash_table would want rows encoded first. With hashing and probing alone, `is_in` of 4
 * floats takes 4 to 7 times as long as it does by comparing, that of 20 whole numbers 1.2 to 2 times as long as it does
 * by bits.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"

/* The set of IN: a few values are compared one by one, whole numbers near each other are bits, others are hashed. */
enum in_set_kind { SET_FEW, SET_SPAN, SET_HASH };
enum { SET_LINEAR = 16, SET_LINEAR_BYTES = 48 }; /* at most so many, in so many bytes */
typedef struct in_set {
  enum in_set_kind kind;
  int32_t count;            /* values of `few` */
  uint64_t few[SET_LINEAR]; /* bit patterns of the type */
  uint64_t *table;          /* SPAN: a bit for each number from `base` on; HASH: keys, or `empty` */
  int64_t words;            /* of the table */
  uint64_t base, span;      /* SPAN: numbers base .. base + span */
  uint64_t factor, empty;   /* HASH: `empty` is a value that is not in the set */
  uint32_t shift;           /* HASH: words is 2^(64 - shift) */
  bool apart;               /* HASH: every key is at its own place, none at the next */
} in_set;
static inline uint64_t in_set_slot(const in_set *set, uint64_t key) { return key * set->factor >> set->shift; }
static inline uint64_t in_set_next_slot(const in_set *set, uint64_t place) {
  return (place + 1) & (~UINT64_C(0) >> set->shift);
}
in_set *in_set_new(const mm_value *values, int32_t count, int type, mm_error *error); /* of a storage type */
void in_set_free(in_set *set);
