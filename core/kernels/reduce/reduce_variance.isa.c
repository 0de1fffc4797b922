/* reduce_variance.isa.c - what var and std need of a column's values, nulls left out: distances from the first value,
 * and their squares, in lanes.
 * SPDX-License-Identifier: MIT */
#include "base/bitmap.h"
#include "kernels/reduce/reduce_lanes.h"
#include "types/type.h"
#include <string.h>

static void measure_one(variance_lanes *moments, int64_t lane, double x) {
  if (moments->count[lane]++ == 0) moments->center[lane] = x;
  double distance = x - moments->center[lane];
  moments->sum[lane] += distance;
  moments->squares[lane] += distance * distance;
}

static bool all_begun(const words count[REGISTERS]) {
  uint64_t least = UINT64_MAX;
  for (int k = 0; k < REGISTERS; k++)
    for (int l = 0; l < REGISTER; l++) least = count[k][l] < least ? count[k][l] : least;
  return least > 0;
}

#define MEASURE(E, s, T, format)                                                                                       \
  static void measure_##s(variance_lanes *moments, const void *values, const uint64_t *valid, int64_t start,           \
                          int64_t n) {                                                                                 \
    const T *x = (const T *)values + start;                                                                            \
    floats center[REGISTERS], sum[REGISTERS], squares[REGISTERS], wide, distance;                                      \
    words count[REGISTERS], mask[REGISTERS];                                                                           \
    memcpy(center, moments->center, sizeof center);                                                                    \
    memcpy(sum, moments->sum, sizeof sum);                                                                             \
    memcpy(squares, moments->squares, sizeof squares);                                                                 \
    memcpy(count, moments->count, sizeof count);                                                                       \
    memcpy(mask, bit_of_lane, sizeof mask);                                                                            \
    bool begun = all_begun(count);                                                                                     \
    int64_t i = 0;                                                                                                     \
    while (i + REDUCE_LANES <= n) {                                                                                    \
      uint64_t bits = valid ? bits_from(valid, start + i, start + n) : ~UINT64_C(0);                                   \
      int64_t end = i + 64 < n ? i + 64 : n & ~(int64_t)(REDUCE_LANES - 1);                                            \
      if (begun && bits == ~UINT64_C(0)) {                                                                             \
        for (int k = 0; k < REGISTERS; k++) count[k] += (uint64_t)(end - i) / REDUCE_LANES;                            \
        for (; i < end; i += REDUCE_LANES)                                                                             \
          for (int k = 0; k < REGISTERS; k++) {                                                                        \
            LOAD(wide, x + i + k * REGISTER);                                                                          \
            distance = wide - center[k];                                                                               \
            sum[k] += distance;                                                                                        \
            squares[k] += distance * distance;                                                                         \
          }                                                                                                            \
        continue;                                                                                                      \
      }                                                                                                                \
      for (; i < end; i += REDUCE_LANES, bits >>= REDUCE_LANES)                                                        \
        for (int k = 0; k < REGISTERS; k++) {                                                                          \
          words known = (words)((bits & mask[k]) == mask[k]), first = known & (words)(count[k] == 0);                  \
          LOAD(wide, x + i + k * REGISTER);                                                                            \
          center[k] = (floats)(((words)wide & first) | ((words)center[k] & ~first));                                   \
          distance = (floats)((words)(wide - center[k]) & known);                                                      \
          sum[k] += distance;                                                                                          \
          squares[k] += distance * distance;                                                                           \
          count[k] -= known;                                                                                           \
        }                                                                                                              \
      begun = begun || all_begun(count);                                                                               \
    }                                                                                                                  \
    memcpy(moments->center, center, sizeof center);                                                                    \
    memcpy(moments->sum, sum, sizeof sum);                                                                             \
    memcpy(moments->squares, squares, sizeof squares);                                                                 \
    memcpy(moments->count, count, sizeof count);                                                                       \
    for (; i < n; i++)                                                                                                 \
      if (!valid || bit_get(valid, start + i)) measure_one(moments, i &(REDUCE_LANES - 1), (double)x[i]);              \
  }
TYPE_NUMBERS(MEASURE)

static void measure_bool(variance_lanes *moments, const void *values, const uint64_t *valid, int64_t start, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    if (!valid || bit_get(valid, start + i)) measure_one(moments, i & (REDUCE_LANES - 1), bit_get(values, start + i));
}

variance_kernel PASTE(variance_kernel, ISA)(int type) {
  switch (type) {
#define X(E, s, T, format)                                                                                             \
  case MM_##E: return measure_##s;
    TYPE_NUMBERS(X)
    X(BOOL, bool, bool, "b")
#undef X
  default: return NULL;
  }
}
