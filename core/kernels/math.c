/* math.c - what libm computes, one lane after the other, with the same functions on every instruction set; modulo of
 * floats. Lanes that are null or not selected are skipped.
 * SPDX-License-Identifier: MIT */
#include "kernels/operations.h"
#include <float.h>
#include <math.h>

/* Lanes of word w that matter. */
static inline uint64_t wanted_lanes(const kernel_lanes *lanes, const lane_vector *dst, int64_t w) {
  uint64_t bits = lanes->selected ? lanes->selected[w] : ~UINT64_C(0);
  return dst->valid ? bits & dst->valid[w] : bits;
}

/* expression(i) of every wanted lane. */
#define EACH_LANE(expression)                                                                                          \
  for (int64_t w = 0; w < bit_words(lanes->n); w++) {                                                                  \
    uint64_t bits = wanted_lanes(lanes, dst, w);                                                                       \
    if (bits == ~UINT64_C(0))                                                                                          \
      for (int64_t i = 64 * w; i < 64 * w + 64; i++) out[i] = (expression);                                            \
    else                                                                                                               \
      for (; bits; bits &= bits - 1) {                                                                                 \
        int64_t i = 64 * w + __builtin_ctzll(bits);                                                                    \
        out[i] = (expression);                                                                                         \
      }                                                                                                                \
  }                                                                                                                    \
  return 0

#define UNARY(function)                                                                                                \
  static int function##_kernel(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,    \
                               const lane_vector *vc) {                                                                \
    (void)vb, (void)vc;                                                                                                \
    double *out = dst->data;                                                                                           \
    const double *a = va->data;                                                                                        \
    EACH_LANE(function(a[i]));                                                                                         \
  }
/* libm's cbrt may be a unit off; cubes of whole numbers are exact here. */
static inline double cube_root(double x) {
  double root = cbrt(x), whole = nearbyint(root);
  return whole * whole * whole == x ? whole : root;
}
UNARY(cube_root)
UNARY(exp)
UNARY(log)
UNARY(log2)
UNARY(log10)
UNARY(sin)
UNARY(cos)
UNARY(tan)
UNARY(asin)
UNARY(acos)
UNARY(atan)
UNARY(sinh)
UNARY(cosh)
UNARY(tanh)

/* Squares are exact products; libm's pow may be a unit off. */
static inline double power(double x, double y) { return y == 2 ? x * x : pow(x, y); }

/* x - floor(x / y) * y, rounded once; the sign of a rest is that of y, zero is +0, and a finite x is its own rest
 * modulo an infinity of its sign. The rounded quotient can be too high by one, never too low. */
static inline double floored_rest(double x, double y) {
  double quotient = floor(x / y), r;
  if (fabs(quotient) < 0x1p52 && fabs(y) <= DBL_MAX) {
    r = fma(-quotient, y, x);
    if (r != 0 && (r < 0) != (y < 0)) r = fma(1 - quotient, y, x);
    return r + 0.0;
  }
  r = fmod(x, y);
  if (r == 0) return 0.0;
  return (r < 0) != (y < 0) ? r + y : r;
}
static inline float rest_f32(float x, float y) {
  float r = fmodf(x, y);
  if (r == 0) return 0.0F;
  return (r < 0) != (y < 0) ? r + y : r;
}

#define BINARY(name, T, function)                                                                                      \
  static int name(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,                 \
                  const lane_vector *vc) {                                                                             \
    (void)vc;                                                                                                          \
    T *out = dst->data;                                                                                                \
    const T *a = va->data, *b = vb->data;                                                                              \
    EACH_LANE(function(a[i], b[i]));                                                                                   \
  }
BINARY(pow_kernel, double, power)
BINARY(atan2_kernel, double, atan2)
BINARY(hypot_kernel, double, hypot)
BINARY(mod_f64, double, floored_rest)
BINARY(mod_f32, float, rest_f32)

static const kernel_entry entries[] = {
    {OP_CBRT, MM_F64, MM_NULL, cube_root_kernel, NULL}, {OP_EXP, MM_F64, MM_NULL, exp_kernel, NULL},
    {OP_LOG, MM_F64, MM_NULL, log_kernel, NULL},        {OP_LOG2, MM_F64, MM_NULL, log2_kernel, NULL},
    {OP_LOG10, MM_F64, MM_NULL, log10_kernel, NULL},    {OP_SIN, MM_F64, MM_NULL, sin_kernel, NULL},
    {OP_COS, MM_F64, MM_NULL, cos_kernel, NULL},        {OP_TAN, MM_F64, MM_NULL, tan_kernel, NULL},
    {OP_ASIN, MM_F64, MM_NULL, asin_kernel, NULL},      {OP_ACOS, MM_F64, MM_NULL, acos_kernel, NULL},
    {OP_ATAN, MM_F64, MM_NULL, atan_kernel, NULL},      {OP_SINH, MM_F64, MM_NULL, sinh_kernel, NULL},
    {OP_COSH, MM_F64, MM_NULL, cosh_kernel, NULL},      {OP_TANH, MM_F64, MM_NULL, tanh_kernel, NULL},
    {OP_POW, MM_F64, MM_NULL, pow_kernel, NULL},        {OP_ATAN2, MM_F64, MM_NULL, atan2_kernel, NULL},
    {OP_HYPOT, MM_F64, MM_NULL, hypot_kernel, NULL},    {OP_MOD, MM_F64, MM_NULL, mod_f64, NULL},
    {OP_MOD, MM_F32, MM_NULL, mod_f32, NULL},
};

kernel_function math_kernels(const kernel_key *key) { return kernel_table_find(KERNEL_TABLE(entries), key); }
