/* quantile.c - median and quantile, exactly: all values are kept, as their places in the one order.
 *
 * DESIGN. A table that is filled keeps a log of values, and of their groups. A partial has the values of a group side
 * by side; its states tell where. A table that is merged into keeps what it is given as runs: values of one group. The
 * last table is brought into the form of a partial too, and each group's values are then partly sorted in place.
 *
 * SPDX-License-Identifier: MIT */
#include "aggregates/families.h"
#include "aggregates/saved_state.h"
#include "aggregates/functions/quickselect.h"
#include "base/alloc.h"
#include "base/error.h"
#include "engine/parallel.h"
#include "types/column.h"
#include "types/total_order.h"
#include "types/type.h"
#include <math.h>
#include <string.h>

/* What an accumulator keeps beside its states. */
typedef struct value_log {
  mm_buffer values; /* ordinals */
  mm_buffer groups; /* of each value, or runs */
} value_log;

typedef struct values_of { /* a group */
  int64_t start, count;    /* in `values` of its log */
  int64_t *values;         /* when complete */
} values_of;

typedef struct run {
  uint32_t group, count;
} run;

/* ---- Logs ---- */

static value_log *log_of(const accumulator *acc) { return acc->local; }

static int open_log(accumulator *acc, mm_error *error) {
  acc->local = memory_allocate_zero(sizeof(value_log));
  return acc->local ? 0 : error_fail_memory(error, sizeof(value_log));
}

static void close_log(accumulator *acc) {
  mm_buffer_free(&log_of(acc)->values);
  mm_buffer_free(&log_of(acc)->groups);
  memory_release(acc->local, sizeof(value_log));
}

/* Tables that rows are added to have a head, and log the group of each value. */
static bool logs_values(const accumulator *acc) { return acc->head > 0 && !acc->loads; }

static void count_values(const accumulator *from, values_of *states, const uint32_t *place) {
  const uint32_t *group = (const uint32_t *)log_of(from)->groups.data;
  const run *runs = (const run *)log_of(from)->groups.data;
  if (logs_values(from)) {
    for (int64_t i = 0, n = log_of(from)->values.size / 8; i < n; i++)
      states[place ? place[group[i]] : group[i]].count++;
  } else {
    for (int64_t i = 0, n = log_of(from)->groups.size / (int64_t)sizeof *runs; i < n; i++)
      states[place ? place[runs[i].group] : runs[i].group].count += runs[i].count;
  }
}

/* Values to where their states start; the starts are moved to their ends. */
static void put_values(const accumulator *from, values_of *states, const uint32_t *place, int64_t *out) {
  const uint32_t *group = (const uint32_t *)log_of(from)->groups.data;
  const run *runs = (const run *)log_of(from)->groups.data;
  const int64_t *value = (const int64_t *)log_of(from)->values.data;
  if (logs_values(from)) {
    for (int64_t i = 0, n = log_of(from)->values.size / 8; i < n; i++)
      out[states[place ? place[group[i]] : group[i]].start++] = value[i];
    return;
  }
  for (int64_t i = 0, n = log_of(from)->groups.size / (int64_t)sizeof *runs; i < n; value += runs[i++].count) {
    values_of *state = &states[place ? place[runs[i].group] : runs[i].group];
    memcpy(out + state->start, value, runs[i].count * sizeof *value);
    state->start += runs[i].count;
  }
}

/* Bring a log into groups: `to` may be the same accumulator with another buffer for values. */
static int arrange(const accumulator *from, values_of *states, const uint32_t *place, int64_t groups, mm_buffer *values,
                   mm_error *error) {
  int64_t start = 0;
  values->size = 0;
  TRY(mm_buffer_reserve(values, log_of(from)->values.size, error));
  values->size = log_of(from)->values.size;
  for (int64_t g = 0; g < groups; g++) states[g] = (values_of){0};
  count_values(from, states, place);
  for (int64_t g = 0; g < groups; g++) {
    states[g].start = start;
    start += states[g].count;
  }
  put_values(from, states, place, (int64_t *)values->data);
  for (int64_t g = 0; g < groups; g++) states[g].start -= states[g].count;
  return 0;
}

static int log_run(accumulator *acc, int64_t group, int64_t count, mm_error *error) {
  while (count) {
    run r = {(uint32_t)group, count < UINT32_MAX ? (uint32_t)count : UINT32_MAX};
    TRY(mm_buffer_append(&log_of(acc)->groups, &r, sizeof r, error));
    count -= r.count;
  }
  return 0;
}

/* A partial that is moved on has no log: make it again out of its states. */
static int log_groups(accumulator *acc, int64_t groups, mm_error *error) {
  const values_of *states = accumulator_state(acc, 0);
  for (int64_t g = 0; g < groups; g++) TRY(log_run(acc, g, states[g].count, error));
  return 0;
}

static int move_values(accumulator *from, accumulator *to, const uint32_t *place, int64_t groups, mm_error *error) {
  if (!log_of(from)->groups.size) TRY(log_groups(from, groups, error));
  TRY(arrange(from, accumulator_state(to, 0), place, groups, &log_of(to)->values, error));
  log_of(from)->values.size = log_of(from)->groups.size = 0;
  return 0;
}

