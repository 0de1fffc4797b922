/* sum.c - sum and mean: integers exactly, in 128 bits; floats in f64.
 * SPDX-License-Identifier: MIT */
#include "aggregates/families.h"
#include "aggregates/saved_state.h"
#include "base/error.h"
#include "types/column.h"
#include "types/total_order.h"
#include "types/type.h"
#include <string.h>

enum { LOW_BITS = 32 };

/* Of SAVED_ROWS_MOST values of 64 bits. */
#define SUM_MOST ((__int128)1 << 112)

static __int128 canonical_exact(__int128 sum) { return sum; }
static double canonical_float(double sum) { return canonical_nan_f64(sum); }

static bool add_saved_exact(__int128 *sum, __int128 x) {
  if (x > SUM_MOST || x < -SUM_MOST || *sum + x > SUM_MOST || *sum + x < -SUM_MOST) return false;
  *sum += x;
  return true;
}

static bool add_saved_float(double *sum, double x) {
  *sum += x;
  return true;
}

#define KIND(x) x##_exact
#define SUM __int128
#include "aggregates/functions/sum_states.inc.h"
#define KIND(x) x##_float
#define SUM double
#include "aggregates/functions/sum_states.inc.h"

static int emit_sum_exact(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                          mm_column *column, mm_error *error) {
  (void)acc;
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

static int emit_sum_float(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                          mm_column *column, mm_error *error) {
  (void)acc;
  TRY(column_make_result(column, request->type, n, false, error));
  double *out = (double *)column->data;
  for (int64_t i = 0; i < n; i++) out[i] = canonical_nan_f64(*(const double *)states[i]);
  return 0;
}

/* ---- A vector of rows of group 0: the same additions in the same order as through states, since 0 in place of a
 * null changes no sum ---- */

static void add_single_exact(accumulator *acc, const mm_column *column, const row_vector *rows, int64_t size) {
  wide_sum whole = {0};
  sum_kernel_of(column->type.id)(&whole, column->data, column->valid, rows->start, rows->count);
  __int128 *sum = (__int128 *)(void *)(acc->states.data + HEAD_STATES * size);
  *sum += (__int128)whole.high * ((int64_t)1 << LOW_BITS) + whole.low;
}

static void add_single_float(accumulator *acc, const mm_column *column, const row_vector *rows, int64_t size) {
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
#define KIND(x) x##_exact
#define SUM __int128
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_i8
#define VALUE(data, i) (data)[i]
#define T int8_t
#define KIND(x) x##_exact
#define SUM __int128
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_i16
#define VALUE(data, i) (data)[i]
#define T int16_t
#define KIND(x) x##_exact
#define SUM __int128
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_i32
#define VALUE(data, i) (data)[i]
#define T int32_t
#define KIND(x) x##_exact
#define SUM __int128
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_i64
#define VALUE(data, i) (data)[i]
#define T int64_t
#define KIND(x) x##_exact
#define SUM __int128
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_u8
#define VALUE(data, i) (data)[i]
#define T uint8_t
#define KIND(x) x##_exact
#define SUM __int128
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_u16
#define VALUE(data, i) (data)[i]
#define T uint16_t
#define KIND(x) x##_exact
#define SUM __int128
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_u32
#define VALUE(data, i) (data)[i]
#define T uint32_t
#define KIND(x) x##_exact
#define SUM __int128
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_u64
#define VALUE(data, i) (data)[i]
#define T uint64_t
#define KIND(x) x##_exact
#define SUM __int128
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_f32
#define VALUE(data, i) (data)[i]
#define T float
#define KIND(x) x##_float
#define SUM double
#include "aggregates/functions/sum.inc.h"
#define NAME(x) x##_f64
#define VALUE(data, i) (data)[i]
#define T double
#define KIND(x) x##_float
#define SUM double
#include "aggregates/functions/sum.inc.h"

static int type_of_use(aggregate_use use, int none) {
  return use.type.id == MM_NULL ? none : type_storage(use.type.id);
}

const aggregate_function *sum_function(aggregate_use use) {
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
