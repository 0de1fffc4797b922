/* top_n_boundary.h - the row that closes the first n: rows that sort after it cannot be in the result.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stages/sort/key_sort.h"

/* What closes the first n rows of those seen so far. */
typedef struct bound {
  bool known;
  rank last; /* of the last of them */
  clarity clear;
} bound;

void top_n_boundary_tighten(bound *to, const bound *other); /* the one that comes first */
/* Rows of a batch that may be among the first n, all of them where the bound is not known; `to` stays empty when there
 * are none. The rows come later in the input than those that the bound was made of. `room` is used for their ranks. */
int top_n_boundary_filter(const ordering *o, const bound *b, const mm_batch *from, sort_key_list *room, mm_batch *to,
                          mm_error *error);
