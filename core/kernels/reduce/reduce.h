/* reduce.h - kernels that make one value of a column.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Rows start .. start + n - 1 of a column to one value, nulls left out. Of numbers and bools; for others mm_..._of is
 * NULL. */

/* Sums, added to what `sums` holds: floats to MM_LANES doubles, value start + i to lane i mod MM_LANES; whole numbers
 * and bools to an mm_whole. */
enum { MM_LANES = 8 };
typedef struct mm_whole {
  int64_t low, high;
} mm_whole; /* low + high * 2^32 */
typedef void (*mm_adder)(void *sums, const void *values, const uint64_t *valid, int64_t start, int64_t n);
mm_adder mm_adder_of(int type);

/* The greatest value, or the least, in the one order of values, to `bound`, a value of the type (a bool: a word). Some
 * row is not null. */
typedef void (*mm_bounder)(void *bound, const void *values, const uint64_t *valid, int64_t start, int64_t n,
                           bool least);
mm_bounder mm_bounder_of(int type);

/* How many values, and the sums of their distances from the first one, and of those squared, added to what `moments`
 * holds. In lanes as above. */
typedef struct mm_moments {
  int64_t count[MM_LANES];
  double center[MM_LANES], sum[MM_LANES], squares[MM_LANES]; /* center: the first value */
} mm_moments;
typedef void (*mm_measurer)(mm_moments *moments, const void *values, const uint64_t *valid, int64_t start, int64_t n);
mm_measurer mm_measurer_of(int type);

/* Which of n values have a place in the one order of values up to `limit`, a bit each; words are written whole. A place
 * is a whole number of the size of the type: signed numbers are their own, of others they are shifted, NaN has the last
 * one. `reverse`: of the reverse order, in which place p is ~p. */
typedef void (*mm_sifter)(uint64_t *passed, const void *values, int64_t n, int64_t limit, bool reverse);
mm_sifter mm_sifter_of(int type);
