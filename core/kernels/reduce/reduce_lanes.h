/* reduce_lanes.h - what kernels that reduce a column share: words of validity from any row on, and floats in
 * REDUCE_LANES lanes, value i in lane i mod REDUCE_LANES, in as many machine registers as that takes.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "base/compiler.h"
#include "kernels/reduce/reduce.h"
#include <stdint.h>
#include <string.h>

/* 64 bits of a bitmap from bit `at` on, of which only those before `end` are asked for. */
static inline uint64_t bits_from(const uint64_t *bits, int64_t at, int64_t end) {
  int64_t w = at >> 6, shift = at & 63;
  uint64_t word = bits[w] >> shift;
  return shift && ((w + 1) << 6) < end ? word | bits[w + 1] << (64 - shift) : word;
}

#if defined __AVX512F__
enum { REGISTER = 8 }; /* lanes */
#elif defined __AVX2__
enum { REGISTER = 4 };
#else
enum { REGISTER = 2 };
#endif
enum { REGISTERS = REDUCE_LANES / REGISTER };
typedef double floats __attribute__((vector_size(REGISTER * 8)));
typedef uint64_t words __attribute__((vector_size(REGISTER * 8)));

static const uint64_t bit_of_lane[REDUCE_LANES] = {1, 2, 4, 8, 16, 32, 64, 128};

/* The next values, of any type of number, to a register of floats. */
#define LOAD(to, x)                                                                                                    \
  do {                                                                                                                 \
    double values_[REGISTER];                                                                                          \
    for (int l_ = 0; l_ < REGISTER; l_++) values_[l_] = (double)(x)[l_];                                               \
    memcpy(&(to), values_, sizeof(to));                                                                                \
  } while (0)

/* The lookups of this instruction set, by storage type; NULL: no such kernel. */
sum_kernel PASTE(sum_kernel, ISA)(int type);
min_max_kernel PASTE(min_max_kernel, ISA)(int type);
variance_kernel PASTE(variance_kernel, ISA)(int type);
range_filter PASTE(range_filter, ISA)(int type);
