/* arithmetic.isa.c - add to round: the kernels of numbers that give numbers of the same type. Integers are 64 bits wide
 * here; + - * of narrow ones are modular, minimum and maximum take every width. NaN is the greatest number for both,
 * and -0 is less than +0, as in the total order of values.
 * SPDX-License-Identifier: MIT */
#include "base/compiler.h"
#include "kernels/kernel.h"
#include "text/float.h"
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
  static int name(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,                 \
                  const lane_vector *vc) {                                                                             \
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
    if (digits < 0 || digits > 308) return name(lanes, dst, va, vb, vc);                                               \
    T *restrict out = dst->data;                                                                                       \
    const T *a = va->data;                                                                                             \
    double scale = ten_to(digits);                                                                                     \
    int64_t n = lanes_padded(lanes);                                                                                   \
    for (int64_t i = 0; i < n; i++) out[i] = (T)to_decimals((double)a[i], scale);                                      \
    return 0;                                                                                                          \
  }
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

/* ---- Lookup ---- */

#define BINARY_CASES(OP, name)                                                                                         \
  case OP:                                                                                                             \
    return type == MM_I64   ? name##_i64[shape]                                                                        \
           : type == MM_U64 ? name##_u64[shape]                                                                        \
           : type == MM_F64 ? name##_f64[shape]                                                                        \
           : type == MM_F32 ? name##_f32[shape]                                                                        \
                            : NULL;
#define MODULAR_CASES(OP, name)                                                                                        \
  case OP:                                                                                                             \
    switch (type) {                                                                                                    \
    case MM_I8: return name##_i8[shape];                                                                               \
    case MM_I16: return name##_i16[shape];                                                                             \
    case MM_I32: return name##_i32[shape];                                                                             \
    case MM_U8: return name##_u8[shape];                                                                               \
    case MM_U16: return name##_u16[shape];                                                                             \
    case MM_U32: return name##_u32[shape];                                                                             \
    case MM_I64: return name##_i64[shape];                                                                             \
    case MM_U64: return name##_u64[shape];                                                                             \
    case MM_F64: return name##_f64[shape];                                                                             \
    case MM_F32: return name##_f32[shape];                                                                             \
    default: return NULL;                                                                                              \
    }
#define UNARY_CASES(OP, name)                                                                                          \
  case OP:                                                                                                             \
    return type == MM_I64   ? name##_i64                                                                               \
           : type == MM_U64 ? name##_u64                                                                               \
           : type == MM_F64 ? name##_f64                                                                               \
           : type == MM_F32 ? name##_f32                                                                               \
                            : NULL;
#define FLOAT_CASES(OP, name)                                                                                          \
  case OP:                                                                                                             \
    return type == MM_F64 ? name##_f64 : type == MM_F32 ? name##_f32 : NULL;
#define EXTREME_CASES(E, s, ctype, format)                                                                             \
  case MM_##E: return op == MM_OP_MIN ? min_##s[shape] : max_##s[shape];

kernel_function PASTE(arithmetic_kernel, ISA)(int op, int type, int shape) {
  switch (op) {
    MODULAR_CASES(MM_OP_ADD, add)
    MODULAR_CASES(MM_OP_SUB, sub)
    MODULAR_CASES(MM_OP_MUL, mul)
    BINARY_CASES(MM_OP_FLOORDIV, floordiv)
  case MM_OP_MUL_ADD: return type == MM_F64 ? mul_add_f64[shape] : type == MM_F32 ? mul_add_f32[shape] : NULL;
  case MM_OP_MUL_SUB: return type == MM_F64 ? mul_sub_f64[shape] : type == MM_F32 ? mul_sub_f32[shape] : NULL;
  case MM_OP_SUB_MUL: return type == MM_F64 ? sub_mul_f64[shape] : type == MM_F32 ? sub_mul_f32[shape] : NULL;
  case MM_OP_DIV: return type == MM_F64 ? div_f64[shape] : type == MM_F32 ? div_f32[shape] : NULL;
  case MM_OP_MOD:
    return type == MM_I64 ? mod_i64[shape] : type == MM_U64 ? mod_u64[shape] : NULL;
    UNARY_CASES(MM_OP_NEG, neg)
    UNARY_CASES(MM_OP_ABS, abs)
    UNARY_CASES(MM_OP_SIGN, sign)
    FLOAT_CASES(MM_OP_FLOOR, floor)
    FLOAT_CASES(MM_OP_CEIL, ceil)
    FLOAT_CASES(MM_OP_TRUNC, trunc)
    FLOAT_CASES(MM_OP_SQRT, sqrt)
    FLOAT_CASES(MM_OP_PLAIN, plain)
  case MM_OP_ROUND:
    if (shape == SHAPE_VS) return type == MM_F64 ? round_f64_vs : type == MM_F32 ? round_f32_vs : NULL;
    return type == MM_F64 ? round_f64 : type == MM_F32 ? round_f32 : NULL;
  case MM_OP_MIN:
  case MM_OP_MAX:
    switch (type) { TYPE_NUMBERS(EXTREME_CASES) default : return NULL; }
  default: return NULL;
  }
}
