/* registry.c - which accumulator serves an aggregate, and what all of them use.
 * SPDX-License-Identifier: MIT */
#include "stages/group/group.h"

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

/* The state of each row's group and lane; groups beyond the first have one state. Some rows after the last are written too: there is room
 * for a vector. */
static void spread(uint32_t *restrict states, const uint32_t *restrict group, int64_t lane, int64_t n) {
  enum { BLOCK = 16 }; /* a number of rounds that is known lets compilers use vectors */
  uint32_t of_lane[BLOCK];
  for (int k = 0; k < BLOCK; k++) of_lane[k] = (uint32_t)mm_lane_state(lane + k) - MM_HEAD;
  for (int64_t i = 0; i < n; i += BLOCK)
    for (int k = 0; k < BLOCK; k++) {
      uint32_t g = group[i + k], has_lanes = (uint32_t)((int32_t)(g - MM_SPREAD) >> 31); /* all ones, or 0 */
      states[i + k] = g + MM_HEAD + (of_lane[k] & has_lanes);
    }
}

const uint32_t *mm_rows_spread(mm_rows *rows) {
  if (!rows->spread_known) spread(rows->spread, rows->group, rows->lane, rows->count);
  rows->spread_known = true;
  return rows->spread;
}

const uint32_t *mm_rows_states(mm_rows *rows, const mm_column *column) {
  const uint32_t *spread = mm_rows_spread(rows);
  if (!column->valid) return spread;
  if (rows->masked_by == column->valid) return rows->masked; /* several aggregates of one column */
  rows->masked_by = column->valid;
  if (rows->tally_of == rows->masked) rows->tally_of = NULL;
  const uint64_t *valid = column->valid + (rows->start >> 6);
  int64_t shift = rows->start & 63, end = shift + rows->count;
  for (int64_t word = 0; word * 64 < end; word++) {
    uint64_t bits = valid[word];
    int64_t from = word ? 0 : shift, to = end - word * 64 < 64 ? end - word * 64 : 64, at = word * 64 - shift;
    memcpy(rows->masked + at + from, spread + at + from, (size_t)(to - from) * sizeof(uint32_t));
    uint64_t nulls = ~bits & UINT64_MAX << from;
    if (to < 64) nulls &= (UINT64_C(1) << to) - 1;
    for (; nulls; nulls &= nulls - 1) {
      int64_t b = __builtin_ctzll(nulls);
      rows->masked[at + b] = (uint32_t)b & (MM_TRASH - 1);
    }
  }
  return rows->masked;
}

int64_t mm_rows_known(const mm_rows *rows, const mm_column *column) {
  if (!column->valid) return rows->count;
  const uint64_t *valid = column->valid + (rows->start >> 6);
  int64_t before = rows->start & 63;
  return mm_bits_count(valid, before + rows->count) - mm_bits_count(valid, before);
}

const uint32_t *mm_rows_tally(mm_rows *rows, const mm_column *column) {
  const uint32_t *at = column ? mm_rows_states(rows, column) : mm_rows_spread(rows);
  if (rows->tally_of == at) return rows->tally;
  rows->tally_of = at;
  uint32_t counts[MM_HEAD + MM_SPREAD] = {0}; /* by state */
  for (int64_t i = 0, n = rows->count; i < n; i++) counts[at[i]]++;
  for (int64_t g = 0; g < MM_SPREAD; g++) {
    rows->tally[g] = 0;
    for (int64_t lane = 0; lane < MM_LANES; lane++) rows->tally[g] += counts[mm_lane_state(lane) + g];
  }
  return rows->tally;
}

int mm_emit_column(mm_column *column, mm_type type, int64_t n, bool nulls, mm_error *error) {
  TRY(mm_column_make(column, type, n, 0, nulls, error));
  if (type.id == MM_BOOL) memset((void *)column->data, 0, (size_t)mm_words(n) * 8);
  return 0;
}
