/* top_n_boundary.h - the row that closes the first n: rows that sort after it cannot be in the result.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stages/sort/key_sort.h"

/* What closes the first n rows of those seen so far. */
typedef struct top_n_boundary {
  bool known;
  sort_key last; /* of the last of them */
  key_precision precision;
} top_n_boundary;

void top_n_boundary_tighten(top_n_boundary *to, const top_n_boundary *other); /* the one that comes first */
/* Rows of a batch that may be among the first n, all of them where the boundary is not known; `to` stays empty when
 * there are none. The rows come later in the input than those that the boundary was made of. `room` is used for
 * their keys. */
int top_n_boundary_filter(const sort_spec *o, const top_n_boundary *b, const mm_batch *from, sort_key_list *room,
                          mm_batch *to, mm_error *error);
