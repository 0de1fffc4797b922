/* families.h - the aggregate functions by file.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "aggregates/aggregate.h"

const aggregate_function *count_function(int op);
const aggregate_function *sum_function(int op, int type);
const aggregate_function *min_max_function(int type);
const aggregate_function *variance_function(int type);
const aggregate_function *merged_sum_function(int op, int type); /* of the first part; see MM_AGG_MERGE_SUM */
const aggregate_function *merged_variance_function(void);
const aggregate_function *first_last_function(int type);
const aggregate_function *min_max_text_function(void);
const aggregate_function *quantile_function(int type);
const aggregate_function *count_distinct_function(void);
const aggregate_function *count_distinct_global_function(void); /* n_unique without keys, of a type that is not text */
