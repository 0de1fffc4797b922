/* arithmetic.isa.c - add to round: the kernels of numbers that give numbers of the same type. Integers are 64 bits wide
 * here; + - * of narrow ones are modular, minimum and maximum take every width. NaN is the greatest number for both,
 * and -0 is less than +0, as in the total order of values.
 * SPDX-License-Identifier: MIT */
#include "base/compiler.h"
#include "kernels/operations.h"
#include "text/float.h"
#include "types/total_order.h"
#include "types/type.h"
#include <math.h>
#include <string.h>

/* ---- Integers: + - * fail on overflow ---- */

#define NAME add_i64
#define RESULT(x, y) ((x) + (y))
#define LOST(x, y, r) (((x) ^ (r)) & ((y) ^ (r)))
#include "kernels/templates/checked.inc.h"
#define NAME sub_i64
#define RESULT(x, y) ((x) - (y))
#define LOST(x, y, r) (((x) ^ (y)) & ((x) ^ (r)))
#include "kernels/templates/checked.inc.h"
#define NAME add_u64
#define RESULT(x, y) ((x) + (y))
#define LOST(x, y, r) (((x) & (y)) | (((x) | (y)) & ~(r)))
#include "kernels/templates/checked.inc.h"
#define NAME sub_u64
#define RESULT(x, y) ((x) - (y))
#define LOST(x, y, r) ((~(x) & (y)) | ((~(x) | (y)) & (r)))
#include "kernels/templates/checked.inc.h"

static inline uint64_t product_lost_i64(uint64_t x, uint64_t y) {
  int64_t r;
  return (uint64_t)__builtin_mul_overflow((int64_t)x, (int64_t)y, &r) << 63;
}
static inline uint64_t product_lost_u64(uint64_t x, uint64_t y) {
  uint64_t r;
  return (uint64_t)__builtin_mul_overflow(x, y, &r) << 63;
}
#define NAME mul_i64
#define RESULT(x, y) ((x) * (y))
#define LOST(x, y, r) product_lost_i64(x, y)
#include "kernels/templates/checked.inc.h"
#define NAME mul_u64
#define RESULT(x, y) ((x) * (y))
#define LOST(x, y, r) product_lost_u64(x, y)
#include "kernels/templates/checked.inc.h"

/* ---- Narrow integers: + - * modulo 2^width ---- */

#define T int8_t
#define SUFFIX i8
#include "kernels/templates/modular.inc.h"
#define T int16_t
#define SUFFIX i16
#include "kernels/templates/modular.inc.h"
#define T int32_t
#define SUFFIX i32
#include "kernels/templates/modular.inc.h"
#define T uint8_t
#define SUFFIX u8
#include "kernels/templates/modular.inc.h"
#define T uint16_t
#define SUFFIX u16
#include "kernels/templates/modular.inc.h"
#define T uint32_t
#define SUFFIX u32
#include "kernels/templates/modular.inc.h"

/* ---- Integers: division, signs ---- */

#define T int64_t
#define NAME floordiv_i64
#define FAILS(x, y) (((y) == 0) | (((x) == INT64_MIN) & ((y) == -1)))
#define RESULT(x, y) ((x) / (y) - (((x) % (y) != 0) & (((x) ^ (y)) < 0)))
#include "kernels/templates/divided.inc.h"
static inline int64_t floored_rest(int64_t x, int64_t y) {
  if (y == -1) return 0; /* INT64_MIN % -1 traps */
  int64_t rest = x % y;
  bool other_side = (rest != 0) & ((rest ^ y) < 0);
  return other_side ? rest + y : rest;
}
#define NAME mod_i64
#define FAILS(x, y) ((y) == 0)
#define RESULT(x, y) floored_rest(x, y)
#include "kernels/templates/divided.inc.h"
#undef T
#define T uint64_t
#define NAME floordiv_u64
#define FAILS(x, y) ((y) == 0)
#define RESULT(x, y) ((x) / (y))
#include "kernels/templates/divided.inc.h"
#define NAME mod_u64
#define FAILS(x, y) ((y) == 0)
#define RESULT(x, y) ((x) % (y))
#include "kernels/templates/divided.inc.h"
#undef T

