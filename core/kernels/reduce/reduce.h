/* reduce.h - kernels that make one value of a column.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Rows start .. start + n - 1 of a column to one value, nulls left out. Of numbers and bools; for others mm_..._of is
 * NULL. */

/* Sums, added to what `sums` holds: floats to REDUCE_LANES doubles, value start + i to lane i mod REDUCE_LANES;
 * whole numbers and bools to an wide_sum. */
enum { REDUCE_LANES = 8 };
typedef struct wide_sum {
  int64_t low, high;
} wide_sum; /* low + high * 2^32 */
typedef void (*sum_kernel)(void *sums, const void *values, const uint64_t *valid, int64_t start, int64_t n);
sum_kernel sum_kernel_of(int type);

/* The greatest value, or the least, in the total order of values, to `bound`, a value of the type (a bool: a word).
 * Some row is not null. */
typedef void (*min_max_kernel)(void *bound, const void *values, const uint64_t *valid, int64_t start, int64_t n,
                               bool least);
min_max_kernel min_max_kernel_of(int type);

/* How many values, and the sums of their distances from the first one, and of those squared, added to what `moments`
 * holds. In lanes as above. */
typedef struct variance_lanes {
  int64_t count[REDUCE_LANES];
  double center[REDUCE_LANES], sum[REDUCE_LANES], squares[REDUCE_LANES]; /* center: the first value */
} variance_lanes;
typedef void (*variance_kernel)(variance_lanes *moments, const void *values, const uint64_t *valid, int64_t start,
                                int64_t n);
variance_kernel variance_kernel_of(int type);

/* Which of n values have a place in the total order of values up to `limit`, a bit each; words are written whole. A
 * place is a whole number of the size of the type: signed numbers are their own, of others they are shifted, NaN has
 * the last one. `reverse`: of the reverse order, in which place p is ~p. */
typedef void (*range_filter)(uint64_t *passed, const void *values, int64_t n, int64_t limit, bool reverse);
range_filter range_filter_of(int type);
