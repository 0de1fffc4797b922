/* dispatch.h - finding the kernels of numbers: by operation, types and shape, of the instruction set in use.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "kernels/kernel.h"

/* The kernel of an operation on numbers, for a shape; NULL: there is none. Kernels that have no loop of that shape
 * read all lanes. */
kernel_function kernel_of_shape(int op, int type, int type2, int mode, int shape);

/* Selected rows of a value array to the front of `to`; returns how many. By width in bytes (1 2 4 8 16). */
int64_t compress_values(void *to, const void *from, const uint64_t *selected, int64_t n, int64_t width);
int64_t compress_bits(uint64_t *to, int64_t at, const uint64_t *from, const uint64_t *selected, int64_t n);

/* Zero in the lanes of whole words that are null: what stood there before is no part of a result. By width in bytes
 * (1 2 4 8), 0 for bits. */
void zero_nulls(void *values, const uint64_t *valid, int64_t words, int64_t width);

/* ---- For dispatch.c and the files of kernels ---- */

/* The same on every instruction set. */
kernel_function math_kernel(int op, int type);                                /* libm, modulo and rounding to digits */
kernel_function compare_mixed_kernel(int op, int type, int type2, int shape); /* comparisons among i64, u64 and f64 */
kernel_function time_unit_kernel(int type, int mode); /* timestamps and durations between units */

kernel_function
is_distinct_kernel(void); /* lanes->state: a pointer to the kernel_function of ~=, to NULL when there is none */

/* Lookups of one instruction set, by storage type; NULL: no such kernel. */
typedef struct kernel_set {
  kernel_function (*arithmetic)(int op, int type, int shape);
  kernel_function (*compare)(int op, int type, int shape);
  kernel_function (*logic)(int op, int type);
  kernel_function (*cast)(int type, int type2, int mode);
  kernel_function (*member)(int type);
  void (*blank_nulls)(void *values, const uint64_t *valid, int64_t words, int64_t width);
  int64_t (*compress)(void *to, const void *from, const uint64_t *selected, int64_t n, int64_t width);
  int64_t (*compress_bits)(uint64_t *to, int64_t at, const uint64_t *from, const uint64_t *selected, int64_t n);
} kernel_set;

#define DECLARE_KERNELS(isa)                                                                                           \
  kernel_function arithmetic_kernel_##isa(int op, int type, int shape);                                                \
  kernel_function compare_kernel_##isa(int op, int type, int shape);                                                   \
  kernel_function logic_kernel_##isa(int op, int type);                                                                \
  kernel_function cast_kernel_##isa(int type, int type2, int mode);                                                    \
  kernel_function in_kernel_##isa(int type);                                                                           \
  void zero_nulls_##isa(void *values, const uint64_t *valid, int64_t words, int64_t width);                            \
  int64_t compress_values_##isa(void *to, const void *from, const uint64_t *selected, int64_t n, int64_t width);       \
  int64_t compress_bits_##isa(uint64_t *to, int64_t at, const uint64_t *from, const uint64_t *selected, int64_t n);
DECLARE_KERNELS(base)
DECLARE_KERNELS(avx2)
DECLARE_KERNELS(avx512)
