/* sums.c - sum and mean: integers exactly, in 128 bits; floats in f64.
 * SPDX-License-Identifier: MIT */
#include "groups.h"

static int emit_exact(const mm_accumulator *acc, const mm_aggregate *aggregate, void *const *states, int64_t n,
                      mm_type type, mm_column *column, mm_error *error) {
  (void)acc;
  TRY(mm_emit_column(column, type, n, false, error));
  bool is_unsigned = mm_is_unsigned(type.id);
  uint64_t *out = (uint64_t *)column->data;
  for (int64_t i = 0; i < n; i++) {
    __int128 sum;
    memcpy(&sum, states[i], sizeof sum);
    out[i] = (uint64_t)sum;
    if (is_unsigned ? sum == (__int128)(uint64_t)sum : sum == (__int128)(int64_t)sum) continue;
    int status = mm_fail(error, MM_EDATA, "overflow", "a sum does not fit in %s", is_unsigned ? "u64" : "i64");
    if (error) error->place = aggregate->place;
    return status;
  }
  return 0;
}

static int emit_float(const mm_accumulator *acc, const mm_aggregate *aggregate, void *const *states, int64_t n,
                      mm_type type, mm_column *column, mm_error *error) {
  (void)acc, (void)aggregate;
  TRY(mm_emit_column(column, type, n, false, error));
  double *out = (double *)column->data;
  for (int64_t i = 0; i < n; i++) memcpy(out + i, states[i], sizeof *out);
  return 0;
}

#define NAME(x) x##_bool
#define VALUE(data, i) mm_bit(data, i)
#define T uint64_t
#define SUM __int128
#define EMIT_SUM emit_exact
#include "sums.inc.h"
#define NAME(x) x##_i8
#define VALUE(data, i) (data)[i]
#define T int8_t
#define SUM __int128
#define EMIT_SUM emit_exact
#include "sums.inc.h"
#define NAME(x) x##_i16
#define VALUE(data, i) (data)[i]
#define T int16_t
#define SUM __int128
#define EMIT_SUM emit_exact
#include "sums.inc.h"
#define NAME(x) x##_i32
#define VALUE(data, i) (data)[i]
#define T int32_t
#define SUM __int128
#define EMIT_SUM emit_exact
#include "sums.inc.h"
#define NAME(x) x##_i64
#define VALUE(data, i) (data)[i]
#define T int64_t
#define SUM __int128
#define EMIT_SUM emit_exact
#include "sums.inc.h"
#define NAME(x) x##_u8
#define VALUE(data, i) (data)[i]
#define T uint8_t
#define SUM __int128
#define EMIT_SUM emit_exact
#include "sums.inc.h"
#define NAME(x) x##_u16
#define VALUE(data, i) (data)[i]
#define T uint16_t
#define SUM __int128
#define EMIT_SUM emit_exact
#include "sums.inc.h"
#define NAME(x) x##_u32
#define VALUE(data, i) (data)[i]
#define T uint32_t
#define SUM __int128
#define EMIT_SUM emit_exact
#include "sums.inc.h"
#define NAME(x) x##_u64
#define VALUE(data, i) (data)[i]
#define T uint64_t
#define SUM __int128
#define EMIT_SUM emit_exact
#include "sums.inc.h"
#define NAME(x) x##_f32
#define VALUE(data, i) (data)[i]
#define T float
#define SUM double
#define EMIT_SUM emit_float
#include "sums.inc.h"
#define NAME(x) x##_f64
#define VALUE(data, i) (data)[i]
#define T double
#define SUM double
#define EMIT_SUM emit_float
#include "sums.inc.h"

const mm_accumulator_class *mm_sum_class(int op, int type) {
  bool mean = op == MM_AGG_MEAN;
  switch (mm_storage(type)) {
#define X(E, s, C, format)                                                                                             \
  case MM_##E: return mean ? &mean_class_##s : &sum_class_##s;
    MM_NUMBERS(X)
    X(BOOL, bool, bool, "b")
#undef X
  default: return NULL;
  }
}