static int combine_values(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first, int64_t n,
                          mm_error *error) {
  const values_of *added = accumulator_state(from, first);
  for (int64_t i = 0; i < n; i++) {
    if (!added[i].count) continue; /* perhaps there are no values at all */
    TRY(mm_buffer_append(&log_of(to)->values, log_of(from)->values.data + added[i].start * 8, added[i].count * 8,
                         error));
    TRY(log_run(to, number[i], added[i].count, error));
  }
  return 0;
}

static int finalize_values(accumulator *acc, int64_t groups, mm_error *error) {
  values_of *states = accumulator_state(acc, 0);
  if (groups == 1) {
    states[0] = (values_of){.count = log_of(acc)->values.size / 8, .values = (int64_t *)log_of(acc)->values.data};
    return 0;
  }
  mm_buffer values = {0};
  int status = arrange(acc, states, NULL, groups, &values, error);
  if (status < 0) {
    mm_buffer_free(&values);
    return status;
  }
  mm_buffer_free(&log_of(acc)->values);
  mm_buffer_free(&log_of(acc)->groups);
  log_of(acc)->values = values;
  for (int64_t g = 0; g < groups && values.data; g++) states[g].values = (int64_t *)values.data + states[g].start;
  return 0;
}

static int save_values(const accumulator *acc, const void *state, mm_buffer *to, mm_error *error) {
  (void)acc;
  const values_of *saved = state;
  return mm_buffer_append(to, saved->values, saved->count * 8, error);
}

static int load_values(accumulator *acc, int64_t group, const uint8_t *bytes, int64_t size, mm_error *error) {
  if (size % 8) return saved_state_refuse(error);
  TRY(mm_buffer_append(&log_of(acc)->values, bytes, size, error));
  return log_run(acc, group, size / 8, error);
}

/* ---- Results ---- */

static double value_of(const accumulator *acc, int64_t order) {
  if (type_is_float(acc->type.id)) return total_order_back_f64(order);
  if (acc->type.id == MM_U64) return (double)((uint64_t)order ^ UINT64_C(1) << 63);
  return (double)order;
}

typedef struct quantiles {
  const accumulator *acc;
  double q;
  void *const *states;
  int64_t n;
  double *out;
} quantiles;

static int quantile(const quantiles *all, mm_job *job, int64_t i, mm_error *error) {
  const values_of *state = all->states[i];
  int64_t n = state->count, pair[2];
  all->out[i] = 0;
  if (!n) return 0;
  double at = all->q * (double)(n - 1), whole = floor(at);
  TRY(quickselect(job, state->values, n, (int64_t)whole, pair, error));
  double low = value_of(all->acc, pair[0]), high = value_of(all->acc, pair[1]);
  all->out[i] = at == whole || low == high ? low : low + (at - whole) * (high - low);
  return 0;
}

/* Groups that are large enough for all threads are done one after the other, the others side by side. */
enum { LARGE = 1 << 18, GROUPS_A_TASK = 16 };

static bool is_large(const quantiles *all, int64_t i) { return ((const values_of *)all->states[i])->count >= LARGE; }

static int small_groups(void *context, int64_t task, mm_error *error) {
  const quantiles *all = context;
  int64_t start = task * GROUPS_A_TASK, end = start + GROUPS_A_TASK < all->n ? start + GROUPS_A_TASK : all->n;
  for (int64_t i = start; i < end; i++)
    if (!is_large(all, i)) TRY(quantile(all, NULL, i, error));
  return 0;
}

static int emit_quantiles(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                          mm_column *column, mm_error *error) {
  bool nulls = false;
  for (int64_t i = 0; i < n; i++) nulls |= ((const values_of *)states[i])->count == 0;
  TRY(column_make_result(column, request->type, n, nulls, error));
  for (int64_t i = 0; i < n && nulls; i++)
    if (!((const values_of *)states[i])->count) column_set_null(column, i);
  double q = request->aggregate->op == MM_AGG_MEDIAN ? 0.5 : request->aggregate->q;
  quantiles all = {.acc = acc, .q = q, .states = states, .n = n, .out = (double *)column->data};
  for (int64_t i = 0; i < n && request->helpers; i++)
    if (is_large(&all, i)) TRY(quantile(&all, request->helpers, i, error));
  if (request->helpers)
    return parallel_run(request->helpers, (n + GROUPS_A_TASK - 1) / GROUPS_A_TASK, small_groups, &all, error);
  for (int64_t i = 0; i < n; i++) TRY(quantile(&all, NULL, i, error));
  return 0;
}

#define TEMPLATE "aggregates/functions/quantile.inc.h"
#include "aggregates/functions/ordered.inc.h"

/* Tested by what is allowed, so that NaN is refused: a share becomes an index. */
int quantile_check(const mm_aggregate *aggregate, mm_error *error) {
  if (aggregate->q >= 0 && aggregate->q <= 1) return 0;
  error_fail(error, MM_EUSAGE, "bad-share", "group: the share of quantile is %g, expected a number from 0 to 1",
             aggregate->q);
  if (error) error->place = aggregate->place;
  return MM_EUSAGE;
}

const aggregate_function *quantile_function(aggregate_use use) {
  switch (use.type.id == MM_NULL ? MM_F64 : use.type.id) {
#define X(E, s, C, format)                                                                                             \
  case MM_##E: return &quantile_class_##s;
    TYPE_NUMBERS(X)
#undef X
  default: return NULL;
  }
}
