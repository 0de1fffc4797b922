/* sum.c - sum and mean: integers exactly, in 128 bits; floats in f64. Their parts, and sum and mean out of parts.
 * SPDX-License-Identifier: MIT */
#include "aggregates/families.h"
#include "base/error.h"
#include "types/column.h"
#include "types/total_order.h"
#include "types/type.h"
#include <string.h>

enum { LOW_BITS = 32 };

/* The high or the low part of a sum. */
static int emit_part(const aggregate_request *request, void *const *states, int64_t n, mm_column *column,
                     mm_error *error) {
  TRY(column_make_result(column, request->type, n, false, error));
  int64_t *out = (int64_t *)column->data;
  for (int64_t i = 0; i < n; i++) {
    __int128 sum;
    memcpy(&sum, states[i], sizeof sum);
    __int128 high = sum >> LOW_BITS;
    out[i] = request->aggregate->op == MM_AGG_SUM_LOW ? (int64_t)((uint64_t)sum & UINT32_MAX) : (int64_t)high;
    if (high != (int64_t)high) return error_fail(error, MM_EDATA, "overflow", "a sum does not fit in 96 bits");
  }
  return 0;
}

static int emit_exact(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                      mm_column *column, mm_error *error) {
  (void)acc;
  if (request->aggregate->op == MM_AGG_SUM_HIGH || request->aggregate->op == MM_AGG_SUM_LOW)
    return emit_part(request, states, n, column, error);
  TRY(column_make_result(column, request->type, n, false, error));
  bool is_unsigned = type_is_unsigned(request->type.id);
  uint64_t *out = (uint64_t *)column->data;
  for (int64_t i = 0; i < n; i++) {
    __int128 sum;
    memcpy(&sum, states[i], sizeof sum);
    out[i] = (uint64_t)sum;
    if (is_unsigned ? sum == (__int128)(uint64_t)sum : sum == (__int128)(int64_t)sum) continue;
    int status = error_fail(error, MM_EDATA, "overflow", "a sum does not fit in %s", is_unsigned ? "u64" : "i64");
    if (error) error->place = request->aggregate->place;
    return status;
  }
  return 0;
}

static int emit_float(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                      mm_column *column, mm_error *error) {
  (void)acc;
  TRY(column_make_result(column, request->type, n, false, error));
  double *out = (double *)column->data;
  for (int64_t i = 0; i < n; i++) out[i] = canonical_nan(*(const double *)states[i]);
  return 0;
}

/* ---- A vector of rows of group 0: the same additions in the same order as through states, since 0 in place of a
 * null changes no sum ---- */

static void add_exactly(accumulator *acc, const mm_column *column, const row_vector *rows, int64_t size) {
  wide_sum whole = {0};
  sum_kernel_of(column->type.id)(&whole, column->data, column->valid, rows->start, rows->count);
  __int128 *sum = (__int128 *)(void *)(acc->states.data + HEAD_STATES * size);
  *sum += (__int128)whole.high * ((int64_t)1 << LOW_BITS) + whole.low;
}

static void add_in_lanes(accumulator *acc, const mm_column *column, const row_vector *rows, int64_t size) {
  double sums[REDUCE_LANES], *states[REDUCE_LANES];
  for (int k = 0; k < REDUCE_LANES; k++) {
    states[k] = (double *)(void *)(acc->states.data + replica_state(rows->lane + k) * size);
    sums[k] = *states[k];
  }
  sum_kernel_of(column->type.id)(sums, column->data, column->valid, rows->start, rows->count);
  for (int k = 0; k < REDUCE_LANES; k++) *states[k] = sums[k];
}

#define NAME(x) x##_bool
#define VALUE(data, i) bit_get(data, i)
#define T uint64_t
#define SUM __int128
#define ADD_SINGLE add_exactly
#define EMIT_SUM emit_exact
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_i8
#define VALUE(data, i) (data)[i]
#define T int8_t
#define SUM __int128
#define ADD_SINGLE add_exactly
#define EMIT_SUM emit_exact
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_i16
#define VALUE(data, i) (data)[i]
#define T int16_t
#define SUM __int128
#define ADD_SINGLE add_exactly
#define EMIT_SUM emit_exact
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_i32
#define VALUE(data, i) (data)[i]
#define T int32_t
#define SUM __int128
#define ADD_SINGLE add_exactly
#define EMIT_SUM emit_exact
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_i64
#define VALUE(data, i) (data)[i]
#define T int64_t
#define SUM __int128
#define ADD_SINGLE add_exactly
#define EMIT_SUM emit_exact
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_u8
#define VALUE(data, i) (data)[i]
#define T uint8_t
#define SUM __int128
#define ADD_SINGLE add_exactly
#define EMIT_SUM emit_exact
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_u16
#define VALUE(data, i) (data)[i]
#define T uint16_t
#define SUM __int128
#define ADD_SINGLE add_exactly
#define EMIT_SUM emit_exact
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_u32
#define VALUE(data, i) (data)[i]
#define T uint32_t
#define SUM __int128
#define ADD_SINGLE add_exactly
#define EMIT_SUM emit_exact
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_u64
#define VALUE(data, i) (data)[i]
#define T uint64_t
#define SUM __int128
#define ADD_SINGLE add_exactly
#define EMIT_SUM emit_exact
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_f32
#define VALUE(data, i) (data)[i]
#define T float
#define SUM double
#define ADD_SINGLE add_in_lanes
#define EMIT_SUM emit_float
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_f64
#define VALUE(data, i) (data)[i]
#define T double
#define SUM double
#define ADD_SINGLE add_in_lanes
#define EMIT_SUM emit_float
#include "aggregates/functions/sum.inc.h"

