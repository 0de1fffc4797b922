/* families.h - the aggregate functions by file.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "aggregates/aggregate.h"

const mm_accumulator_class *mm_count_class(int op);
const mm_accumulator_class *mm_sum_class(int op, int type);
const mm_accumulator_class *mm_extreme_class(int type);
const mm_accumulator_class *mm_moment_class(int type);
const mm_accumulator_class *mm_merged_sum_class(int op, int type); /* of the first part; see MM_AGG_MERGE_SUM */
const mm_accumulator_class *mm_merged_moment_class(void);
const mm_accumulator_class *mm_edge_class(int type);
const mm_accumulator_class *mm_text_class(void);
const mm_accumulator_class *mm_quantile_class(int type);
const mm_accumulator_class *mm_unique_class(void);
const mm_accumulator_class *mm_census_class(void); /* n_unique without keys, of a type that is not text */
