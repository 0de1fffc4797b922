/* math.c - what libm computes, one lane after the other, with the same functions on every instruction set; modulo of
 * floats. Lanes that are null or not selected are skipped.
 * SPDX-License-Identifier: MIT */
#include "kernels/dispatch.h"
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

kernel_function math_kernel(int op, int type) {
  if (op == MM_OP_MOD) return type == MM_F64 ? mod_f64 : type == MM_F32 ? mod_f32 : NULL;
  if (type != MM_F64) return NULL;
  switch (op) {
  case MM_OP_POW: return pow_kernel;
  case MM_OP_CBRT: return cube_root_kernel;
  case MM_OP_EXP: return exp_kernel;
  case MM_OP_LOG: return log_kernel;
  case MM_OP_LOG2: return log2_kernel;
  case MM_OP_LOG10: return log10_kernel;
  case MM_OP_SIN: return sin_kernel;
  case MM_OP_COS: return cos_kernel;
  case MM_OP_TAN: return tan_kernel;
  case MM_OP_ASIN: return asin_kernel;
  case MM_OP_ACOS: return acos_kernel;
  case MM_OP_ATAN: return atan_kernel;
  case MM_OP_ATAN2: return atan2_kernel;
  case MM_OP_SINH: return sinh_kernel;
  case MM_OP_COSH: return cosh_kernel;
  case MM_OP_TANH: return tanh_kernel;
  case MM_OP_HYPOT: return hypot_kernel;
  default: return NULL;
  }
}