static int type_of_use(aggregate_use use, int none) {
  return use.type.id == MM_NULL ? none : type_storage(use.type.id);
}

const aggregate_function *sum_function(aggregate_use use) {
  bool parts = use.op == MM_AGG_SUM_HIGH || use.op == MM_AGG_SUM_LOW;
  if (parts && (type_is_float(use.type.id) || use.type.id == MM_NULL)) return NULL;
  switch (type_of_use(use, MM_I64)) {
#define X(E, s, C, format)                                                                                             \
  case MM_##E: return &sum_class_##s;
    TYPE_NUMBERS(X)
    X(BOOL, bool, bool, "b")
#undef X
  default: return NULL;
  }
}

const aggregate_function *mean_function(aggregate_use use) {
  switch (type_of_use(use, MM_F64)) {
#define X(E, s, C, format)                                                                                             \
  case MM_##E: return &mean_class_##s;
    TYPE_NUMBERS(X)
#undef X
  default: return NULL;
  }
}

/* ---- Out of parts ---- */

static bool any_null(const mm_column *parts, int count, int64_t row) {
  for (int p = 0; p < count; p++)
    if (parts[p].valid && !bit_get(parts[p].valid, row)) return true;
  return false;
}

static __int128 whole_sum(const mm_column *parts, int64_t row) {
  const int64_t *high = parts[0].data;
  const uint64_t *low = parts[1].data;
  return (__int128)high[row] * ((int64_t)1 << LOW_BITS) + low[row];
}

static int update_whole_sum(accumulator *acc, const mm_column *parts, row_vector *rows, mm_error *error) {
  (void)error;
  __int128 *states = accumulator_state(acc, 0);
  for (int64_t i = 0, row = rows->start; i < rows->count; i++, row++)
    if (!any_null(parts, 2, row)) states[rows->group[i]] += whole_sum(parts, row);
  return 0;
}

static int update_float_sum(accumulator *acc, const mm_column *parts, row_vector *rows, mm_error *error) {
  (void)error;
  double *states = accumulator_state(acc, 0);
  const double *sum = parts[0].data;
  for (int64_t i = 0, row = rows->start; i < rows->count; i++, row++)
    if (!any_null(parts, 1, row)) states[rows->group[i]] += sum[row];
  return 0;
}

static int update_whole_mean(accumulator *acc, const mm_column *parts, row_vector *rows, mm_error *error) {
  (void)error;
  average_i64 *states = accumulator_state(acc, 0);
  const int64_t *count = parts[2].data;
  for (int64_t i = 0, row = rows->start; i < rows->count; i++, row++) {
    if (any_null(parts, 3, row)) continue;
    states[rows->group[i]].sum += whole_sum(parts, row);
    states[rows->group[i]].count += count[row];
  }
  return 0;
}

static int update_float_mean(accumulator *acc, const mm_column *parts, row_vector *rows, mm_error *error) {
  (void)error;
  average_f64 *states = accumulator_state(acc, 0);
  const double *sum = parts[0].data;
  const int64_t *count = parts[1].data;
  for (int64_t i = 0, row = rows->start; i < rows->count; i++, row++) {
    if (any_null(parts, 2, row)) continue;
    states[rows->group[i]].sum += sum[row];
    states[rows->group[i]].count += count[row];
  }
  return 0;
}

/* In order, so that parts which are morsels add up as morsels do. */
static const aggregate_function whole_sum_class = {.size = sizeof(__int128),
                                                   .ordered = true,
                                                   .update = update_whole_sum,
                                                   .combine = combine_sum_i64,
                                                   .emit = emit_exact};
static const aggregate_function float_sum_class = {.size = sizeof(double),
                                                   .ordered = true,
                                                   .update = update_float_sum,
                                                   .combine = combine_sum_f64,
                                                   .emit = emit_float};
static const aggregate_function whole_mean_class = {.size = sizeof(average_i64),
                                                    .ordered = true,
                                                    .update = update_whole_mean,
                                                    .combine = combine_mean_i64,
                                                    .emit = emit_mean_i64};
static const aggregate_function float_mean_class = {.size = sizeof(average_f64),
                                                    .ordered = true,
                                                    .update = update_float_mean,
                                                    .combine = combine_mean_f64,
                                                    .emit = emit_mean_f64};

const aggregate_function *merged_sum_function(aggregate_use use) {
  return use.type.id == MM_F64 ? &float_sum_class : use.type.id == MM_I64 ? &whole_sum_class : NULL;
}
const aggregate_function *merged_mean_function(aggregate_use use) {
  return use.type.id == MM_F64 ? &float_mean_class : use.type.id == MM_I64 ? &whole_mean_class : NULL;
}
