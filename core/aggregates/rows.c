/* rows.c - the states that a vector of rows goes to.
 * SPDX-License-Identifier: MIT */
#include "aggregates/rows.h"
#include "base/bitmap.h"
#include <string.h>

/* The state of each row's group and lane; groups beyond the first have one state. Some rows after the last are
 * written too: there is room for a vector. */
static void fill_replicas(uint32_t *restrict states, const uint32_t *restrict group, int64_t lane, int64_t n) {
  enum { BLOCK = 16 }; /* a number of rounds that is known lets compilers use vectors */
  uint32_t of_lane[BLOCK];
  for (int k = 0; k < BLOCK; k++) of_lane[k] = (uint32_t)replica_state(lane + k) - HEAD_STATES;
  for (int64_t i = 0; i < n; i += BLOCK)
    for (int k = 0; k < BLOCK; k++) {
      uint32_t g = group[i + k], has_lanes = (uint32_t)((int32_t)(g - REPLICATED_GROUPS) >> 31); /* all ones, or 0 */
      states[i + k] = g + HEAD_STATES + (of_lane[k] & has_lanes);
    }
}

const uint32_t *row_vector_replicas(row_vector *rows) {
  if (!rows->replicas_known) fill_replicas(rows->replicas, rows->group, rows->lane, rows->count);
  rows->replicas_known = true;
  return rows->replicas;
}

const uint32_t *row_vector_states(row_vector *rows, const mm_column *column) {
  const uint32_t *replicas = row_vector_replicas(rows);
  if (!column->valid) return replicas;
  if (rows->masked_by == column->valid) return rows->masked; /* several aggregates of one column */
  rows->masked_by = column->valid;
  if (rows->row_counts_of == rows->masked) rows->row_counts_of = NULL;
  const uint64_t *valid = column->valid + (rows->start >> 6);
  int64_t shift = rows->start & 63, end = shift + rows->count;
  for (int64_t word = 0; word * 64 < end; word++) {
    uint64_t bits = valid[word];
    int64_t from = word ? 0 : shift, to = end - word * 64 < 64 ? end - word * 64 : 64, at = word * 64 - shift;
    memcpy(rows->masked + at + from, replicas + at + from, (size_t)(to - from) * sizeof(uint32_t));
    uint64_t nulls = ~bits & UINT64_MAX << from;
    if (to < 64) nulls &= (UINT64_C(1) << to) - 1;
    for (; nulls; nulls &= nulls - 1) {
      int64_t b = __builtin_ctzll(nulls);
      rows->masked[at + b] = (uint32_t)b & (NULL_STATES - 1);
    }
  }
  return rows->masked;
}

int64_t row_vector_count_valid(const row_vector *rows, const mm_column *column) {
  if (!column->valid) return rows->count;
  const uint64_t *valid = column->valid + (rows->start >> 6);
  int64_t before = rows->start & 63;
  return bits_count(valid, before + rows->count) - bits_count(valid, before);
}

const uint32_t *row_vector_counts(row_vector *rows, const mm_column *column) {
  const uint32_t *at = column ? row_vector_states(rows, column) : row_vector_replicas(rows);
  if (rows->row_counts_of == at) return rows->row_counts;
  rows->row_counts_of = at;
  uint32_t counts[HEAD_STATES + REPLICATED_GROUPS] = {0}; /* by state */
  for (int64_t i = 0, n = rows->count; i < n; i++) counts[at[i]]++;
  for (int64_t g = 0; g < REPLICATED_GROUPS; g++) {
    rows->row_counts[g] = 0;
    for (int64_t lane = 0; lane < REDUCE_LANES; lane++) rows->row_counts[g] += counts[replica_state(lane) + g];
  }
  return rows->row_counts;
}
