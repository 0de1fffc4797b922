/* cast.isa.c - casts among numbers and bool. A cast that every value survives is one loop. All others go through 64
 * lanes of i64, u64 or f64, whichever holds every value of the source: `widen` then `narrow`; so the number of loops
 * grows with the types, not with their pairs. A float becomes an integer by dropping its fraction: a checked cast
 * refuses fractions, wrap. is modulo 2^width, sat. takes the nearest bound; NaN has no integer in any mode, an infinity
 * none but a bound. Integers become the nearest float. Of bool, false is 0 and true is 1.
 * SPDX-License-Identifier: MIT */
#include "base/compiler.h"
#include "kernels/flags.h"
#include "kernels/kernel.h"
#include "types/type.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { LANES = 64 };

/* ---- Widen: 64 lanes of a type to i64, u64 or f64 ---- */

typedef void (*widener)(void *to, const void *from);

#define WIDEN(suffix, S, T)                                                                                            \
  static void widen_##suffix(void *to, const void *from) {                                                             \
    T *restrict out = to;                                                                                              \
    const S *x = from;                                                                                                 \
    for (int i = 0; i < LANES; i++) out[i] = (T)x[i];                                                                  \
  }
WIDEN(i8, int8_t, int64_t)
WIDEN(i16, int16_t, int64_t)
WIDEN(i32, int32_t, int64_t)
WIDEN(i64, int64_t, int64_t)
WIDEN(u8, uint8_t, int64_t)
WIDEN(u16, uint16_t, int64_t)
WIDEN(u32, uint32_t, int64_t)
WIDEN(u64, uint64_t, uint64_t)
WIDEN(f32, float, double)
WIDEN(f64, double, double)

static void widen_bool(void *to, const void *from) {
  int64_t *restrict out = to;
  uint64_t bits = *(const uint64_t *)from;
  for (int i = 0; i < LANES; i++) out[i] = (int64_t)(bits >> i & 1);
}

/* ---- Narrow: 64 lanes to a type; returns the lanes that failed ---- */

typedef uint64_t (*narrower)(void *to, const void *from);

/* The whole part of a finite x modulo 2^64. */
static inline uint64_t wrapped(double x) {
  if (x > -0x1p63 && x < 0x1p63) return (uint64_t)(int64_t)x;
  double rest = fmod(trunc(x), 0x1p64);
  return rest < 0 ? 0 - (uint64_t)-rest : (uint64_t)rest;
}

#define SUFFIX i8
#define T int8_t
#define LOW INT8_MIN
#define HIGH INT8_MAX
#define END 0x1p7
#include "kernels/templates/narrow.inc.h"
#define SUFFIX i16
#define T int16_t
#define LOW INT16_MIN
#define HIGH INT16_MAX
#define END 0x1p15
#include "kernels/templates/narrow.inc.h"
#define SUFFIX i32
#define T int32_t
#define LOW INT32_MIN
#define HIGH INT32_MAX
#define END 0x1p31
#include "kernels/templates/narrow.inc.h"
#define SUFFIX i64
#define T int64_t
#define LOW INT64_MIN
#define HIGH INT64_MAX
#define END 0x1p63
#include "kernels/templates/narrow.inc.h"
#define SUFFIX u8
#define T uint8_t
#define LOW 0
#define HIGH UINT8_MAX
#define END 0x1p8
#include "kernels/templates/narrow.inc.h"
#define SUFFIX u16
#define T uint16_t
#define LOW 0
#define HIGH UINT16_MAX
#define END 0x1p16
#include "kernels/templates/narrow.inc.h"
#define SUFFIX u32
#define T uint32_t
#define LOW 0
#define HIGH UINT32_MAX
#define END 0x1p32
#include "kernels/templates/narrow.inc.h"
#define SUFFIX u64
#define T uint64_t
#define LOW 0
#define HIGH UINT64_MAX
#define END 0x1p64
#include "kernels/templates/narrow.inc.h"

/* f64 to i64 is the common case, and has no vector instruction before AVX-512: whole numbers below 2^51 stand in the
 * low bits of their sum with 1.5 * 2^52. */
static uint64_t check_whole(void *to, const void *from) {
  int64_t *restrict out = to;
  const double *x = from;
  uint64_t others = 0;
  for (int i = 0; i < LANES; i++) {
    double shifted = x[i] + 0x1.8p52;
    uint64_t bits, base = UINT64_C(0x4338000000000000);
    memcpy(&bits, &shifted, sizeof bits);
    others |= !((shifted - 0x1.8p52 == x[i]) & (fabs(x[i]) < 0x1p51));
    out[i] = (int64_t)(bits - base);
  }
  return others ? check_i64_of_f64(to, from) : 0;
}

