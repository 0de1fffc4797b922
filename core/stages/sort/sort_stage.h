/* sort_stage.h - the sorting stage.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"

/* A stage that keeps the first n rows (-1: all) in an order, of each key when there are keys. */
mm_stage *sort_stage_new(int64_t n, const int32_t *keys, int32_t key_count, const mm_order *orders, int32_t order_count,
                         mm_error *error);
/* Fail for a column of a foreign type, by name. */
int sort_refuse_opaque(const char *stage, const mm_schema *in, mm_error *error);
