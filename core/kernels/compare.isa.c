/* compare.isa.c - == ~= < <= > >= and the tests of floats, to one bit a lane, in both operands' own type.
 * Floats compare as IEEE says: NaN is equal to nothing and -0 equals +0.
 * SPDX-License-Identifier: MIT */
#include "base/compiler.h"
#include "kernels/flags.h"
#include "kernels/kernel.h"
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

/* ---- Lookup ---- */

#define COMPARE_CASE(E, s, ctype, format)                                                                              \
  case MM_##E:                                                                                                         \
    switch (op) {                                                                                                      \
    case MM_OP_EQ: return eq_##s[shape];                                                                               \
    case MM_OP_NE: return ne_##s[shape];                                                                               \
    case MM_OP_LT: return lt_##s[shape];                                                                               \
    case MM_OP_LE: return le_##s[shape];                                                                               \
    case MM_OP_GT: return gt_##s[shape];                                                                               \
    case MM_OP_GE: return ge_##s[shape];                                                                               \
    default: return NULL;                                                                                              \
    }

kernel_function PASTE(compare_kernel, ISA)(int op, int type, int shape) {
  static const kernel_function bools[] = {eq_bool, ne_bool, lt_bool, le_bool, gt_bool, ge_bool};
  if (op == MM_OP_IS_NAN) return type == MM_F64 ? is_nan_f64 : type == MM_F32 ? is_nan_f32 : NULL;
  if (op == MM_OP_IS_FINITE) return type == MM_F64 ? is_finite_f64 : type == MM_F32 ? is_finite_f32 : NULL;
  switch (type) {
    TYPE_NUMBERS(COMPARE_CASE)
  case MM_BOOL: return op >= MM_OP_EQ && op <= MM_OP_GE ? bools[op - MM_OP_EQ] : NULL;
  default: return NULL;
  }
}
