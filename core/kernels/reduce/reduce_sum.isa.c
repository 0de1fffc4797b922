/* reduce_sum.isa.c - sums of a vector's values, nulls left out: of floats in lanes, of whole numbers exactly.
 * SPDX-License-Identifier: MIT */
#include "base/bitmap.h"
#include "kernels/reduce/reduce_lanes.h"
#include "types/type.h"
#include <string.h>

/* ---- Floats ---- */

#define FLOAT_ADDER(name, T)                                                                                           \
  static void name(void *sums, const void *values, const uint64_t *valid, int64_t start, int64_t n) {                  \
    const T *x = (const T *)values + start;                                                                            \
    floats lanes[REGISTERS], wide;                                                                                     \
    words mask[REGISTERS];                                                                                             \
    memcpy(lanes, sums, sizeof lanes);                                                                                 \
    memcpy(mask, bit_of_lane, sizeof mask);                                                                            \
    int64_t i = 0;                                                                                                     \
    while (i + REDUCE_LANES <= n) {                                                                                    \
      uint64_t bits = valid ? bits_from(valid, start + i, start + n) : ~UINT64_C(0);                                   \
      int64_t end = i + 64 < n ? i + 64 : n & ~(int64_t)(REDUCE_LANES - 1);                                            \
      if (bits == ~UINT64_C(0))                                                                                        \
        for (; i < end; i += REDUCE_LANES)                                                                             \
          for (int k = 0; k < REGISTERS; k++) {                                                                        \
            LOAD(wide, x + i + k * REGISTER);                                                                          \
            lanes[k] += wide;                                                                                          \
          }                                                                                                            \
      else                                                                                                             \
        for (; i < end; i += REDUCE_LANES, bits >>= REDUCE_LANES)                                                      \
          for (int k = 0; k < REGISTERS; k++) {                                                                        \
            LOAD(wide, x + i + k * REGISTER);                                                                          \
            lanes[k] += (floats)((words)wide & (words)((bits & mask[k]) == mask[k]));                                  \
          }                                                                                                            \
    }                                                                                                                  \
    memcpy(sums, lanes, sizeof lanes);                                                                                 \
    for (; i < n; i++)                                                                                                 \
      if (!valid || bit_get(valid, start + i)) ((double *)sums)[i & (REDUCE_LANES - 1)] += (double)x[i];               \
  }
FLOAT_ADDER(add_f64, double)
FLOAT_ADDER(add_f32, float)

/* ---- Whole numbers: see wide_sum. Up to 2^31 of them fit in 64 bits, or their halves do ---- */

typedef struct halves {
  uint64_t low, high, negative;
} halves;

/* Of 64 bits: a negative number is its unsigned twin less 2^64. */
ALWAYS_INLINE void add_value(halves *sum, uint64_t value, bool wide, bool is_signed) {
  sum->low += wide ? (uint32_t)value : value;
  sum->high += wide ? value >> 32 : 0;
  sum->negative += wide && is_signed ? value >> 63 : 0;
}

#define WHOLE_ADDER(E, s, T, format)                                                                                   \
  static void add_##s(void *sums, const void *values, const uint64_t *valid, int64_t start, int64_t n) {               \
    const bool wide = sizeof(T) == 8, is_signed = (T)-1 < (T)1;                                                        \
    const T *x = (const T *)values + start;                                                                            \
    halves sum = {0, 0, 0};                                                                                            \
    if (!valid)                                                                                                        \
      for (int64_t i = 0; i < n; i++) add_value(&sum, (uint64_t)(int64_t)x[i], wide, is_signed);                       \
    for (int64_t i = 0; i < n && valid; i += 64) {                                                                     \
      uint64_t bits = bits_from(valid, start + i, start + n);                                                          \
      int64_t count = n - i < 64 ? n - i : 64;                                                                         \
      for (int64_t k = 0; k < count; k++)                                                                              \
        add_value(&sum, (uint64_t)(int64_t)x[i + k] & (0 - (bits >> k & 1)), wide, is_signed);                         \
    }                                                                                                                  \
    wide_sum *whole = sums;                                                                                            \
    whole->low += (int64_t)sum.low;                                                                                    \
    whole->high += (int64_t)(sum.high - (sum.negative << 32));                                                         \
  }
TYPE_INTEGERS(WHOLE_ADDER)

static void add_bool(void *sums, const void *values, const uint64_t *valid, int64_t start, int64_t n) {
  wide_sum *sum = sums;
  for (int64_t at = start, end = start + n; at < end; at += 64) {
    uint64_t bits = bits_from(values, at, end) & (valid ? bits_from(valid, at, end) : ~UINT64_C(0));
    if (end - at < 64) bits &= (UINT64_C(1) << (end - at)) - 1;
    sum->low += __builtin_popcountll(bits);
  }
}

sum_kernel PASTE(sum_kernel, ISA)(int type) {
  switch (type) {
#define X(E, s, T, format)                                                                                             \
  case MM_##E: return add_##s;
    TYPE_NUMBERS(X)
    X(BOOL, bool, bool, "b")
#undef X
  default: return NULL;
  }
}
