/* quantile.inc.h - keeping the values of one type; needs NAME(x), T, VALUE(data, i) and ORDER(x).
 * SPDX-License-Identifier: MIT */

static int NAME(update)(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  value_log *log = acc->local;
  TRY(mm_buffer_reserve(&log->values, rows->count * 8, error));
  TRY(mm_buffer_reserve(&log->groups, rows->count * 4, error));
  int64_t *values = (int64_t *)(log->values.data + log->values.size);
  uint32_t *groups = (uint32_t *)(log->groups.data + log->groups.size);
  const T *data = column->data;
  int64_t kept = 0;
  for (int64_t i = 0; i < rows->count; i++) {
    values[kept] = ORDER(VALUE(data, rows->start + i));
    groups[kept] = rows->group[i];
    kept += !column->valid || bit_get(column->valid, rows->start + i);
  }
  log->values.size += kept * 8;
  log->groups.size += kept * 4;
  return 0;
}

static const aggregate_function NAME(quantile_class) = {.size = sizeof(values_of),
                                                        .ordered = true,
                                                        .open = open_log,
                                                        .close = close_log,
                                                        .update = NAME(update),
                                                        .combine = combine_values,
                                                        .move = move_values,
                                                        .finalize = finalize_values,
                                                        .emit = emit_quantiles,
                                                        .save = save_values,
                                                        .load = load_values};

#undef NAME
#undef VALUE
#undef T
#undef ORDER