#define NAME neg_i64
#define RESULT(x) (0 - (x))
#define LOST(x, r) ((x) & (r))
#include "kernels/templates/signed.inc.h"
#define NAME neg_u64
#define RESULT(x) (0 - (x))
#define LOST(x, r) ((x) | (r))
#include "kernels/templates/signed.inc.h"
#define NAME abs_i64
#define RESULT(x) ((x) >> 63 ? 0 - (x) : (x))
#define LOST(x, r) (r)
#include "kernels/templates/signed.inc.h"

#define T int64_t
#define NAME sign_i64
#define RESULT(x) (((x) > 0) - ((x) < 0))
#include "kernels/templates/unary.inc.h"
#undef T
#define T uint64_t
#define NAME abs_u64
#define RESULT(x) (x)
#include "kernels/templates/unary.inc.h"
#define NAME sign_u64
#define RESULT(x) ((x) != 0)
#include "kernels/templates/unary.inc.h"
#undef T

/* ---- Floats ---- */

#define T double
#define SUFFIX f64
#define BITS uint64_t
#define LIBM(x) x
#include "kernels/templates/floats.inc.h"
#define T float
#define SUFFIX f32
#define BITS uint32_t
#define LIBM(x) x##f
#include "kernels/templates/floats.inc.h"

/* ---- Rounding to decimal digits, half away from zero ---- */

enum { EXACT_TENS = 22 }; /* powers of ten up to this one are exact doubles */

