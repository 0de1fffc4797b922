/* count.c - count, count_null, any and all: one number a group.
 * SPDX-License-Identifier: MIT */
#include "aggregates/families.h"
#include "aggregates/saved_state.h"
#include "base/error.h"
#include "types/column.h"
#include <string.h>

/* count() counts rows; count(x) the rows where x is not null. */
static int update_count(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  (void)error;
  int64_t *states = (int64_t *)acc->states.data;
  if (rows->single) {
    states[HEAD_STATES] += column ? row_vector_count_valid(rows, column) : rows->count;
    return 0;
  }
  if (rows->few) {
    const uint32_t *tally = row_vector_counts(rows, column);
    for (int64_t g = 0; g < rows->groups; g++) states[HEAD_STATES + g] += tally[g];
    return 0;
  }
  const uint32_t *at = column ? row_vector_states(rows, column) : row_vector_replicas(rows);
  for (int64_t i = 0, n = rows->count; i < n; i++) states[at[i]]++;
  return 0;
}

static int update_count_null(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  (void)error;
  int64_t *states = (int64_t *)acc->states.data;
  const uint32_t *at = row_vector_replicas(rows);
  bool all = column->type.id == MM_NULL;
  for (int64_t i = 0; (all || column->valid) && i < rows->count; i++)
    states[at[i]] += all || !bit_get(column->valid, rows->start + i);
  return 0;
}

static int combine_count(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first, int64_t n,
                         mm_error *error) {
  (void)error;
  int64_t *states = accumulator_state(to, 0);
  const int64_t *added = accumulator_state(from, first);
  for (int64_t i = 0; i < n; i++) states[number[i]] += added[i];
  return 0;
}

static int emit_count(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                      mm_column *column, mm_error *error) {
  (void)acc;
  TRY(column_make_result(column, request->type, n, false, error));
  int64_t *out = (int64_t *)column->data;
  for (int64_t i = 0; i < n; i++) out[i] = *(const int64_t *)states[i];
  return 0;
}

static int save_count(const accumulator *acc, const void *state, mm_buffer *to, mm_error *error) {
  (void)acc;
  return mm_buffer_append(to, state, sizeof(int64_t), error);
}

static int load_count(accumulator *acc, int64_t group, const uint8_t *bytes, int64_t size, mm_error *error) {
  int64_t *state = accumulator_state(acc, group), count;
  if (size != sizeof count) return saved_state_refuse(error);
  memcpy(&count, bytes, sizeof count);
  if (count < 0 || count > SAVED_ROWS_MOST - *state) return saved_state_refuse(error);
  *state += count;
  return 0;
}

/* any counts what is true, all counts what is false. */
static int update_truth(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  (void)error;
  const uint32_t *at = row_vector_states(rows, column);
  int64_t *states = (int64_t *)acc->states.data;
  bool counted = acc->op == MM_AGG_ANY;
  for (int64_t i = 0; i < rows->count; i++) states[at[i]] += bit_get(column->data, rows->start + i) == counted;
  return 0;
}

static int emit_truth(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                      mm_column *column, mm_error *error) {
  (void)acc;
  TRY(column_make_result(column, request->type, n, false, error));
  uint64_t *out = (uint64_t *)column->data;
  for (int64_t i = 0; i < n; i++)
    if ((*(const int64_t *)states[i] != 0) == (request->aggregate->op == MM_AGG_ANY)) bit_set(out, i);
  return 0;
}

static const aggregate_function count_class = {.size = 8,
                                               .reduces = true,
                                               .update = update_count,
                                               .combine = combine_count,
                                               .emit = emit_count,
                                               .save = save_count,
                                               .load = load_count};
static const aggregate_function count_null_class = {.size = 8,
                                                    .counts_nulls = true,
                                                    .update = update_count_null,
                                                    .combine = combine_count,
                                                    .emit = emit_count,
                                                    .save = save_count,
                                                    .load = load_count};
static const aggregate_function truth_class = {.size = 8,
                                               .update = update_truth,
                                               .combine = combine_count,
                                               .emit = emit_truth,
                                               .save = save_count,
                                               .load = load_count};

const aggregate_function *count_function(aggregate_use use) {
  (void)use;
  return &count_class;
}
const aggregate_function *count_null_function(aggregate_use use) {
  (void)use;
  return &count_null_class;
}
const aggregate_function *truth_function(aggregate_use use) {
  (void)use;
  return &truth_class;
}
