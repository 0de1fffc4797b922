/* kernel.h - what the kernel files of vector/ share: how they loop, and how dispatch.c finds them.
 *
 * DESIGN: a kernel runs over whole words of 64 lanes, so its loops have no remainder; the frame guarantees that many
 * readable lanes. A constant operand is stored in all lanes, so that any kernel may read it, but there are variants of
 * the hot kernels ("shapes") that read its first lane only and keep it in a machine register.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "internal.h"

enum { SHAPE_VV, SHAPE_VS, SHAPE_SV, SHAPE_COUNT }; /* which operand is the same in all lanes: none, b, a */
enum { SHAPE_C = 4, SHAPE_OF_THREE = 8 };           /* of operations on three: added when c is */

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define STRING_(a) #a
#define STRING(a) STRING_(a)
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Lanes rounded up to whole words. */
static inline int64_t lanes_padded(const mm_lanes *lanes) { return (lanes->n + 63) & ~INT64_C(63); }

/* One byte a lane, 0 or 0xFF, to one bit a lane. */
#if defined __AVX2__
#include <immintrin.h>
static inline uint64_t pack_flags(const uint8_t flags[64]) {
  uint64_t low = (uint32_t)_mm256_movemask_epi8(_mm256_loadu_si256((const __m256i *)(const void *)flags));
  uint64_t high = (uint32_t)_mm256_movemask_epi8(_mm256_loadu_si256((const __m256i *)(const void *)(flags + 32)));
  return low | high << 32;
}
#elif defined __SSE2__
#include <emmintrin.h>
static inline uint64_t pack_flags(const uint8_t flags[64]) {
  uint64_t bits = 0;
  for (int i = 0; i < 4; i++)
    bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)(flags + 16 * i)))
            << 16 * i;
  return bits;
}
#else
static inline uint64_t pack_flags(const uint8_t flags[64]) {
  uint64_t bits = 0;
  for (int i = 0; i < 8; i++) {
    uint64_t bytes;
    memcpy(&bytes, flags + 8 * i, 8);
    bits |= (bytes & UINT64_C(0x8040201008040201)) * UINT64_C(0x0101010101010101) >> 56 << 8 * i;
  }
  return bits;
}
#endif

/* The reverse: 64 bits to bytes 0 or -1. Each byte of the product is all 8 bits, of which it keeps one. */
static inline void unpack_flags(int8_t flags[64], uint64_t bits) {
  for (int i = 0; i < 8; i++) {
    uint64_t kept = (bits >> 8 * i & 0xFF) * UINT64_C(0x0101010101010101) & UINT64_C(0x8040201008040201);
    uint64_t ones = (kept + UINT64_C(0x7F7F7F7F7F7F7F7F)) >> 7 & UINT64_C(0x0101010101010101);
    uint64_t bytes = ones * 0xFF;
    memcpy(flags + 8 * i, &bytes, 8);
  }
}

/* What a set of kernels may be built with beyond the plain processor: X(NAME, name), and LZCNT, which not
 * every compiler can ask for by name. A set is used where the processor has all that it
 * was built with, so a flag of the Makefile must be here; a spec compares the two. */
#define MM_FEATURES(X)                                                                                                 \
  X(AVX2, avx2)                                                                                                        \
  X(BMI, bmi)                                                                                                          \
  X(BMI2, bmi2)                                                                                                        \
  X(POPCNT, popcnt)                                                                                                    \
  X(PCLMUL, pclmul)                                                                                                    \
  X(FMA, fma)                                                                                                          \
  X(AVX512F, avx512f)                                                                                                  \
  X(AVX512BW, avx512bw) X(AVX512DQ, avx512dq) X(AVX512VL, avx512vl) X(AVX512VBMI2, avx512vbmi2)
#define FEATURE(NAME, name) FEATURE_##NAME,
enum { MM_FEATURES(FEATURE) FEATURE_LZCNT, FEATURE_COUNT };
#undef FEATURE