static inline double ten_to(int64_t digits) {
  static const double tens[EXACT_TENS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (digits <= EXACT_TENS) return tens[digits];
  char text[] = {'1', 'e', (char)('0' + digits / 100), (char)('0' + digits / 10 % 10), (char)('0' + digits % 10)};
  double ten = 0;
  parse_f64(text, sizeof text, &ten); /* correctly rounded, which pow is not */
  return ten;
}

ALWAYS_INLINE double half_away(double x) {
  double whole = trunc(x);
  return whole + copysign(fabs(x - whole) >= 0.5 ? 1.0 : 0.0, x);
}
/* From 2^52 on, x has no digits to lose; so too inf. The product of NaN is a quiet one. */
ALWAYS_INLINE double to_decimals(double x, double scale) {
  double scaled = x * scale;
  return fabs(scaled) < 0x1p52 ? half_away(scaled) / scale : scaled == scaled ? x : scaled;
}
ALWAYS_INLINE double to_tens(double x, double scale) { return half_away(x / scale) * scale; }

static inline double rounded(double x, int64_t digits) {
  if (x != x) return x + x; /* quiet */
  if (digits > 308) return x;
  if (digits < -308) return x - x == 0 ? copysign(0, x) : x;
  return digits < 0 ? to_tens(x, ten_to(-digits)) : to_decimals(x, ten_to(digits));
}

#define ROUND(name, T)                                                                                                 \
  static int name##_vv(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,            \
                       const lane_vector *vc) {                                                                        \
    (void)vc;                                                                                                          \
    T *restrict out = dst->data;                                                                                       \
    const T *a = va->data;                                                                                             \
    const int64_t *digits = vb->data;                                                                                  \
    int64_t n = lanes_padded(lanes);                                                                                   \
    for (int64_t i = 0; i < n; i++) out[i] = (T)rounded((double)a[i], digits[i]);                                      \
    return 0;                                                                                                          \
  }                                                                                                                    \
  static int name##_vs(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,            \
                       const lane_vector *vc) {                                                                        \
    int64_t digits = *(const int64_t *)vb->data;                                                                       \
    if (digits < 0 || digits > 308) return name##_vv(lanes, dst, va, vb, vc);                                          \
    T *restrict out = dst->data;                                                                                       \
    const T *a = va->data;                                                                                             \
    double scale = ten_to(digits);                                                                                     \
    int64_t n = lanes_padded(lanes);                                                                                   \
    for (int64_t i = 0; i < n; i++) out[i] = (T)to_decimals((double)a[i], scale);                                      \
    return 0;                                                                                                          \
  }                                                                                                                    \
  static const kernel_function name[SHAPE_COUNT] = {name##_vv, name##_vs, name##_vv};
ROUND(round_f64, double)
ROUND(round_f32, float)

/* ---- Least and greatest of every type ---- */

#define INTEGER_EXTREMES(E, s, ctype, format)                                                                          \
  ALWAYS_INLINE ctype least_##s(ctype x, ctype y) { return x < y ? x : y; }                                            \
  ALWAYS_INLINE ctype greatest_##s(ctype x, ctype y) { return x > y ? x : y; }
TYPE_INTEGERS(INTEGER_EXTREMES)

#define T int8_t
#define SUFFIX i8
#include "kernels/templates/pick_min_max.inc.h"
#define T int16_t
#define SUFFIX i16
#include "kernels/templates/pick_min_max.inc.h"
#define T int32_t
#define SUFFIX i32
#include "kernels/templates/pick_min_max.inc.h"
#define T int64_t
#define SUFFIX i64
#include "kernels/templates/pick_min_max.inc.h"
#define T uint8_t
#define SUFFIX u8
#include "kernels/templates/pick_min_max.inc.h"
#define T uint16_t
#define SUFFIX u16
#include "kernels/templates/pick_min_max.inc.h"
#define T uint32_t
#define SUFFIX u32
#include "kernels/templates/pick_min_max.inc.h"
#define T uint64_t
#define SUFFIX u64
#include "kernels/templates/pick_min_max.inc.h"
#define T float
#define SUFFIX f32
#include "kernels/templates/pick_min_max.inc.h"
#define T double
#define SUFFIX f64
#include "kernels/templates/pick_min_max.inc.h"

/* ---- The table ---- */

#define ENTRY(OP, E, kernel) {OP_##OP, MM_##E, MM_NULL, kernel, NULL},
#define SHAPED(OP, E, shapes) {OP_##OP, MM_##E, MM_NULL, NULL, shapes},
#define OF_FLOATS(OP, name) ENTRY(OP, F64, name##_f64) ENTRY(OP, F32, name##_f32)
#define SHAPED_FLOATS(OP, name) SHAPED(OP, F64, name##_f64) SHAPED(OP, F32, name##_f32)
#define SHAPED_WHOLE(OP, name) SHAPED(OP, I64, name##_i64) SHAPED(OP, U64, name##_u64)
#define SHAPED_NARROW(OP, name)                                                                                        \
  SHAPED(OP, I8, name##_i8)                                                                                            \
  SHAPED(OP, I16, name##_i16)                                                                                          \
  SHAPED(OP, I32, name##_i32) SHAPED(OP, U8, name##_u8) SHAPED(OP, U16, name##_u16) SHAPED(OP, U32, name##_u32)
#define OF_WIDE(OP, name) ENTRY(OP, I64, name##_i64) ENTRY(OP, U64, name##_u64) OF_FLOATS(OP, name)
#define SHAPED_WIDE(OP, name) SHAPED_WHOLE(OP, name) SHAPED_FLOATS(OP, name)
#define SHAPED_ALL(OP, name) SHAPED_WIDE(OP, name) SHAPED_NARROW(OP, name)

/* clang-format off */
static const kernel_entry entries[] = {
  SHAPED_ALL(ADD, add)
  SHAPED_ALL(SUB, sub)
  SHAPED_ALL(MUL, mul)
  SHAPED_FLOATS(DIV, div)
  SHAPED_WIDE(FLOORDIV, floordiv)
  SHAPED_WHOLE(MOD, mod)
  OF_WIDE(NEG, neg)
  OF_WIDE(ABS, abs)
  OF_WIDE(SIGN, sign)
  SHAPED_ALL(MIN, min)
  SHAPED_ALL(MAX, max)
  SHAPED_FLOATS(MUL_ADD, mul_add)
  SHAPED_FLOATS(MUL_SUB, mul_sub)
  SHAPED_FLOATS(SUB_MUL, sub_mul)
  OF_FLOATS(FLOOR, floor)
  OF_FLOATS(CEIL, ceil)
  OF_FLOATS(TRUNC, trunc)
  OF_FLOATS(SQRT, sqrt)
  OF_FLOATS(PLAIN, plain)
  SHAPED_FLOATS(ROUND, round)
};
/* clang-format on */
const kernel_table PASTE(arithmetic_table, ISA) = {entries, sizeof entries / sizeof *entries};
