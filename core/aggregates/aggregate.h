/* aggregate.h - an aggregate function, and its states beside a table of groups.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "engine/job_state.h"
#include "aggregates/rows.h"
#include "hash/hash_table.h"
#include "stage.h"

typedef struct accumulator accumulator;

typedef struct aggregate_function {
  int32_t size; /* bytes of a state */
  bool ordered; /* rows must come in order: no lanes */
  bool reduces; /* rows of one group go through a kernel, any number of them, to which null is as no row at all */
  /* States [from, to) of new groups. NULL: zero bytes. */
  void (*start)(accumulator *acc, int64_t from, int64_t to);
  /* `column` is followed by the other columns of the batch: parts stand side by side. */
  int (*update)(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error);
  /* Bring states [from, to) of a worker's table into the form that merges. May be NULL. */
  void (*finalize_local)(accumulator *acc, int64_t from, int64_t to);
  /* Add states from[0 .. n) to states to[number[i]]; pointers stand for the first state. */
  int (*combine)(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first, int64_t n,
                 mm_error *error);
  /* Move what is kept beside the states, group i to place[i] (NULL: i) of `to`, whose states are there. May be NULL. */
  int (*move)(accumulator *from, accumulator *to, const uint32_t *place, int64_t groups, mm_error *error);
  /* All is merged: bring the states into the form that emit reads. May be NULL. */
  int (*finalize)(accumulator *acc, int64_t groups, mm_error *error);
  /* Values of n states, which may be of several accumulators of this kind. */
  int (*emit)(const accumulator *acc, const mm_aggregate *aggregate, void *const *states, int64_t n, mm_type type,
              mm_column *column, mm_error *error);
} aggregate_function;

struct accumulator {
  const aggregate_function *vtable;
  mm_type type;   /* of the column */
  int32_t op;     /* MM_AGG_*, of the first aggregate that asked for it */
  int32_t column; /* -1: none */
  int32_t next;   /* in the plan: another accumulator of this column, or -1 */
  int64_t head;   /* states before that of group 0 */
  arena *arena;   /* of the table it stands beside */
  mm_buffer states;
  mm_buffer value_groups, values; /* kept beside the states by quantiles */
  mm_job *helpers; /* of the plan's, while results are made: whose threads emit may use; NULL: they are busy */
  row_encoding *pair_encoding;   /* of n_unique; owned by the plan */
  struct distinct_set *distinct; /* the same; see count_distinct_global.h */
  hash_table pairs;
  int64_t pair_rows;   /* rows that they came from */
  bool pairs_appended; /* some were not looked up */
};

enum { SHARED_GROUPS = 8 }; /* so many groups can be merged side by side */

static inline void *accumulator_state(const accumulator *acc, int64_t group) {
  return acc->states.data + (acc->head + group) * acc->vtable->size;
}
