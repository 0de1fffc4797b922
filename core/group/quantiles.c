/* quantiles.c - median and quantile, exactly: all values are kept, as their places in the one order.
 *
 * DESIGN. A table that is filled keeps a log of (group, value); a partial has the values of a group side by side, its states
 * tell where. The last table is brought into that form too, and each group's values are then partly sorted in place.
 *
 * SPDX-License-Identifier: MIT */
#include "groups.h"
#include <math.h>

typedef struct values_of { /* a group */
  int64_t start, count;    /* in `values` of its accumulator */
  int64_t *values;         /* when complete */
} values_of;

/* Bring a log into groups: `to` may be the same accumulator with another buffer for values. */
static int arrange(const mm_accumulator *from, values_of *states, const uint32_t *place, int64_t groups,
                   mm_buffer *values, mm_error *error) {
  int64_t n = from->values.size / 8, start = 0;
  const int64_t *value = (const int64_t *)from->values.data;
  const uint32_t *group = (const uint32_t *)from->value_groups.data;
  values->size = 0;
  TRY(mm_buffer_reserve(values, n * 8, error));
  values->size = n * 8;
  for (int64_t g = 0; g < groups; g++) states[g] = (values_of){0};
  for (int64_t i = 0; i < n; i++) states[place ? place[group[i]] : group[i]].count++;
  for (int64_t g = 0; g < groups; g++) {
    states[g].start = start;
    start += states[g].count;
  }
  int64_t *out = (int64_t *)values->data;
  for (int64_t i = 0; i < n; i++) out[states[place ? place[group[i]] : group[i]].start++] = value[i];
  for (int64_t g = 0; g < groups; g++) states[g].start -= states[g].count;
  return 0;
}

/* A partial that is moved on has no log: make it again out of its states. */
static int list_groups(mm_accumulator *acc, int64_t groups, mm_error *error) {
  const values_of *states = mm_state(acc, 0);
  TRY(mm_buffer_reserve(&acc->value_groups, acc->values.size / 2, error));
  uint32_t *list = (uint32_t *)acc->value_groups.data;
  for (int64_t g = 0; g < groups; g++)
    for (int64_t k = 0; k < states[g].count; k++) list[states[g].start + k] = (uint32_t)g;
  acc->value_groups.size = acc->values.size / 2;
  return 0;
}

static int move(mm_accumulator *from, mm_accumulator *to, const uint32_t *place, int64_t groups, mm_error *error) {
  if (!from->value_groups.size) TRY(list_groups(from, groups, error));
  TRY(arrange(from, mm_state(to, 0), place, groups, &to->values, error));
  from->values.size = from->value_groups.size = 0;
  return 0;
}

static int merge(mm_accumulator *to, const uint32_t *number, const mm_accumulator *from, int64_t first, int64_t n,
                 mm_error *error) {
  const values_of *added = mm_state(from, first);
  for (int64_t i = 0; i < n; i++) {
    int64_t count = added[i].count;
    TRY(mm_buffer_append(&to->values, from->values.data + added[i].start * 8, count * 8, error));
    TRY(mm_buffer_reserve(&to->value_groups, count * 4, error));
    uint32_t *groups = (uint32_t *)(to->value_groups.data + to->value_groups.size);
    for (int64_t k = 0; k < count; k++) groups[k] = number[i];
    to->value_groups.size += count * 4;
  }
  return 0;
}

static int complete(mm_accumulator *acc, int64_t groups, mm_error *error) {
  mm_buffer values = {0};
  values_of *states = mm_state(acc, 0);
  int status = arrange(acc, states, NULL, groups, &values, error);
  if (status < 0) {
    mm_buffer_free(&values);
    return status;
  }
  mm_buffer_free(&acc->values);
  mm_buffer_free(&acc->value_groups);
  acc->values = values;
  for (int64_t g = 0; g < groups; g++) states[g].values = (int64_t *)values.data + states[g].start;
  return 0;
}

static inline void swap(int64_t *a, int64_t *b) {
  int64_t c = *a;
  *a = *b;
  *b = c;
}

/* Hoare's selection, the pivot a median of three: afterwards x[k] is in its place, nothing after it is less. */
static void select_nth(int64_t *x, int64_t n, int64_t k) {
  int64_t low = 0, high = n - 1;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (x[middle] < x[low]) swap(&x[middle], &x[low]);
    if (x[high] < x[low]) swap(&x[high], &x[low]);
    if (x[high] < x[middle]) swap(&x[high], &x[middle]);
    int64_t pivot = x[middle], i = low - 1, j = high + 1;
    for (;;) {
      do i++;
      while (x[i] < pivot);
      do j--;
      while (x[j] > pivot);
      if (i >= j) break;
      swap(&x[i], &x[j]);
    }
    if (k <= j) high = j;
    else low = j + 1;
  }
}

static double value_of(const mm_accumulator *acc, int64_t order) {
  if (mm_is_float(acc->type.id)) return mm_unorder_f64(order);
  if (acc->type.id == MM_U64) return (double)((uint64_t)order ^ UINT64_C(1) << 63);
  return (double)order;
}

static double quantile(const mm_accumulator *acc, int64_t *x, int64_t n, double q) {
  double at = q * (double)(n - 1), whole = floor(at);
  int64_t k = (int64_t)whole;
  select_nth(x, n, k);
  double low = value_of(acc, x[k]);
  if (at == whole || k + 1 >= n) return low;
  int64_t next = x[k + 1];
  for (int64_t i = k + 2; i < n; i++) next = x[i] < next ? x[i] : next;
  double high = value_of(acc, next);
  return low == high ? low : low + (at - whole) * (high - low);
}

static int emit(const mm_accumulator *acc, const mm_aggregate *aggregate, void *const *states, int64_t n, mm_type type,
                mm_column *column, mm_error *error) {
  bool nulls = false;
  for (int64_t i = 0; i < n; i++) nulls |= ((const values_of *)states[i])->count == 0;
  TRY(mm_emit_column(column, type, n, nulls, error));
  double *out = (double *)column->data;
  double q = aggregate->op == MM_AGG_MEDIAN ? 0.5 : aggregate->q;
  for (int64_t i = 0; i < n; i++) {
    const values_of *state = states[i];
    out[i] = state->count ? quantile(acc, state->values, state->count, q) : 0;
    if (!state->count) mm_emit_null(column, i);
  }
  return 0;
}

#define TEMPLATE "quantiles.inc.h"
#include "ordered.inc.h"

const mm_accumulator_class *mm_quantile_class(int type) {
  switch (mm_storage(type)) {
#define X(E, s, C, format)                                                                                             \
  case MM_##E: return &quantile_class_##s;
    MM_NUMBERS(X)
    X(BOOL, bool, bool, "b")
#undef X
  default: return NULL;
  }
}
