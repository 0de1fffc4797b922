/* reduce_min_max.isa.c - the least or greatest value of a column's rows, nulls left out, in the total order of values:
 * -0 before 0, NaN last.
 *
 * DESIGN: values become whole numbers of their own size that are in the same order, and for the least one in the
 * reverse order, so that there is one comparison for all. 64 rows at a time go to 64 candidates, of which the greatest
 * is taken in the end.
 *
 * SPDX-License-Identifier: MIT */
#include "kernels/flags.h"
#include "kernels/reduce/reduce_lanes.h"
#include "types/total_order.h"
#include "types/type.h"
#include <string.h>

/* Needs T, and K, the signed integer of its size. */
#define TOP_BIT(K) ((K)(UINT64_C(1) << (8 * sizeof(K) - 1)))
#define LAST(K) ((K)~TOP_BIT(K))

#define SIGNED_KEYS(s, T, K)                                                                                           \
  ALWAYS_INLINE K key_##s(T x) { return (K)x; }                                                                        \
  ALWAYS_INLINE T unkey_##s(K key) { return (T)key; }
#define UNSIGNED_KEYS(s, T, K)                                                                                         \
  ALWAYS_INLINE K key_##s(T x) { return (K)((K)x ^ TOP_BIT(K)); }                                                      \
  ALWAYS_INLINE T unkey_##s(K key) { return (T)(key ^ TOP_BIT(K)); }
#define FLOAT_KEYS(s, T, K)                                                                                            \
  ALWAYS_INLINE K key_##s(T x) { return total_order_##s(x); }                                                          \
  ALWAYS_INLINE T unkey_##s(K key) { return total_order_back_##s(key); }

/* 64 bits to 0 or -1, in the way that compilers turn into vectors for each size. */
ALWAYS_INLINE void unpack_int8_t(int8_t known[64], uint64_t bits) { unpack_flags(known, bits); }
ALWAYS_INLINE void unpack_int16_t(int16_t known[64], uint64_t bits) {
  int8_t flags[64];
  unpack_flags(flags, bits);
  for (int k = 0; k < 64; k++) known[k] = flags[k];
}
ALWAYS_INLINE void unpack_int32_t(int32_t known[64], uint64_t bits) {
  for (int k = 0; k < 64; k++) known[k] = (uint32_t)(bits >> (k & 32)) & UINT32_C(1) << (k & 31) ? -1 : 0;
}
ALWAYS_INLINE void unpack_int64_t(int64_t known[64], uint64_t bits) {
  for (int k = 0; k < 64; k++) known[k] = 0 - (int64_t)(bits >> k & 1);
}

#define BOUND(s, T, K)                                                                                                 \
  static void bound_##s(void *bound, const void *values, const uint64_t *valid, int64_t start, int64_t n,              \
                        bool least) {                                                                                  \
    const T *x = (const T *)values + start;                                                                            \
    const K flip = least ? -1 : 0;                                                                                     \
    K known[64], best[64], found = TOP_BIT(K);                                                                         \
    for (int k = 0; k < 64; k++) best[k] = TOP_BIT(K);                                                                 \
    for (int64_t i = 0; i < n; i += 64) {                                                                              \
      uint64_t bits = valid ? bits_from(valid, start + i, start + n) : ~UINT64_C(0);                                   \
      if (n - i >= 64 && bits == ~UINT64_C(0)) {                                                                       \
        for (int k = 0; k < 64; k++) {                                                                                 \
          K key = key_##s(x[i + k]) ^ flip;                                                                            \
          best[k] = key > best[k] ? key : best[k];                                                                     \
        }                                                                                                              \
      } else if (n - i >= 64) {                                                                                        \
        PASTE(unpack, K)(known, bits);                                                                                 \
        for (int k = 0; k < 64; k++) {                                                                                 \
          K key = key_##s(x[i + k]) ^ flip;                                                                            \
          key = (K)((key & known[k]) | (TOP_BIT(K) & ~known[k]));                                                      \
          best[k] = key > best[k] ? key : best[k];                                                                     \
        }                                                                                                              \
      } else {                                                                                                         \
        for (int64_t k = 0; k < n - i; k++) {                                                                          \
          K key = key_##s(x[i + k]) ^ flip;                                                                            \
          if (bits >> k & 1 && key > best[k]) best[k] = key;                                                           \
        }                                                                                                              \
      }                                                                                                                \
    }                                                                                                                  \
    for (int k = 0; k < 64; k++) found = best[k] > found ? best[k] : found;                                            \
    *(T *)bound = unkey_##s(found ^ flip);                                                                             \
  }

