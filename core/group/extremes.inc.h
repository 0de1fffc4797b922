/* extremes.inc.h - min and max of one type; needs NAME(x), T, VALUE(data, i) and ORDER(x), the value's place as an i64.
 * SPDX-License-Identifier: MIT */

static int NAME(update)(mm_accumulator *acc, const mm_column *column, mm_rows *rows, mm_error *error) {
  (void)error;
  const uint32_t *at = mm_rows_states(rows, column);
  const T *data = column->data;
  extreme *states = (extreme *)acc->states.data;
  int64_t flip = flip_of(acc);
  for (int64_t i = 0; i < rows->count; i++) {
    extreme *state = &states[at[i]];
    int64_t order = ORDER(VALUE(data, rows->start + i)) ^ flip;
    if (order <= state->order && state->seen) continue; /* nearly always, and then nothing waits for memory */
    state->order = order;
    state->seen = 1;
  }
  return 0;
}

static const mm_accumulator_class NAME(extreme_class) = {
    .size = sizeof(extreme), .start = start, .update = NAME(update), .merge = merge, .emit = emit};

#undef NAME
#undef VALUE
#undef T
#undef ORDER
