/* aggregate.h - an aggregate function, and its states beside a table of groups.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "aggregates/rows.h"
#include "base/arena.h"
#include "engine/job_state.h"
#include "stage.h"

typedef struct accumulator accumulator;

/* What values are made for. */
typedef struct aggregate_request {
  const mm_aggregate *aggregate;
  mm_type type;    /* of the values */
  mm_job *helpers; /* whose threads emit may use; NULL: they are busy */
} aggregate_request;

typedef struct aggregate_function {
  int32_t size;      /* bytes of a state */
  bool ordered;      /* rows must come in order: no lanes */
  bool reduces;      /* rows of one group go through a kernel, any number of them, to which null is as no row at all */
  bool counts_nulls; /* update wants columns in which all is null, too */
  /* Once per plan: make acc->shared, what all accumulators of the plan refer to. May be NULL, as the next two. */
  int (*bind)(accumulator *acc, mm_error *error);
  void (*interrupt)(accumulator *acc); /* nobody wants the result any more; any thread */
  void (*free)(accumulator *acc);      /* acc->shared, which is not NULL */
  /* Per accumulator: make acc->local, what it keeps beside the states. May be NULL, as the next one. */
  int (*open)(accumulator *acc, mm_error *error);
  void (*close)(accumulator *acc); /* acc->local, which is not NULL */
  /* States [from, to) of new groups. NULL: zero bytes. */
  void (*init)(accumulator *acc, int64_t from, int64_t to);
  int (*update)(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error);
  /* Bring states [from, to) of a worker's table into the form that combines. May be NULL. */
  void (*finalize_local)(accumulator *acc, int64_t from, int64_t to);
  /* Add states from[0 .. n) to states to[number[i]]; pointers stand for the first state. */
  int (*combine)(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first, int64_t n,
                 mm_error *error);
  /* Move what is kept beside the states, group i to place[i] (NULL: i) of `to`, whose states are there. May be NULL. */
  int (*move)(accumulator *from, accumulator *to, const uint32_t *place, int64_t groups, mm_error *error);
  /* Entries that are kept beside the states and cost as much as groups where tables are combined. NULL: none. */
  int64_t (*entries)(const accumulator *acc);
  /* All is combined: bring the states into the form that emit reads. May be NULL. */
  int (*finalize)(accumulator *acc, int64_t groups, mm_error *error);
  /* Values of n states, which may be of several accumulators of the plan. */
  int (*emit)(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
              mm_column *column, mm_error *error);
  /* Append a finalized state to bytes. */
  int (*save)(const accumulator *acc, const void *state, mm_buffer *to, mm_error *error);
  /* Add to a group what save wrote, of any accumulator of these states and this type: combine, out of bytes. MM_EDATA
   * for bytes that save does not write. */
  int (*load)(accumulator *acc, int64_t group, const uint8_t *bytes, int64_t size, mm_error *error);
} aggregate_function;

/* The states of an aggregate, one for each group of a table. */
struct accumulator {
  const aggregate_function *class;
  mm_type type;   /* of the values */
  int32_t op;     /* MM_AGG_*, of the first aggregate that asked for it */
  int32_t column; /* -1: none */
  int32_t next;   /* in the plan: another accumulator of this column, or -1 */
  int32_t place;  /* for errors */
  bool loads;     /* the column holds saved states: rows are combined as tables are, in order, one state a group */
  bool saves;     /* its states will be saved */
  int64_t head;   /* states before that of group 0 */
  arena *arena;   /* of the table it stands beside */
  mm_buffer states;
  void *shared, *local; /* the function's own; see bind and open */
};

enum { SHARED_GROUPS = 8 }; /* so many groups can be combined side by side */

static inline void *accumulator_state(const accumulator *acc, int64_t group) {
  return acc->states.data + (acc->head + group) * acc->class->size;
}
