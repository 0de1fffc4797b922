/* group_plan.h - what is the same for all tables of a group stage.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "aggregates/aggregate.h"
#include "hash/row_encoding.h"

/* What is the same for all tables of a stage. */
typedef struct group_plan {
  row_encoding encoding;
  int32_t *keys;             /* columns of the input */
  accumulator *accumulators; /* without states */
  int32_t accumulator_count;
  int32_t *of_column;                 /* an accumulator of column i - 1 at i, or -1 */
  int32_t columns;                    /* of the input, and one for none */
  bool reduces;                       /* no keys, and all accumulators do */
  int32_t key_room, accumulator_room; /* allocated */
} group_plan;

int group_plan_init(group_plan *plan, const mm_schema *in, const int32_t *keys, int32_t key_count,
                    const mm_aggregate *aggregates, int32_t count, mm_error *error);
void group_plan_free(group_plan *plan);
/* Index of the accumulator that serves an aggregate, or -1; several may share one. */
int32_t group_plan_find(const group_plan *plan, const mm_schema *in, const mm_aggregate *aggregate);
