/* min_max.inc.h - min and max of one type; needs NAME(x), T, VALUE(data, i) and ORDER(x), the value's place as an i64.
 * SPDX-License-Identifier: MIT */

static int NAME(update)(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  (void)error;
  const T *data = column->data;
  if (rows->single) {
    if (row_vector_count_valid(rows, column) == 0) return 0;
    T bound;
    min_max_kernel_of(column->type.id)(&bound, data, column->valid, rows->start, rows->count, acc->op == MM_AGG_MIN);
    add_bound(acc, ORDER(VALUE(&bound, 0)));
    return 0;
  }
  const uint32_t *at = row_vector_states(rows, column);
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

static const aggregate_function NAME(min_max_class) = {.size = sizeof(extreme),
                                                       .reduces = true,
                                                       .init = init_extremes,
                                                       .update = NAME(update),
                                                       .combine = combine_extremes,
                                                       .emit = emit_extremes,
                                                       .save = save_extreme,
                                                       .load = load_extreme};

#undef NAME
#undef VALUE
#undef T
#undef ORDER
