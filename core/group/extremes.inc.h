/* extremes.inc.h - min and max of one type; needs NAME(x), T, VALUE(data, i) and ORDER(x), the value's place as an i64.
 * SPDX-License-Identifier: MIT */

static int NAME(update)(mm_accumulator *acc, const mm_column *column, mm_rows *rows, mm_error *error) {
  (void)error;
  const uint32_t *at = mm_rows_states(rows, column);
  const T *data = column->data;
  enum { IS_FLOAT = (T)0.5 > 0 };
  double sign = acc->op == MM_AGG_MIN ? -1 : 1;
  extreme *states = (extreme *)acc->states.data;
  int64_t flip = flip_of(acc), from = rows->start, n = rows->count;
  for (int64_t i = 0; i < n; i++) {
    extreme *state = &states[at[i]];
    double x = IS_FLOAT ? (double)VALUE(data, from + i) * sign : 0;
    if (IS_FLOAT && x < state->limit) continue; /* nearly always, and then nothing waits for memory */
    int64_t order = ORDER(VALUE(data, from + i)) ^ flip;
    if (order <= state->order && state->seen) continue;
    *state = (extreme){order, 1, x};
  }
  return 0;
}

static const mm_accumulator_class NAME(extreme_class) = {
    .size = sizeof(extreme), .start = start, .update = NAME(update), .merge = merge, .emit = emit};

#undef NAME
#undef VALUE
#undef T
#undef ORDER
