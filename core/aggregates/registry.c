/* registry.c - which accumulator serves an aggregate.
 * SPDX-License-Identifier: MIT */
#include "aggregates/registry.h"
#include "aggregates/families.h"
#include "base/error.h"
#include "types/column.h"
#include "types/type.h"
#include <string.h>

static int nothing(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  (void)acc, (void)column, (void)rows, (void)error;
  return 0;
}
static int combine_nothing(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first, int64_t n,
                           mm_error *error) {
  (void)to, (void)number, (void)from, (void)first, (void)n, (void)error;
  return 0;
}
static int emit_nothing(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                        mm_column *column, mm_error *error) {
  (void)acc, (void)states;
  mm_type type = request->type;
  TRY(column_make_result(column, type, n, type.id != MM_NULL, error));
  if (type_is_text(type.id)) memset((void *)column->offsets, 0, (size_t)(n + 1) * sizeof(int32_t));
  for (int64_t i = 0; i < n && type.id != MM_NULL; i++) column_set_null(column, i);
  return 0;
}
/* A value of a column in which all is null. */
static const aggregate_function nothing_class = {
    .size = 8, .ordered = true, .update = nothing, .combine = combine_nothing, .emit = emit_nothing};

const aggregate_function *aggregate_function_of(int op, mm_type type) {
  bool number = type_is_signed(type.id) || type_is_unsigned(type.id) || type_is_float(type.id) || type.id == MM_BOOL;
  switch (op) {
  case MM_AGG_COUNT:
  case MM_AGG_COUNT_NULL: return count_function(op);
  case MM_AGG_ANY:
  case MM_AGG_ALL: return type.id == MM_BOOL || type.id == MM_NULL ? count_function(op) : NULL;
  case MM_AGG_SUM_HIGH:
  case MM_AGG_SUM_LOW:
    if ((!number && type.id != MM_DURATION) || type_is_float(type.id)) return NULL;
    return sum_function(MM_AGG_SUM, type.id);
  case MM_AGG_MERGE_SUM:
  case MM_AGG_MERGE_MEAN: return type.id == MM_I64 || type.id == MM_F64 ? merged_sum_function(op, type.id) : NULL;
  case MM_AGG_MERGE_VAR:
  case MM_AGG_MERGE_STD: return type.id == MM_I64 ? merged_variance_function() : NULL;
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
    if (op == MM_AGG_SUM || op == MM_AGG_MEAN) return sum_function(op, id);
    return op == MM_AGG_MEDIAN || op == MM_AGG_QUANTILE ? quantile_function(id) : variance_function(id);
  }
  case MM_AGG_MIN:
  case MM_AGG_MAX:
  case MM_AGG_FIRST:
  case MM_AGG_LAST:
    if (type.id == MM_NULL) return &nothing_class;
    if (type_is_text(type.id)) return min_max_text_function();
    return op == MM_AGG_MIN || op == MM_AGG_MAX ? min_max_function(type.id) : first_last_function(type.id);
  case MM_AGG_N_UNIQUE:
    if (type.id == MM_OPAQUE) return NULL;
    return type.id == MM_NULL ? count_function(MM_AGG_COUNT) : count_distinct_function();
  default: return NULL;
  }
}
