/* total_order.h - the total order of floats as an order of whole numbers, and the one NaN of results.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdint.h>
#include <string.h>

/* A result that is NaN has the same bits whatever made it. */
static inline double canonical_nan(double x) { return x == x ? x : __builtin_nan(""); }
/* The total order of numbers as an order of i64, and back. NaN is one value, above all others. */
static inline int64_t total_order_f64(double x) {
  int64_t bits;
  memcpy(&bits, &x, 8);
  bits ^= bits >> 63 & INT64_MAX;
  return x != x ? INT64_MAX : bits;
}
static inline double total_order_back_f64(int64_t order) {
  if (order == INT64_MAX) return __builtin_nan("");
  order ^= order >> 63 & INT64_MAX;
  double x;
  memcpy(&x, &order, 8);
  return x;
}
