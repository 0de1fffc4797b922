/* total_order.h - the order and the identity of floats: the only place that knows what becomes of -0 and NaN.
 *
 * DESIGN. Three relations, and each part of the core uses one of them:
 *
 *   total order  sort, top n, min, max, median    -inf < .. < -0 < +0 < .. < inf < NaN, all NaN being one value
 *   key          group, distinct, limit by,       -0 is +0, all NaN are one value
 *                n_unique, hash
 *   IEEE         == ~= < <= > >=, is_in           -0 is +0, NaN equals nothing
 *
 * The total order is that of whole numbers of the float's size: the bits, with all but the sign reversed where it is
 * set, since negative floats grow away from zero as their bits do. The one NaN is the quiet positive one, whose number
 * is above that of infinity.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "base/compiler.h"
#include <stdint.h>
#include <string.h>

ALWAYS_INLINE uint64_t float_bits_f64(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
ALWAYS_INLINE uint32_t float_bits_f32(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* The one NaN, also of results: they have the same bits whatever made them. */
ALWAYS_INLINE double canonical_nan_f64(double x) { return x == x ? x : __builtin_nan(""); }
ALWAYS_INLINE float canonical_nan_f32(float x) { return x == x ? x : __builtin_nanf(""); }

/* ---- The total order, as one of whole numbers, and back ---- */

ALWAYS_INLINE int64_t total_order_f64(double x) {
  const int64_t nan = INT64_C(0x7ff8000000000000);
  int64_t bits = (int64_t)float_bits_f64(x);
  bits ^= (bits < 0 ? -1 : 0) & INT64_MAX;
  return x != x ? nan : bits;
}
ALWAYS_INLINE int32_t total_order_f32(float x) {
  const int32_t nan = INT32_C(0x7fc00000);
  int32_t bits = (int32_t)float_bits_f32(x);
  bits ^= (bits < 0 ? -1 : 0) & INT32_MAX;
  return x != x ? nan : bits;
}
ALWAYS_INLINE double total_order_back_f64(int64_t order) {
  double x;
  order ^= (order < 0 ? -1 : 0) & INT64_MAX;
  memcpy(&x, &order, sizeof x);
  return x;
}
ALWAYS_INLINE float total_order_back_f32(int32_t order) {
  float x;
  order ^= (order < 0 ? -1 : 0) & INT32_MAX;
  memcpy(&x, &order, sizeof x);
  return x;
}

/* ---- Identity ---- */

/* Equal for floats that are equal as IEEE has it. For NaN, which equals nothing, any bits of one. */
ALWAYS_INLINE uint64_t equal_bits_f64(double x) { return float_bits_f64(x + 0.0); }

/* Equal for floats that are equal as keys. */
ALWAYS_INLINE uint64_t key_bits_f64(double x) { return float_bits_f64(canonical_nan_f64(x) + 0.0); }
ALWAYS_INLINE uint32_t key_bits_f32(float x) { return float_bits_f32(canonical_nan_f32(x) + 0.0F); }
