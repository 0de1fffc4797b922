/* group_result.h - the groups as batches.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "engine/job_state.h"
#include "stages/group/group_merge.h"

/* Where each group is, in order of first appearance: table in the upper half, number in the lower. */
int group_result_order(const group_merge *merge, mm_job *job, mm_buffer *places, mm_error *error);
/* Key columns, then aggregates[i] out of accumulator served_by[i], in batches of at most MM_MORSEL rows. */
int group_result_emit(group_merge *merge, const mm_aggregate *aggregates, const int32_t *served_by, int32_t count,
                      mm_job *job, mm_table *out, mm_error *error);
