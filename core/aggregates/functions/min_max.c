/* min_max.c - min and max of numbers, bools and times: the greatest place in the total order of values, or in its
 * reverse.
 * SPDX-License-Identifier: MIT */
#include "aggregates/families.h"
#include "aggregates/saved_state.h"
#include "base/error.h"
#include "types/column.h"
#include "types/total_order.h"
#include "types/type.h"
#include <string.h>

typedef struct extreme {
  int64_t order, seen;
  double limit; /* of a float, while rows come: the value in front, negated for min; less than it changes nothing */
} extreme;

/* ~x reverses the order of x, so that min is a max. */
static inline int64_t flip_of(const accumulator *acc) { return acc->op == MM_AGG_MIN ? -1 : 0; }

static void init_extremes(accumulator *acc, int64_t from, int64_t to) {
  extreme *states = (extreme *)acc->states.data;
  for (int64_t i = from; i < to; i++) states[i] = (extreme){INT64_MIN, 0, __builtin_nan("")};
}

static inline void add_extreme(extreme *state, const extreme *added) {
  if (added->order > state->order) state->order = added->order;
  state->seen |= added->seen;
}

static int combine_extremes(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first, int64_t n,
                            mm_error *error) {
  (void)error;
  extreme *states = accumulator_state(to, 0);
  const extreme *added = accumulator_state(from, first);
  for (int64_t i = 0; i < n; i++) add_extreme(&states[number[i]], &added[i]);
  return 0;
}

static int emit_extremes(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                         mm_column *column, mm_error *error) {
  mm_type type = request->type;
  bool nulls = false;
  for (int64_t i = 0; i < n; i++) nulls |= !((const extreme *)states[i])->seen;
  TRY(column_make_result(column, type, n, nulls, error));
  int64_t flip = flip_of(acc), width = mm_type_width(type);
  uint8_t *out = (uint8_t *)column->data;
  for (int64_t i = 0; i < n; i++) {
    const extreme *state = states[i];
    if (!state->seen) column_set_null(column, i);
    uint64_t bits = (uint64_t)(state->seen ? state->order ^ flip : 0);
    if (type.id == MM_U64) bits ^= UINT64_C(1) << 63;
    if (type.id == MM_F64 || type.id == MM_F32) {
      double x = total_order_back_f64((int64_t)bits);
      float narrow = (float)x;
      if (type.id == MM_F64) memcpy(out + i * 8, &x, 8);
      else memcpy(out + i * 4, &narrow, 4);
    } else if (type.id == MM_BOOL) {
      ((uint64_t *)(void *)out)[i >> 6] |= (bits & 1) << (i & 63);
    } else {
      memcpy(out + i * width, &bits, (size_t)width);
    }
  }
  return 0;
}

/* Nothing, or the place in the order of values. */
static int save_extreme(const accumulator *acc, const void *state, mm_buffer *to, mm_error *error) {
  const extreme *saved = state;
  int64_t order = saved->order ^ flip_of(acc);
  return mm_buffer_append(to, &order, saved->seen ? sizeof order : 0, error);
}

/* Is it the place of a value of the type? Floats have any. */
static bool is_in_range(mm_type type, int64_t order) {
  int64_t bits = type.id == MM_BOOL ? 1 : mm_type_width(type) * 8;
  if (bits == 64 || type_is_float(type.id)) return true;
  bool is_signed = !type_is_unsigned(type.id) && type.id != MM_BOOL;
  int64_t least = is_signed ? -(INT64_C(1) << (bits - 1)) : 0;
  return order >= least && order - least < INT64_C(1) << bits;
}

static int load_extreme(accumulator *acc, int64_t group, const uint8_t *bytes, int64_t size, mm_error *error) {
  extreme added = {.seen = 1};
  if (!size) return 0;
  if (size != sizeof added.order) return saved_state_refuse(error);
  memcpy(&added.order, bytes, sizeof added.order);
  if (!is_in_range(acc->type, added.order)) return saved_state_refuse(error);
  added.order ^= flip_of(acc);
  add_extreme(accumulator_state(acc, group), &added);
  return 0;
}

/* The bound of some rows of group 0. */
static void add_bound(accumulator *acc, int64_t order) {
  extreme *state = (extreme *)acc->states.data + HEAD_STATES;
  order ^= flip_of(acc);
  if (order > state->order) state->order = order; /* and `limit` stays what it was: it only saves time */
  state->seen = 1;
}

#define TEMPLATE "aggregates/functions/min_max.inc.h"
#include "aggregates/functions/ordered.inc.h"

const aggregate_function *min_max_function(aggregate_use use) {
  if (use.type.id == MM_NULL) return nothing_function();
  if (type_is_text(use.type.id)) return min_max_text_function();
  switch (type_storage(use.type.id)) {
#define X(E, s, C, format)                                                                                             \
  case MM_##E: return &min_max_class_##s;
    TYPE_NUMBERS(X)
    X(BOOL, bool, bool, "b")
#undef X
  default: return NULL;
  }
}