SIGNED_KEYS(i8, int8_t, int8_t)
SIGNED_KEYS(i16, int16_t, int16_t)
SIGNED_KEYS(i32, int32_t, int32_t)
SIGNED_KEYS(i64, int64_t, int64_t)
UNSIGNED_KEYS(u8, uint8_t, int8_t)
UNSIGNED_KEYS(u16, uint16_t, int16_t)
UNSIGNED_KEYS(u32, uint32_t, int32_t)
UNSIGNED_KEYS(u64, uint64_t, int64_t)
FLOAT_KEYS(f32, float, int32_t)
FLOAT_KEYS(f64, double, int64_t)
BOUND(i8, int8_t, int8_t)
BOUND(i16, int16_t, int16_t)
BOUND(i32, int32_t, int32_t)
BOUND(i64, int64_t, int64_t)
BOUND(u8, uint8_t, int8_t)
BOUND(u16, uint16_t, int16_t)
BOUND(u32, uint32_t, int32_t)
BOUND(u64, uint64_t, int64_t)
BOUND(f32, float, int32_t)
BOUND(f64, double, int64_t)

/* The greatest is true when any is, the least when all are. */
static void bound_bool(void *bound, const void *values, const uint64_t *valid, int64_t start, int64_t n, bool least) {
  uint64_t any = 0, flip = least ? ~UINT64_C(0) : 0;
  for (int64_t at = start, end = start + n; at < end; at += 64) {
    uint64_t bits = (bits_from(values, at, end) ^ flip) & (valid ? bits_from(valid, at, end) : ~UINT64_C(0));
    if (end - at < 64) bits &= (UINT64_C(1) << (end - at)) - 1;
    any |= bits;
  }
  *(uint64_t *)bound = (any != 0) != least;
}

min_max_kernel PASTE(min_max_kernel, ISA)(int type) {
  switch (type) {
#define X(E, s, T, format)                                                                                             \
  case MM_##E: return bound_##s;
    TYPE_NUMBERS(X)
    X(BOOL, bool, bool, "b")
#undef X
  default: return NULL;
  }
}

/* ---- Values up to a bound ---- */

#define SIFT(s, T, K)                                                                                                  \
  static void sift_##s(uint64_t *passed, const void *values, int64_t n, int64_t limit, bool reverse) {                 \
    const T *x = values;                                                                                               \
    const K flip = reverse ? -1 : 0, last = LAST(K), first = TOP_BIT(K);                                               \
    const K most = limit > last ? last : limit < first ? first : (K)limit;                                             \
    const uint64_t none = limit < first ? 0 : ~UINT64_C(0);                                                            \
    uint8_t flags[64] = {0};                                                                                           \
    for (int64_t i = 0; i < n; i += 64) {                                                                              \
      if (n - i >= 64)                                                                                                 \
        for (int k = 0; k < 64; k++) flags[k] = (key_##s(x[i + k]) ^ flip) <= most ? 0xFF : 0;                         \
      else                                                                                                             \
        for (int k = 0; k < 64; k++) flags[k] = k < n - i && (key_##s(x[i + k]) ^ flip) <= most ? 0xFF : 0;            \
      passed[i >> 6] = pack_flags(flags) & none;                                                                       \
    }                                                                                                                  \
  }
SIFT(i8, int8_t, int8_t)
SIFT(i16, int16_t, int16_t)
SIFT(i32, int32_t, int32_t)
SIFT(i64, int64_t, int64_t)
SIFT(u8, uint8_t, int8_t)
SIFT(u16, uint16_t, int16_t)
SIFT(u32, uint32_t, int32_t)
SIFT(u64, uint64_t, int64_t)
SIFT(f32, float, int32_t)
SIFT(f64, double, int64_t)

range_filter PASTE(range_filter, ISA)(int type) {
  switch (type) {
#define X(E, s, T, format)                                                                                             \
  case MM_##E: return sift_##s;
    TYPE_NUMBERS(X)
#undef X
  default: return NULL;
  }
}
