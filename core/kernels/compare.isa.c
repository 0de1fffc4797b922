/* compare.isa.c - == ~= < <= > >= and the tests of floats, to one bit a lane, in both operands' own type.
 * Floats compare as IEEE says: NaN is equal to nothing and -0 equals +0.
 * SPDX-License-Identifier: MIT */
#include "base/compiler.h"
#include "kernels/flags.h"
#include "kernels/operations.h"
#include "types/type.h"

/* The other three comparisons are these with swapped operands or an inverted result. */
static int inverted(kernel_lanes *lanes, lane_vector *dst, int status) {
  uint64_t *out = dst->data;
  for (int64_t w = 0; w < bit_words(lanes->n); w++) out[w] = ~out[w];
  return status;
}

#define COMPARISON "kernels/templates/compare.inc.h"
#define T int8_t
#define SUFFIX i8
#include "kernels/templates/comparisons.inc.h"
#define T int16_t
#define SUFFIX i16
#include "kernels/templates/comparisons.inc.h"
#define T int32_t
#define SUFFIX i32
#include "kernels/templates/comparisons.inc.h"
#define T uint8_t
#define SUFFIX u8
#include "kernels/templates/comparisons.inc.h"
#define T uint16_t
#define SUFFIX u16
#include "kernels/templates/comparisons.inc.h"
#define T uint32_t
#define SUFFIX u32
#include "kernels/templates/comparisons.inc.h"
#define T float
#define SUFFIX f32
#include "kernels/templates/comparisons.inc.h"
#ifdef __AVX2__ /* without it, comparing 8 bytes takes longer than packing flags */
#undef COMPARISON
#define COMPARISON "kernels/templates/wide.inc.h"
#endif
#define T int64_t
#define SUFFIX i64
#include "kernels/templates/comparisons.inc.h"
#define T uint64_t
#define SUFFIX u64
#include "kernels/templates/comparisons.inc.h"
#define T double
#define SUFFIX f64
#include "kernels/templates/comparisons.inc.h"
#undef COMPARISON

/* ---- Bools: false < true ---- */

#define BITWISE(name, expression)                                                                                      \
  static int name(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,                 \
                  const lane_vector *vc) {                                                                             \
    (void)vc;                                                                                                          \
    uint64_t *out = dst->data;                                                                                         \
    const uint64_t *a = va->data, *b = vb->data;                                                                       \
    for (int64_t w = 0; w < bit_words(lanes->n); w++) out[w] = (expression);                                           \
    return 0;                                                                                                          \
  }
BITWISE(eq_bool, ~(a[w] ^ b[w]))
BITWISE(ne_bool, a[w] ^ b[w])
BITWISE(lt_bool, ~a[w] & b[w])
BITWISE(le_bool, ~a[w] | b[w])
BITWISE(gt_bool, a[w] & ~b[w])
BITWISE(ge_bool, a[w] | ~b[w])

/* ---- Tests of floats ---- */

#define FLOAT_TEST(name, ctype, test)                                                                                  \
  static int name(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,                 \
                  const lane_vector *vc) {                                                                             \
    (void)vb, (void)vc;                                                                                                \
    uint64_t *restrict out = dst->data;                                                                                \
    for (int64_t w = 0; w < bit_words(lanes->n); w++) {                                                                \
      const ctype *a = (const ctype *)va->data + 64 * w;                                                               \
      uint8_t flags[64];                                                                                               \
      for (int i = 0; i < 64; i++) flags[i] = (test) ? 0xFF : 0;                                                       \
      out[w] = pack_flags(flags);                                                                                      \
    }                                                                                                                  \
    return 0;                                                                                                          \
  }
FLOAT_TEST(is_nan_f32, float, a[i] != a[i])
FLOAT_TEST(is_nan_f64, double, a[i] != a[i])
FLOAT_TEST(is_finite_f32, float, a[i] - a[i] == 0)
FLOAT_TEST(is_finite_f64, double, a[i] - a[i] == 0)

/* ---- The table ---- */

#define SHAPED(OP, E, shapes) {OP_##OP, MM_##E, MM_##E, NULL, shapes},
#define OF_NUMBERS(E, s, ctype, format)                                                                                \
  SHAPED(EQ, E, eq_##s)                                                                                                \
  SHAPED(NE, E, ne_##s) SHAPED(LT, E, lt_##s) SHAPED(LE, E, le_##s) SHAPED(GT, E, gt_##s) SHAPED(GE, E, ge_##s)
#define ENTRY(OP, E, kernel) {OP_##OP, MM_##E, MM_NULL, kernel, NULL},

/* clang-format off */
static const kernel_entry entries[] = {
  TYPE_NUMBERS(OF_NUMBERS)
  {OP_EQ, MM_BOOL, MM_BOOL, eq_bool, NULL}, {OP_NE, MM_BOOL, MM_BOOL, ne_bool, NULL},
  {OP_LT, MM_BOOL, MM_BOOL, lt_bool, NULL}, {OP_LE, MM_BOOL, MM_BOOL, le_bool, NULL},
  {OP_GT, MM_BOOL, MM_BOOL, gt_bool, NULL}, {OP_GE, MM_BOOL, MM_BOOL, ge_bool, NULL},
  ENTRY(IS_NAN, F64, is_nan_f64) ENTRY(IS_NAN, F32, is_nan_f32)
  ENTRY(IS_FINITE, F64, is_finite_f64) ENTRY(IS_FINITE, F32, is_finite_f32)
};
/* clang-format on */
const kernel_table PASTE(compare_table, ISA) = {entries, sizeof entries / sizeof *entries};
