/* dispatch.h - the kernels of the instruction set in use.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "kernels/operations.h"

/* Selected rows of a value array to the front of `to`; returns how many. By width in bytes (1 2 4 8 16). */
int64_t compress_values(void *to, const void *from, const uint64_t *selected, int64_t n, int64_t width);
int64_t compress_bits(uint64_t *to, int64_t at, const uint64_t *from, const uint64_t *selected, int64_t n);

/* Zero in the lanes of whole words that are null: what stood there before is no part of a result. By width in bytes
 * (1 2 4 8), 0 for bits. */
void zero_nulls(void *values, const uint64_t *valid, int64_t words, int64_t width);

/* ---- For dispatch.c and the files of kernels ---- */

kernel_lookup compare_mixed_kernels; /* comparisons among i64, u64 and f64 */
kernel_lookup time_unit_kernels;     /* casts of timestamps and durations between units */

/* What is built once per instruction set. Tables are by storage type. */
typedef struct kernel_set {
  const kernel_table *arithmetic, *compare, *logic, *in;
  kernel_function (*cast)(int type, int type2, int mode);
  void (*blank_nulls)(void *values, const uint64_t *valid, int64_t words, int64_t width);
  int64_t (*compress)(void *to, const void *from, const uint64_t *selected, int64_t n, int64_t width);
  int64_t (*compress_bits)(uint64_t *to, int64_t at, const uint64_t *from, const uint64_t *selected, int64_t n);
} kernel_set;

#define DECLARE_KERNELS(isa)                                                                                           \
  extern const kernel_table arithmetic_table_##isa, compare_table_##isa, logic_table_##isa, in_table_##isa;            \
  kernel_function cast_kernel_##isa(int type, int type2, int mode);                                                    \
  void zero_nulls_##isa(void *values, const uint64_t *valid, int64_t words, int64_t width);                            \
  int64_t compress_values_##isa(void *to, const void *from, const uint64_t *selected, int64_t n, int64_t width);       \
  int64_t compress_bits_##isa(uint64_t *to, int64_t at, const uint64_t *from, const uint64_t *selected, int64_t n);
DECLARE_KERNELS(base)
DECLARE_KERNELS(avx2)
DECLARE_KERNELS(avx512)
