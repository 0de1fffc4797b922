/* registry.h - the aggregates that there are; see stage.h for what the language asks.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "aggregates/families.h"

/* The class for an aggregate over a column, or over rows (column -1); NULL: it makes no sense. */
const aggregate_function *aggregate_function_of(aggregate_use use, int32_t column);
/* Aggregates of one column with the same letter have the same states, and of one type the same class. */
char aggregate_states(int op);
/* Is an aggregate well-formed, whatever its column is? */
int aggregate_check(const mm_aggregate *aggregate, mm_error *error);
