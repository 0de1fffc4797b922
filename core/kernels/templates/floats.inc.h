/* floats.inc.h - arithmetic of one float type. Needs T, SUFFIX, BITS (its unsigned twin) and LIBM(x), its libm names.
 * SPDX-License-Identifier: MIT */
#define OF(name) PASTE(name, SUFFIX)
ALWAYS_INLINE T OF(of_bits)(BITS bits) {
  T x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
/* By the total order (total_order.h), in fewer instructions. Equal values differ in the sign of zero at most: or-ing
 * their bits prefers -0, and-ing them +0. */
ALWAYS_INLINE T OF(least)(T x, T y) {
  T less = x < y ? x : y;
  T chosen = x == y ? OF(of_bits)(OF(float_bits)(x) | OF(float_bits)(y)) : less;
  return y != y ? x : chosen;
}
ALWAYS_INLINE T OF(greatest)(T x, T y) {
  T greater = x > y ? x : y;
  T chosen = x == y ? OF(of_bits)(OF(float_bits)(x) & OF(float_bits)(y)) : greater;
  return x != x ? x : chosen;
}
/* Zeros and NaN stay what they are. */
ALWAYS_INLINE T OF(signum)(T x) { return x > 0 ? (T)1 : x < 0 ? (T)-1 : x; }
ALWAYS_INLINE T OF(magnitude)(T x) { return OF(of_bits)(OF(float_bits)(x) & (BITS) ~((BITS)1 << (8 * sizeof(T) - 1))); }

/* A NaN that is computed is quiet. The instruction that rounds does that; libm's functions, which stand in for it
 * where there is none, may give a signalling one back. */
#ifdef __SSE4_1__
ALWAYS_INLINE T OF(quiet)(T x, T rounded) { return (void)x, rounded; }
#else
ALWAYS_INLINE T OF(quiet)(T x, T rounded) { return x == x ? rounded : x + x; }
#endif

#define NAME OF(add)
#define RESULT(x, y) ((x) + (y))
#include "kernels/templates/binary.inc.h"
#define NAME OF(sub)
#define RESULT(x, y) ((x) - (y))
#include "kernels/templates/binary.inc.h"
#define NAME OF(mul)
#define RESULT(x, y) ((x) * (y))
#include "kernels/templates/binary.inc.h"
#define NAME OF(div)
#define RESULT(x, y) ((x) / (y))
#include "kernels/templates/binary.inc.h"
#define NAME OF(floordiv)
#define RESULT(x, y) LIBM(floor)((x) / (y))
#include "kernels/templates/binary.inc.h"
#define NAME OF(mul_add)
#define RESULT(x, y, z) ((x) * (y) + (z))
#include "kernels/templates/fused.inc.h"
#define NAME OF(mul_sub)
#define RESULT(x, y, z) ((x) * (y) - (z))
#include "kernels/templates/fused.inc.h"
#define NAME OF(sub_mul)
#define RESULT(x, y, z) ((z) - (x) * (y))
#include "kernels/templates/fused.inc.h"
#define NAME OF(neg)
#define RESULT(x) (-(x))
#include "kernels/templates/unary.inc.h"
#define NAME OF(abs)
#define RESULT(x) OF(magnitude)(x)
#include "kernels/templates/unary.inc.h"
#define NAME OF(sign)
#define RESULT(x) OF(signum)(x)
#include "kernels/templates/unary.inc.h"
#define NAME OF(floor)
#define RESULT(x) OF(quiet)(x, LIBM(floor)(x))
#include "kernels/templates/unary.inc.h"
#define NAME OF(ceil)
#define RESULT(x) OF(quiet)(x, LIBM(ceil)(x))
#include "kernels/templates/unary.inc.h"
#define NAME OF(trunc)
#define RESULT(x) OF(quiet)(x, LIBM(trunc)(x))
#include "kernels/templates/unary.inc.h"
#define NAME OF(sqrt)
#define RESULT(x) LIBM(sqrt)(x)
#include "kernels/templates/unary.inc.h"
#define NAME OF(plain)
#define RESULT(x) OF(canonical_nan)(x)
#include "kernels/templates/unary.inc.h"
#undef OF
#undef T
#undef SUFFIX
#undef BITS
#undef LIBM