/* To floats: only f64 to f32 can fail, where a finite value becomes infinite. */
#define TO_FLOAT(name, S, T)                                                                                           \
  static uint64_t name(void *to, const void *from) {                                                                   \
    T *restrict out = to;                                                                                              \
    const S *x = from;                                                                                                 \
    for (int i = 0; i < LANES; i++) out[i] = (T)x[i];                                                                  \
    return 0;                                                                                                          \
  }
TO_FLOAT(f32_of_i64, int64_t, float)
TO_FLOAT(f32_of_u64, uint64_t, float)
TO_FLOAT(f32_of_f64, double, float)
TO_FLOAT(f64_of_i64, int64_t, double)
TO_FLOAT(f64_of_u64, uint64_t, double)
TO_FLOAT(f64_of_f64, double, double)

static uint64_t check_f32_of_f64(void *to, const void *from) {
  float *restrict out = to;
  const double *x = from;
  uint8_t bad[LANES];
  for (int i = 0; i < LANES; i++) {
    float y = (float)x[i];
    bad[i] = fabsf(y) == INFINITY && fabs(x[i]) != (double)INFINITY ? 0xFF : 0;
    out[i] = y;
  }
  return pack_flags(bad);
}
static uint64_t saturate_f32_of_f64(void *to, const void *from) {
  float *restrict out = to;
  const double *x = from;
  for (int i = 0; i < LANES; i++) {
    float y = (float)x[i];
    bool lost = fabsf(y) == INFINITY && fabs(x[i]) != (double)INFINITY;
    out[i] = lost ? copysignf(FLT_MAX, y) : y;
  }
  return 0;
}

/* To bool: 64 lanes are one word. */
#define TO_BOOL(name, S, fails, value)                                                                                 \
  static uint64_t name(void *to, const void *from) {                                                                   \
    const S *from_x = from;                                                                                            \
    uint8_t bad[LANES], bit[LANES];                                                                                    \
    for (int i = 0; i < LANES; i++) {                                                                                  \
      S x = from_x[i];                                                                                                 \
      bad[i] = (fails) ? 0xFF : 0;                                                                                     \
      bit[i] = (value) ? 0xFF : 0;                                                                                     \
    }                                                                                                                  \
    *(uint64_t *)to = pack_flags(bit);                                                                                 \
    return pack_flags(bad);                                                                                            \
  }
TO_BOOL(check_bool_of_i64, int64_t, x & ~INT64_C(1), x & 1)
TO_BOOL(check_bool_of_u64, uint64_t, x > 1, x & 1)
TO_BOOL(check_bool_of_f64, double, !(x == 0 || x == 1), x == 1)
TO_BOOL(wrap_bool_of_i64, int64_t, x != x, x & 1)
TO_BOOL(wrap_bool_of_u64, uint64_t, x != x, x & 1)
TO_BOOL(wrap_bool_of_f64, double, !(fabs(x) <= DBL_MAX), fabs(x) <= DBL_MAX && (wrapped(x) & 1))
TO_BOOL(saturate_bool_of_i64, int64_t, x != x, x >= 1)
TO_BOOL(saturate_bool_of_u64, uint64_t, x != x, x >= 1)
TO_BOOL(saturate_bool_of_f64, double, x != x, x >= 1)

/* ---- Both steps ---- */

enum { OF_I64, OF_U64, OF_F64, WIDE_COUNT };
enum { CHECKED, WRAPPED, SATURATED, NARROW_COUNT };

static int wide_class(int type) { return type == MM_U64 ? OF_U64 : type_is_float(type) ? OF_F64 : OF_I64; }

#define WIDEN_ENTRY(E, s, ctype, format) [MM_##E] = widen_##s,
static const widener wideners[MM_TYPE_COUNT] = {TYPE_NUMBERS(WIDEN_ENTRY)[MM_BOOL] = widen_bool};

