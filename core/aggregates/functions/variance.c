/* variance.c - var and std: sums about the first value within a morsel, merged by Chan's formula. Means are kept in two
 * parts, so that values far from zero lose nothing when they are merged.
 * SPDX-License-Identifier: MIT */
#include "aggregates/families.h"
#include "aggregates/saved_state.h"
#include "base/error.h"
#include "types/column.h"
#include "types/total_order.h"
#include "types/type.h"
#include <math.h>
#include <string.h>

typedef struct moment {
  int64_t count;
  double center;  /* first value; finalized: the mean */
  double squares; /* of distances from center */
  double sum;     /* of distances from center; finalized: what the mean has beyond center's precision */
} moment;

/* Move the center by `distance` and `sum`, keeping the rounding error. */
static void move_center(moment *state, double distance) {
  double step = state->sum + distance, center = state->center + step, back = center - state->center;
  state->sum = (state->center - (center - back)) + (step - back);
  state->center = center;
}

static void finalize_moments(accumulator *acc, int64_t from, int64_t to) {
  moment *states = (moment *)acc->states.data;
  for (int64_t i = from; i < to; i++) {
    moment *state = &states[i];
    if (!state->count) continue;
    double shift = state->sum / (double)state->count;
    state->squares -= state->sum * shift;
    if (state->squares < 0) state->squares = 0;
    state->sum = 0;
    move_center(state, shift);
  }
}

/* Both are finalized. */
static void join_moments(moment *a, const moment *b) {
  if (!b->count) return;
  if (!a->count) {
    *a = *b;
    return;
  }
  double na = (double)a->count, nb = (double)b->count, distance = (b->center - a->center) + (b->sum - a->sum);
  a->count += b->count;
  move_center(a, distance * (nb / (na + nb)));
  a->squares += b->squares + distance * distance * (na * (nb / (na + nb)));
}

static int combine_moments(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first, int64_t n,
                           mm_error *error) {
  (void)error;
  moment *states = accumulator_state(to, 0);
  const moment *added = accumulator_state(from, first);
  for (int64_t i = 0; i < n; i++) join_moments(&states[number[i]], &added[i]);
  return 0;
}

static int emit_variances(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                          mm_column *column, mm_error *error) {
  (void)acc;
  bool nulls = false;
  for (int64_t i = 0; i < n; i++) nulls |= ((const moment *)states[i])->count < 2;
  TRY(column_make_result(column, request->type, n, nulls, error));
  double *out = (double *)column->data;
  for (int64_t i = 0; i < n; i++) {
    const moment *state = states[i];
    out[i] = 0;
    if (state->count < 2) {
      column_set_null(column, i);
      continue;
    }
    double variance = state->squares / (double)(state->count - 1);
    out[i] = canonical_nan_f64(request->aggregate->op == MM_AGG_STD ? sqrt(variance) : variance);
  }
  return 0;
}

static int save_moment(const accumulator *acc, const void *state, mm_buffer *to, mm_error *error) {
  (void)acc;
  moment saved = *(const moment *)state;
  saved.center = canonical_nan_f64(saved.center);
  saved.squares = canonical_nan_f64(saved.squares);
  saved.sum = canonical_nan_f64(saved.sum);
  return mm_buffer_append(to, &saved, sizeof saved, error);
}

static int load_moment(accumulator *acc, int64_t group, const uint8_t *bytes, int64_t size, mm_error *error) {
  moment *state = accumulator_state(acc, group), added;
  if (size != sizeof added) return saved_state_refuse(error);
  memcpy(&added, bytes, sizeof added);
  if (added.count < 0 || added.count > SAVED_ROWS_MOST - state->count) return saved_state_refuse(error);
  join_moments(state, &added);
  return 0;
}

/* Rows of group 0: as one after the other, see row_vector. */
static void measure(accumulator *acc, const mm_column *column, const row_vector *rows) {
  moment *states = (moment *)acc->states.data;
  variance_lanes moments;
  for (int k = 0; k < REDUCE_LANES; k++) {
    const moment *state = &states[replica_state(rows->lane + k)];
    moments.count[k] = state->count;
    moments.center[k] = state->center;
    moments.sum[k] = state->sum;
    moments.squares[k] = state->squares;
  }
  variance_kernel_of(column->type.id)(&moments, column->data, column->valid, rows->start, rows->count);
  for (int k = 0; k < REDUCE_LANES; k++)
    states[replica_state(rows->lane + k)] =
        (moment){moments.count[k], moments.center[k], moments.squares[k], moments.sum[k]};
}

#define NAME(x) x##_i8
#define VALUE(data, i) (data)[i]
#define T int8_t
#include "aggregates/functions/variance.inc.h"
#define NAME(x) x##_i16
#define VALUE(data, i) (data)[i]
#define T int16_t
#include "aggregates/functions/variance.inc.h"
#define NAME(x) x##_i32
#define VALUE(data, i) (data)[i]
#define T int32_t
#include "aggregates/functions/variance.inc.h"
#define NAME(x) x##_i64
#define VALUE(data, i) (data)[i]
#define T int64_t
#include "aggregates/functions/variance.inc.h"
#define NAME(x) x##_u8
#define VALUE(data, i) (data)[i]
#define T uint8_t
#include "aggregates/functions/variance.inc.h"
#define NAME(x) x##_u16
#define VALUE(data, i) (data)[i]
#define T uint16_t
#include "aggregates/functions/variance.inc.h"
#define NAME(x) x##_u32
#define VALUE(data, i) (data)[i]
#define T uint32_t
#include "aggregates/functions/variance.inc.h"
#define NAME(x) x##_u64
#define VALUE(data, i) (data)[i]
#define T uint64_t
#include "aggregates/functions/variance.inc.h"
#define NAME(x) x##_f32
#define VALUE(data, i) (data)[i]
#define T float
#include "aggregates/functions/variance.inc.h"
#define NAME(x) x##_f64
#define VALUE(data, i) (data)[i]
#define T double
#include "aggregates/functions/variance.inc.h"

const aggregate_function *variance_function(aggregate_use use) {
  switch (use.type.id == MM_NULL ? MM_F64 : use.type.id) {
#define X(E, s, C, format)                                                                                             \
  case MM_##E: return &variance_class_##s;
    TYPE_NUMBERS(X)
#undef X
  default: return NULL;
  }
}
