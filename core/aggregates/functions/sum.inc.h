/* sum.inc.h - sum and mean of one type of number; needs NAME(x), VALUE(data, i), T, SUM, the type to add in, and
 * KIND(x) for what is the same for all types that are added in that one.
 * SPDX-License-Identifier: MIT */

static int NAME(update_sum)(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  (void)error;
  SUM *states = (SUM *)acc->states.data;
  if (rows->single) {
    KIND(add_single)(acc, column, rows, sizeof *states);
    return 0;
  }
  const uint32_t *at = row_vector_states(rows, column);
  const T *data = column->data;
  int64_t start = rows->start, n = rows->count;
  for (int64_t i = 0; i < n; i++) states[at[i]] += (SUM)VALUE(data, start + i);
  return 0;
}

static int NAME(update_mean)(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  (void)error;
  KIND(average) *states = (KIND(average) *)acc->states.data;
  if (rows->single) {
    KIND(add_single)(acc, column, rows, sizeof *states);
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
    KIND(average) *state = &states[at[i]];
    state->sum += (SUM)VALUE(data, start + i);
    state->count++;
  }
  return 0;
}

static const aggregate_function NAME(sum_class) = {.size = sizeof(SUM),
                                                   .reduces = true,
                                                   .update = NAME(update_sum),
                                                   .combine = KIND(combine_sum),
                                                   .emit = KIND(emit_sum),
                                                   .save = KIND(save_sum),
                                                   .load = KIND(load_sum)};
static const aggregate_function NAME(mean_class) = {.size = sizeof(KIND(average)),
                                                    .reduces = true,
                                                    .update = NAME(update_mean),
                                                    .combine = KIND(combine_mean),
                                                    .emit = KIND(emit_mean),
                                                    .save = KIND(save_mean),
                                                    .load = KIND(load_mean)};

#undef NAME
#undef VALUE
#undef T
#undef KIND
#undef SUM
