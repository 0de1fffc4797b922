/* first_last.inc.h - the loops of first and last over one width of values; needs NAME(x), T and VALUE(data, i).
 * SPDX-License-Identifier: MIT */

static int NAME(update)(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  (void)error;
  const T *data = column->data;
  edge *states = accumulator_state(acc, 0);
  bool first = acc->op == MM_AGG_FIRST;
  for (int64_t i = 0; i < rows->count; i++) {
    edge *state = &states[rows->group[i]];
    if (first && state->found != NONE) continue;
    state->bits = (uint64_t)VALUE(data, rows->start + i);
    state->found = !column->valid || bit_get(column->valid, rows->start + i) ? VALUE_FOUND : NULL_FOUND;
  }
  return 0;
}

static const aggregate_function NAME(first_last_class) = {.size = sizeof(edge),
                                                          .ordered = true,
                                                          .update = NAME(update),
                                                          .combine = combine_values,
                                                          .emit = emit_values,
                                                          .save = save_value,
                                                          .load = load_value};

#undef NAME
#undef VALUE
#undef T
