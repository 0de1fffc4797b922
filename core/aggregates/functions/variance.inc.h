/* variance.inc.h - the loop of var and std over one type; needs NAME(x), T and VALUE(data, i).
 * SPDX-License-Identifier: MIT */

static int NAME(update)(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  (void)error;
  if (rows->single) {
    measure(acc, column, rows);
    return 0;
  }
  const uint32_t *at = row_vector_states(rows, column);
  const T *data = column->data;
  moment *states = (moment *)acc->states.data;
  int64_t start = rows->start, n = rows->count;
  for (int64_t i = 0; i < n; i++) {
    moment *state = &states[at[i]];
    double x = (double)VALUE(data, start + i);
    if (state->count == 0) state->center = x;
    double d = x - state->center;
    state->count++;
    state->sum += d;
    state->squares += d * d;
  }
  return 0;
}

static const aggregate_function NAME(variance_class) = {.size = sizeof(moment),
                                                        .reduces = true,
                                                        .update = NAME(update),
                                                        .finalize_local = finalize_moments,
                                                        .combine = combine_moments,
                                                        .emit = emit_variances,
                                                        .save = save_moment,
                                                        .load = load_moment};

#undef NAME
#undef VALUE
#undef T