/* Lookups of one instruction set, by storage type; NULL: no such kernel. */
typedef struct mm_kernel_set {
  const char *name;
  const uint32_t *features;
  mm_kernel (*arithmetic)(int op, int type, int shape);
  mm_kernel (*compare)(int op, int type, int shape);
  mm_kernel (*logic)(int op, int type);
  mm_kernel (*cast)(int type, int type2, int mode);
  mm_kernel (*member)(int type);
  void (*blank_nulls)(void *values, const uint64_t *valid, int64_t words, int64_t width);
  int64_t (*compress)(void *to, const void *from, const uint64_t *selected, int64_t n, int64_t width);
  int64_t (*compress_bits)(uint64_t *to, int64_t at, const uint64_t *from, const uint64_t *selected, int64_t n);
  int64_t (*bits_count)(const uint64_t *bits, int64_t n);
  int32_t (*texts_size)(const int32_t *offsets, int64_t n);
  void (*texts_view)(mm_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n);
  bool (*bytes_ascii)(const uint8_t *bytes, int64_t n);
  mm_adder (*adder)(int type);
  mm_bounder (*bounder)(int type);
  mm_measurer (*measurer)(int type);
  mm_sifter (*sifter)(int type);
} mm_kernel_set;

#define DECLARE_KERNELS(isa)                                                                                           \
  extern const uint32_t mm_features_##isa;                                                                             \
  mm_kernel mm_arithmetic_##isa(int op, int type, int shape);                                                          \
  mm_kernel mm_compare_##isa(int op, int type, int shape);                                                             \
  mm_kernel mm_logic_##isa(int op, int type);                                                                          \
  mm_kernel mm_cast_##isa(int type, int type2, int mode);                                                              \
  mm_kernel mm_member_##isa(int type);                                                                                 \
  void mm_blank_nulls_##isa(void *values, const uint64_t *valid, int64_t words, int64_t width);                        \
  int64_t mm_compress_##isa(void *to, const void *from, const uint64_t *selected, int64_t n, int64_t width);           \
  int64_t mm_compress_bits_##isa(uint64_t *to, int64_t at, const uint64_t *from, const uint64_t *selected, int64_t n); \
  int64_t mm_bits_count_##isa(const uint64_t *bits, int64_t n);                                                        \
  int32_t mm_texts_size_##isa(const int32_t *offsets, int64_t n);                                                      \
  void mm_texts_view_##isa(mm_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n);                      \
  bool mm_bytes_ascii_##isa(const uint8_t *bytes, int64_t n);                                                          \
  mm_adder mm_adder_##isa(int type);                                                                                   \
  mm_bounder mm_bounder_##isa(int type);                                                                               \
  mm_measurer mm_measurer_##isa(int type);                                                                             \
  mm_sifter mm_sifter_##isa(int type);
DECLARE_KERNELS(base)
DECLARE_KERNELS(avx2)
DECLARE_KERNELS(avx512)

/* For the fuzzers: from now on kernels of set 0, 1, ... are found; its name, or NULL where the processor has no such set. */
const char *mm_isa_use(int number);

/* The same on every instruction set. */
mm_kernel mm_math_kernel(int op, int type);                        /* libm, modulo and rounding to digits */
mm_kernel mm_mixed_kernel(int op, int type, int type2, int shape); /* comparisons among i64, u64 and f64 */
mm_kernel mm_unit_kernel(int type, int mode);                      /* timestamps and durations between units */

mm_kernel mm_distinct_kernel(void); /* lanes->state: a pointer to the mm_kernel of ~=, to NULL when there is none */

/* As mm_number_kernel, of a shape; kernels that have no loop of that shape read all lanes. */
mm_kernel mm_shaped_kernel(int op, int type, int type2, int mode, int shape);

/* The set of IN: a few values are compared one by one, whole numbers near each other are bits, others are hashed. */
enum mm_set_kind { SET_FEW, SET_SPAN, SET_HASH };
enum { SET_LINEAR = 16, SET_LINEAR_BYTES = 48 }; /* at most so many, in so many bytes */
typedef struct mm_set {
  enum mm_set_kind kind;
  int32_t count;            /* values of `few` */
  uint64_t few[SET_LINEAR]; /* bit patterns of the type */
  uint64_t *table;          /* SPAN: a bit for each number from `base` on; HASH: keys, or `empty` */
  int64_t words;            /* of the table */
  uint64_t base, span;      /* SPAN: numbers base .. base + span */
  uint64_t factor, empty;   /* HASH: `empty` is a value that is not in the set */
  uint32_t shift;           /* HASH: words is 2^(64 - shift) */
  bool apart;               /* HASH: every key is at its own place, none at the next */
} mm_set;
static inline uint64_t mm_set_place(const mm_set *set, uint64_t key) { return key * set->factor >> set->shift; }
static inline uint64_t mm_set_next(const mm_set *set, uint64_t place) {
  return (place + 1) & (~UINT64_C(0) >> set->shift);
}
mm_set *mm_set_new(const mm_value *values, int32_t count, int type, mm_error *error); /* of a storage type */
void mm_set_free(mm_set *set);
