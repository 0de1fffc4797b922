/* families.h - the aggregate functions: the class for an aggregate over a type that the registry lets it take, or NULL.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "aggregates/aggregate.h"

typedef struct aggregate_use {
  int32_t op;   /* MM_AGG_* */
  mm_type type; /* of the argument; MM_NULL: all is null */
  bool alone;   /* there is one group, whose state nobody saves or loads */
} aggregate_use;

const aggregate_function *count_function(aggregate_use use);
const aggregate_function *count_null_function(aggregate_use use);
const aggregate_function *truth_function(aggregate_use use); /* any, all */
const aggregate_function *sum_function(aggregate_use use);
const aggregate_function *mean_function(aggregate_use use);
const aggregate_function *min_max_function(aggregate_use use);
const aggregate_function *min_max_text_function(void); /* first and last too */
const aggregate_function *nothing_function(void); /* of a column in which all is null, whose type is the result's */
const aggregate_function *variance_function(aggregate_use use);
const aggregate_function *first_last_function(aggregate_use use);
const aggregate_function *quantile_function(aggregate_use use);
const aggregate_function *count_distinct_function(aggregate_use use);
const aggregate_function *count_distinct_global_function(void); /* alone, of a type that is not text */

/* What one file asks of the aggregate itself, before anything is known of its column. */
int quantile_check(const mm_aggregate *aggregate, mm_error *error);
