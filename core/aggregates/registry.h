/* registry.h - which aggregate function serves an aggregate of a type.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "aggregates/aggregate.h"

/* The class for an aggregate over a type; NULL: it makes no sense. */
const mm_accumulator_class *mm_accumulator_class_of(int op, mm_type type);
