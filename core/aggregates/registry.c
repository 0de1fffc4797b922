/* registry.c - the aggregates: a line for each.
 * SPDX-License-Identifier: MIT */
#include "aggregates/registry.h"
#include "types/type.h"
#include <string.h>

enum { ROWS, NULLNESS, VALUES, NUMBERS, ADDENDS, CONDITIONS }; /* what they take; ROWS: without a column, too */
/* Types made of that of the values. SUM: of 64 bits; NUMBER: i64 or f64; ORDER: i64, u64 or f64. */
enum { SAME, I64, F64, BOOL, SUM, NUMBER, ORDER };
enum { NONE = -1 };
/* When the result is null. */
enum {
  NEVER = MM_AGG_NULL_NEVER,
  OF_NONE = MM_AGG_NULL_OF_NONE,
  OF_ONE = MM_AGG_NULL_OF_ONE,
  OF_ROW = MM_AGG_NULL_OF_ROW
};

typedef struct aggregate_entry {
  const char *name;
  int32_t op;
  char states; /* see aggregate_states */
  uint8_t takes, gives, nulls;
  uint8_t kept;   /* type of the states; see mm_aggregate_state_type */
  int32_t merges; /* see mm_aggregate_merge */
  const aggregate_function *(*function)(aggregate_use use);
  int (*check)(const mm_aggregate *aggregate, mm_error *error); /* see aggregate_check; NULL: nothing to check */
} aggregate_entry;

static const aggregate_entry entries[MM_AGG_COUNT_OF] = {
    {"count", MM_AGG_COUNT, 'c', ROWS, I64, NEVER, I64, MM_AGG_SUM, count_function, NULL},
    {"count_null", MM_AGG_COUNT_NULL, 'n', NULLNESS, I64, NEVER, I64, MM_AGG_SUM, count_null_function, NULL},
    {"sum", MM_AGG_SUM, 's', ADDENDS, SUM, NEVER, SUM, NONE, sum_function, NULL},
    {"mean", MM_AGG_MEAN, 'm', NUMBERS, F64, OF_NONE, NUMBER, NONE, mean_function, NULL},
    {"min", MM_AGG_MIN, '<', VALUES, SAME, OF_NONE, SAME, MM_AGG_MIN, min_max_function, NULL},
    {"max", MM_AGG_MAX, '>', VALUES, SAME, OF_NONE, SAME, MM_AGG_MAX, min_max_function, NULL},
    {"var", MM_AGG_VAR, 'v', NUMBERS, F64, OF_ONE, F64, NONE, variance_function, NULL},
    {"std", MM_AGG_STD, 'v', NUMBERS, F64, OF_ONE, F64, NONE, variance_function, NULL},
    {"first", MM_AGG_FIRST, 'f', VALUES, SAME, OF_ROW, SAME, MM_AGG_FIRST, first_last_function, NULL},
    {"last", MM_AGG_LAST, 'l', VALUES, SAME, OF_ROW, SAME, MM_AGG_LAST, first_last_function, NULL},
    {"median", MM_AGG_MEDIAN, 'q', NUMBERS, F64, OF_NONE, ORDER, NONE, quantile_function, NULL},
    {"quantile", MM_AGG_QUANTILE, 'q', NUMBERS, F64, OF_NONE, ORDER, NONE, quantile_function, quantile_check},
    {"n_unique", MM_AGG_N_UNIQUE, 'u', VALUES, I64, NEVER, SAME, NONE, count_distinct_function, NULL},
    {"any", MM_AGG_ANY, 'y', CONDITIONS, BOOL, NEVER, BOOL, MM_AGG_ANY, truth_function, NULL},
    {"all", MM_AGG_ALL, 'a', CONDITIONS, BOOL, NEVER, BOOL, MM_AGG_ALL, truth_function, NULL},
};

static const aggregate_entry *find_entry(int op) {
  for (int i = 0; i < MM_AGG_COUNT_OF; i++)
    if (entries[i].op == op) return &entries[i];
  return NULL;
}

static bool takes_type(int takes, int id) {
  bool number = type_is_signed(id) || type_is_unsigned(id) || type_is_float(id);
  switch (takes) {
  case NUMBERS: return number;
  case ADDENDS: return number || id == MM_BOOL || id == MM_DURATION;
  case CONDITIONS: return id == MM_BOOL;
  case VALUES: return id != MM_OPAQUE;
  default: return true;
  }
}

static mm_type made_type(int made, mm_type in) {
  switch (made) {
  case I64: return (mm_type){.id = MM_I64};
  case F64: return (mm_type){.id = MM_F64};
  case BOOL: return (mm_type){.id = MM_BOOL};
  case SUM:
    if (in.id == MM_DURATION) return in;
    return (mm_type){.id = type_is_float(in.id) ? MM_F64 : type_is_unsigned(in.id) ? MM_U64 : MM_I64};
  case NUMBER: return (mm_type){.id = type_is_float(in.id) ? MM_F64 : MM_I64};
  case ORDER: return (mm_type){.id = type_is_float(in.id) ? MM_F64 : in.id == MM_U64 ? MM_U64 : MM_I64};
  default: return in;
  }
}

/* ---- The language's side ---- */

int mm_aggregate_find(const char *name) {
  for (int i = 0; i < MM_AGG_COUNT_OF; i++)
    if (!strcmp(entries[i].name, name)) return entries[i].op;
  return -1;
}

const char *mm_aggregate_name(int op) {
  const aggregate_entry *entry = find_entry(op);
  return entry ? entry->name : NULL;
}

bool mm_aggregate_type(int op, mm_type in, mm_type *out) {
  const aggregate_entry *entry = find_entry(op);
  if (!entry || !takes_type(entry->takes, in.id)) return false;
  *out = made_type(entry->gives, in);
  return true;
}

int mm_aggregate_nulls(int op) {
  const aggregate_entry *entry = find_entry(op);
  return entry ? entry->nulls : -1;
}

bool mm_aggregate_state_type(int op, mm_type in, mm_type *out) {
  const aggregate_entry *entry = find_entry(op);
  if (!entry || !mm_aggregate_type(op, in, out)) return false;
  *out = made_type(entry->kept, in);
  out->zone = 0; /* a number of this process, and all the same to values */
  return true;
}

int mm_aggregate_merge(int op) {
  const aggregate_entry *entry = find_entry(op);
  return entry ? entry->merges : NONE;
}

/* ---- The core's side ---- */

const aggregate_function *aggregate_function_of(aggregate_use use, int32_t column) {
  const aggregate_entry *entry = find_entry(use.op);
  mm_type out;
  if (!entry || (column < 0 && entry->takes != ROWS)) return NULL;
  if (use.type.id != MM_NULL && !mm_aggregate_type(use.op, use.type, &out)) return NULL;
  return entry->function(use);
}

char aggregate_states(int op) {
  const aggregate_entry *entry = find_entry(op);
  return entry ? entry->states : 0;
}

int aggregate_check(const mm_aggregate *aggregate, mm_error *error) {
  const aggregate_entry *entry = find_entry(aggregate->op);
  return entry && entry->check ? entry->check(aggregate, error) : 0;
}