#define NARROW_ENTRY(E, s, ctype, format)                                                                              \
  [MM_##E] = {{check_##s##_of_i64, wrap_##s##_of_i64, saturate_##s##_of_i64},                                          \
              {check_##s##_of_u64, wrap_##s##_of_u64, saturate_##s##_of_u64},                                          \
              {check_##s##_of_f64, wrap_##s##_of_f64, saturate_##s##_of_f64}},
static const narrower narrowers[MM_TYPE_COUNT][WIDE_COUNT][NARROW_COUNT] = {
    TYPE_INTEGERS(NARROW_ENTRY)
        NARROW_ENTRY(BOOL, bool, bool, "b")[MM_F32] = {{f32_of_i64, f32_of_i64, f32_of_i64},
                                                       {f32_of_u64, f32_of_u64, f32_of_u64},
                                                       {check_f32_of_f64, f32_of_f64, saturate_f32_of_f64}},
    [MM_F64] = {{f64_of_i64, f64_of_i64, f64_of_i64},
                {f64_of_u64, f64_of_u64, f64_of_u64},
                {f64_of_f64, f64_of_f64, f64_of_f64}},
};

static int64_t bits_wide(int type) {
  switch (type) {
  case MM_BOOL: return 1;
  case MM_I8:
  case MM_U8: return 8;
  case MM_I16:
  case MM_U16: return 16;
  case MM_I32:
  case MM_U32:
  case MM_F32: return 32;
  default: return 64;
  }
}

static int cast_in_steps(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                         const lane_vector *vc) {
  (void)vb, (void)vc;
  int to = type_storage(lanes->instr->type), from = type_storage(lanes->instr->type2), mode = lanes->instr->b;
  int narrow = mode == MM_CAST_WRAP ? WRAPPED : mode == MM_CAST_SATURATE ? SATURATED : CHECKED;
  widener widen = wideners[from];
  narrower put = narrowers[to][wide_class(from)][narrow];
  if (put == check_i64_of_f64) put = check_whole;
  int64_t step_from = bits_wide(from) * LANES / 8, step_to = bits_wide(to) * LANES / 8;
  const uint8_t *x = va->data;
  uint8_t *out = dst->data;
  uint64_t wide[LANES], failed = 0;
  for (int64_t w = 0; w < bit_words(lanes->n); w++) {
    widen(wide, x + w * step_from);
    uint64_t bad = put(out + w * step_to, wide);
    if (bad) lanes_fail(lanes, w, bad);
    failed |= bad;
  }
  return failed != 0;
}

/* ---- Casts in one loop ---- */

#define CONVERT(name, S, D)                                                                                            \
  static int name(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,                 \
                  const lane_vector *vc) {                                                                             \
    (void)vb, (void)vc;                                                                                                \
    D *restrict out = dst->data;                                                                                       \
    const S *x = va->data;                                                                                             \
    int64_t n = lanes_padded(lanes);                                                                                   \
    for (int64_t i = 0; i < n; i++) out[i] = (D)x[i];                                                                  \
    return 0;                                                                                                          \
  }
/* X(from, C type, to, C type) */
#define CONVERSIONS(X)                                                                                                 \
  X(I8, int8_t, I64, int64_t)                                                                                          \
  X(I16, int16_t, I64, int64_t)                                                                                        \
  X(I32, int32_t, I64, int64_t)                                                                                        \
  X(U8, uint8_t, I64, int64_t)                                                                                         \
  X(U16, uint16_t, I64, int64_t)                                                                                       \
  X(U32, uint32_t, I64, int64_t)                                                                                       \
  X(U8, uint8_t, U64, uint64_t)                                                                                        \
  X(U16, uint16_t, U64, uint64_t)                                                                                      \
  X(U32, uint32_t, U64, uint64_t)                                                                                      \
  X(I8, int8_t, F64, double)                                                                                           \
  X(I16, int16_t, F64, double)                                                                                         \
  X(I32, int32_t, F64, double)                                                                                         \
  X(I64, int64_t, F64, double)                                                                                         \
  X(U8, uint8_t, F64, double)                                                                                          \
  X(U16, uint16_t, F64, double) X(U32, uint32_t, F64, double) X(U64, uint64_t, F64, double) X(F32, float, F64, double)
#define CONVERSION(S, s, D, d) CONVERT(convert_##S##_##D, s, d)
CONVERSIONS(CONVERSION)

static int same_type(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                     const lane_vector *vc) {
  (void)vb, (void)vc;
  memcpy(dst->data, va->data, (size_t)(lanes_padded(lanes) * bits_wide(type_storage(lanes->instr->type)) / 8));
  return 0;
}

#define CONVERSION_CASE(S, s, D, d)                                                                                    \
  if (type2 == MM_##S && type == MM_##D) return convert_##S##_##D;

static bool casts(int type) { return type >= MM_BOOL && type <= MM_F64; }

kernel_function PASTE(cast_kernel, ISA)(int type, int type2, int mode) {
  if (!casts(type) || !casts(type2) || mode < MM_CAST_CHECK || mode > MM_CAST_SATURATE) return NULL;
  if (type == type2) return same_type;
  CONVERSIONS(CONVERSION_CASE)
  return cast_in_steps;
}
