/* value.h - the order of two values of columns.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* The total order of values: -inf < -0 = +0 < inf < NaN < null, text by bytes. As for sort keys: <0, 0, >0. */
int column_compare(const mm_column *a, int64_t i, const mm_column *b, int64_t j);
