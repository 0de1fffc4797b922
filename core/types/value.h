/* value.h - the order of two values of columns.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* The total order of values: floats as in total_order.h, text by bytes, null last. <0, 0, >0. */
int column_compare(const mm_column *a, int64_t i, const mm_column *b, int64_t j);
