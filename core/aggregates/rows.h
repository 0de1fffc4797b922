/* rows.h - a vector of rows, and the states of their groups that they go to.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "kernels/reduce/reduce.h"
#include "moonmill.h"

/* States 0 to 3 of a worker's table take what nulls would have added; 7 x 64 more let neighbouring rows of one of
 * the first 64 groups go to different states, so that a run of equal keys does not wait for memory, and that a
 * kernel may add them in vectors. Row i of the morsel takes lane i mod 8, which depends on the data only. Tables
 * that are only merged into have no such head. */
enum { NULL_STATES = 4, REPLICATED_GROUPS = 64, HEAD_STATES = NULL_STATES + (REDUCE_LANES - 1) * REPLICATED_GROUPS };

/* A vector of rows and where they go. Where the order of rows does not matter, a row goes to one of REDUCE_LANES
 * states of its group, chosen by its number within the morsel, so that additions need not wait for each other. */
typedef struct row_vector {
  int64_t start, count; /* within the batch; count <= MM_VECTOR, unless the plan reduces */
  int64_t lane;         /* of the first row */
  int64_t groups;       /* that the table has by now */
  bool single;          /* all rows are of group 0 */
  bool few;             /* all groups have lanes */
  bool replicas_known;
  uint32_t *group;    /* number of each row's group */
  uint32_t *replicas; /* its state; see row_vector_replicas */
  uint32_t *masked;   /* the same, nulls of `masked_by` to the null states */
  const uint64_t *masked_by;
  uint32_t row_counts[REPLICATED_GROUPS]; /* rows of each group; see row_vector_counts */
  const uint32_t *row_counts_of;          /* states that were counted; NULL: none yet */
  bool distinct;                          /* each row is a group of its own */
} row_vector;

/* The state of lane `lane` of group 0. */
static inline int64_t replica_state(int64_t lane) {
  lane &= REDUCE_LANES - 1;
  return lane ? NULL_STATES + (lane - 1) * REPLICATED_GROUPS : HEAD_STATES;
}
/* States for the rows when the order of rows does not matter. */
const uint32_t *row_vector_replicas(row_vector *rows);
/* The same for the rows of a column that has no text: nulls go to the null states. */
const uint32_t *row_vector_states(row_vector *rows, const mm_column *column);
/* How many rows are not null in a column. */
int64_t row_vector_count_valid(const row_vector *rows, const mm_column *column);
/* While all groups have lanes: how many rows each group has, nulls of the column (NULL: none) left out. */
const uint32_t *row_vector_counts(row_vector *rows, const mm_column *column);
