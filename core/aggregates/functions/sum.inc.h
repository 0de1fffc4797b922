/* sum.inc.h - sum and mean of one type of number; needs NAME(x), VALUE(data, i), T, SUM, the type to add in,
 * ADD_SINGLE, what adds a vector to the states of group 0, which begin with a SUM, and EMIT_SUM.
 * SPDX-License-Identifier: MIT */

typedef struct NAME(average) {
  SUM sum;
  int64_t count;
} NAME(average);

static int NAME(update_sum)(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  (void)error;
  SUM *states = (SUM *)acc->states.data;
  if (rows->single) {
    ADD_SINGLE(acc, column, rows, sizeof *states);
    return 0;
  }
  const uint32_t *at = row_vector_states(rows, column);
  const T *data = column->data;
  int64_t start = rows->start, n = rows->count;
  for (int64_t i = 0; i < n; i++) states[at[i]] += (SUM)VALUE(data, start + i);
  return 0;
}

static int NAME(combine_sum)(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first, int64_t n,
                             mm_error *error) {
  (void)error;
  SUM *states = accumulator_state(to, 0);
  const SUM *added = accumulator_state(from, first);
  for (int64_t i = 0; i < n; i++) states[number[i]] += added[i];
  return 0;
}

static int NAME(update_mean)(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  (void)error;
  NAME(average) *states = (NAME(average) *)acc->states.data;
  if (rows->single) {
    ADD_SINGLE(acc, column, rows, sizeof *states);
    states[HEAD_STATES].count += row_vector_count_valid(rows, column);
    return 0;
  }
  const uint32_t *at = row_vector_states(rows, column);
  const T *data = column->data;
  int64_t start = rows->start, n = rows->count;
  if (rows->few) {
    for (int64_t i = 0; i < n; i++) states[at[i]].sum += (SUM)VALUE(data, start + i);
    const uint32_t *tally = row_vector_counts(rows, column);
    for (int64_t g = 0; g < rows->groups; g++) states[HEAD_STATES + g].count += tally[g];
    return 0;
  }
  for (int64_t i = 0; i < n; i++) {
    NAME(average) *state = &states[at[i]];
    state->sum += (SUM)VALUE(data, start + i);
    state->count++;
  }
  return 0;
}

static int NAME(combine_mean)(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first,
                              int64_t n, mm_error *error) {
  (void)error;
  NAME(average) *states = accumulator_state(to, 0);
  const NAME(average) *added = accumulator_state(from, first);
  for (int64_t i = 0; i < n; i++) {
    states[number[i]].sum += added[i].sum;
    states[number[i]].count += added[i].count;
  }
  return 0;
}

static int NAME(emit_mean)(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                           mm_column *column, mm_error *error) {
  (void)acc;
  bool nulls = false;
  for (int64_t i = 0; i < n; i++) nulls |= ((const NAME(average) *)states[i])->count == 0;
  TRY(column_make_result(column, request->type, n, nulls, error));
  double *out = (double *)column->data;
  for (int64_t i = 0; i < n; i++) {
    const NAME(average) *state = states[i];
    out[i] = state->count ? canonical_nan((double)state->sum / (double)state->count) : 0;
    if (!state->count) column_set_null(column, i);
  }
  return 0;
}

static const aggregate_function NAME(sum_class) = {
    .size = sizeof(SUM), .reduces = true, .update = NAME(update_sum), .combine = NAME(combine_sum), .emit = EMIT_SUM};
static const aggregate_function NAME(mean_class) = {.size = sizeof(NAME(average)),
                                                    .reduces = true,
                                                    .update = NAME(update_mean),
                                                    .combine = NAME(combine_mean),
                                                    .emit = NAME(emit_mean)};

#undef NAME
#undef VALUE
#undef T
#undef SUM
#undef ADD_SINGLE
#undef EMIT_SUM
