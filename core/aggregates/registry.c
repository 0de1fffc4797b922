/* registry.c - which accumulator serves an aggregate.
 * SPDX-License-Identifier: MIT */
#include "aggregates/registry.h"
#include "aggregates/families.h"
#include "base/error.h"
#include "types/column.h"
#include "types/type.h"
#include <string.h>

static int nothing(mm_accumulator *acc, const mm_column *column, mm_rows *rows, mm_error *error) {
  (void)acc, (void)column, (void)rows, (void)error;
  return 0;
}
static int merge_nothing(mm_accumulator *to, const uint32_t *number, const mm_accumulator *from, int64_t first,
                         int64_t n, mm_error *error) {
  (void)to, (void)number, (void)from, (void)first, (void)n, (void)error;
  return 0;
}
static int emit_nothing(const mm_accumulator *acc, const mm_aggregate *aggregate, void *const *states, int64_t n,
                        mm_type type, mm_column *column, mm_error *error) {
  (void)acc, (void)aggregate, (void)states;
  TRY(mm_emit_column(column, type, n, type.id != MM_NULL, error));
  if (mm_is_text(type.id)) memset((void *)column->offsets, 0, (size_t)(n + 1) * sizeof(int32_t));
  for (int64_t i = 0; i < n && type.id != MM_NULL; i++) mm_emit_null(column, i);
  return 0;
}
/* A value of a column in which all is null. */
static const mm_accumulator_class nothing_class = {
    .size = 8, .ordered = true, .update = nothing, .merge = merge_nothing, .emit = emit_nothing};

const mm_accumulator_class *mm_accumulator_class_of(int op, mm_type type) {
  bool number = mm_is_signed(type.id) || mm_is_unsigned(type.id) || mm_is_float(type.id) || type.id == MM_BOOL;
  switch (op) {
  case MM_AGG_COUNT:
  case MM_AGG_COUNT_NULL: return mm_count_class(op);
  case MM_AGG_ANY:
  case MM_AGG_ALL: return type.id == MM_BOOL || type.id == MM_NULL ? mm_count_class(op) : NULL;
  case MM_AGG_SUM_HIGH:
  case MM_AGG_SUM_LOW:
    if ((!number && type.id != MM_DURATION) || mm_is_float(type.id)) return NULL;
    return mm_sum_class(MM_AGG_SUM, type.id);
  case MM_AGG_MERGE_SUM:
  case MM_AGG_MERGE_MEAN: return type.id == MM_I64 || type.id == MM_F64 ? mm_merged_sum_class(op, type.id) : NULL;
  case MM_AGG_MERGE_VAR:
  case MM_AGG_MERGE_STD: return type.id == MM_I64 ? mm_merged_moment_class() : NULL;
  case MM_AGG_SUM:
  case MM_AGG_MEAN:
  case MM_AGG_VAR:
  case MM_AGG_STD:
  case MM_AGG_CENTER:
  case MM_AGG_REST:
  case MM_AGG_SQUARES:
  case MM_AGG_MEDIAN:
  case MM_AGG_QUANTILE: {
    if (!number && type.id != MM_DURATION && type.id != MM_NULL) return NULL;
    int id = type.id != MM_NULL ? type.id : op == MM_AGG_SUM ? MM_I64 : MM_F64;
    if (op == MM_AGG_SUM || op == MM_AGG_MEAN) return mm_sum_class(op, id);
    return op == MM_AGG_MEDIAN || op == MM_AGG_QUANTILE ? mm_quantile_class(id) : mm_moment_class(id);
  }
  case MM_AGG_MIN:
  case MM_AGG_MAX:
  case MM_AGG_FIRST:
  case MM_AGG_LAST:
    if (type.id == MM_NULL) return &nothing_class;
    if (mm_is_text(type.id)) return mm_text_class();
    return op == MM_AGG_MIN || op == MM_AGG_MAX ? mm_extreme_class(type.id) : mm_edge_class(type.id);
  case MM_AGG_N_UNIQUE:
    if (type.id == MM_OPAQUE) return NULL;
    return type.id == MM_NULL ? mm_count_class(MM_AGG_COUNT) : mm_unique_class();
  default: return NULL;
  }
}
