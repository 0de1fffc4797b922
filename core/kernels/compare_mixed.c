/* compare_mixed.c - comparisons among i64, u64 and f64, exact in value: neither side is rounded to the other's type.
 * SPDX-License-Identifier: MIT */
#include "base/compiler.h"
#include "kernels/dispatch.h"
#include "kernels/flags.h"

enum { UNORDERED = 2 }; /* beside -1, 0 and 1 */

static inline int order_i64_u64(int64_t x, uint64_t y) {
  if (x < 0) return -1;
  return ((uint64_t)x > y) - ((uint64_t)x < y);
}
static inline int order_fraction(double y, double whole) { return (whole > y) - (whole < y); }
static inline int order_i64_f64(int64_t x, double y) {
  if (y != y) return UNORDERED;
  if (y >= 0x1p63) return -1;
  if (y < -0x1p63) return 1;
  int64_t whole = (int64_t)y;
  if (x != whole) return x > whole ? 1 : -1;
  return order_fraction(y, (double)whole); /* exact: a double with a fraction is below 2^53 */
}
static inline int order_u64_f64(uint64_t x, double y) {
  if (y != y) return UNORDERED;
  if (y >= 0x1p64) return -1;
  if (y < 0) return 1;
  uint64_t whole = (uint64_t)y;
  if (x != whole) return x > whole ? 1 : -1;
  return order_fraction(y, (double)whole);
}

#define T int64_t
#define S uint64_t
#define SUFFIX i64_u64
#include "kernels/templates/compare_mixed.inc.h"
#define T int64_t
#define S double
#define SUFFIX i64_f64
#include "kernels/templates/compare_mixed.inc.h"
#define T uint64_t
#define S double
#define SUFFIX u64_f64
#include "kernels/templates/compare_mixed.inc.h"

/* The other directions are the same kernels with swapped operands. */
#define SWAPPED(name, straight)                                                                                        \
  static int name##_vv(kernel_lanes *l, lane_vector *d, const lane_vector *a, const lane_vector *b,                    \
                       const lane_vector *c) {                                                                         \
    return straight[SHAPE_VV](l, d, b, a, c);                                                                          \
  }                                                                                                                    \
  static int name##_vs(kernel_lanes *l, lane_vector *d, const lane_vector *a, const lane_vector *b,                    \
                       const lane_vector *c) {                                                                         \
    return straight[SHAPE_SV](l, d, b, a, c);                                                                          \
  }                                                                                                                    \
  static int name##_sv(kernel_lanes *l, lane_vector *d, const lane_vector *a, const lane_vector *b,                    \
                       const lane_vector *c) {                                                                         \
    return straight[SHAPE_VS](l, d, b, a, c);                                                                          \
  }                                                                                                                    \
  static const kernel_function name[SHAPE_COUNT] = {name##_vv, name##_vs, name##_sv};
#define REVERSED(there, back)                                                                                          \
  SWAPPED(eq_##back, eq_##there)                                                                                       \
  SWAPPED(ne_##back, ne_##there)                                                                                       \
  SWAPPED(lt_##back, gt_##there)                                                                                       \
  SWAPPED(le_##back, ge_##there) SWAPPED(gt_##back, lt_##there) SWAPPED(ge_##back, le_##there)
REVERSED(i64_u64, u64_i64)
REVERSED(i64_f64, f64_i64)
REVERSED(u64_f64, f64_u64)

#define ENTRY(OP, T, S, shapes) {OP_##OP, MM_##T, MM_##S, NULL, shapes},
#define COMPARISONS(T, S, types)                                                                                       \
  ENTRY(EQ, T, S, eq_##types)                                                                                          \
  ENTRY(NE, T, S, ne_##types)                                                                                          \
  ENTRY(LT, T, S, lt_##types)                                                                                          \
  ENTRY(LE, T, S, le_##types) ENTRY(GT, T, S, gt_##types) ENTRY(GE, T, S, ge_##types)
/* clang-format off */
static const kernel_entry entries[] = {
  COMPARISONS(I64, U64, i64_u64) COMPARISONS(I64, F64, i64_f64) COMPARISONS(U64, F64, u64_f64)
  COMPARISONS(U64, I64, u64_i64) COMPARISONS(F64, I64, f64_i64) COMPARISONS(F64, U64, f64_u64)
};
/* clang-format on */

kernel_function compare_mixed_kernels(const kernel_key *key) {
  return kernel_table_find_storage(KERNEL_TABLE(entries), key);
}
