/* registry.h - which aggregate function serves an aggregate of a type.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "aggregates/aggregate.h"

/* The class for an aggregate over a type; NULL: it makes no sense. */
const aggregate_function *aggregate_function_of(int op, mm_type type);
