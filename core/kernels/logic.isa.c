/* logic.isa.c - three-valued and, or, not; tests for null; select and coalesce of every width.
 * SPDX-License-Identifier: MIT */
#include "base/compiler.h"
#include "kernels/dispatch.h"
#ifdef __AVX512F__
#include <immintrin.h>
#endif

/* Bits of `valid`, all set when there is none. */
static inline uint64_t validity(const lane_vector *v, int64_t w) { return v->valid ? v->valid[w] : ~UINT64_C(0); }

static int and_bool(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                    const lane_vector *vc) {
  (void)vc;
  uint64_t *out = dst->data;
  const uint64_t *a = va->data, *b = vb->data;
  int64_t words = bit_words(lanes->n);
  if (!va->valid && !vb->valid) {
    for (int64_t w = 0; w < words; w++) out[w] = a[w] & b[w];
    dst->valid = NULL;
    return 0;
  }
  for (int64_t w = 0; w < words; w++) {
    uint64_t known_a = validity(va, w), known_b = validity(vb, w);
    uint64_t yes = a[w] & known_a & b[w] & known_b, no = (~a[w] & known_a) | (~b[w] & known_b);
    out[w] = yes;
    dst->valid[w] = yes | no;
  }
  return 0;
}

static int or_bool(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                   const lane_vector *vc) {
  (void)vc;
  uint64_t *out = dst->data;
  const uint64_t *a = va->data, *b = vb->data;
  int64_t words = bit_words(lanes->n);
  if (!va->valid && !vb->valid) {
    for (int64_t w = 0; w < words; w++) out[w] = a[w] | b[w];
    dst->valid = NULL;
    return 0;
  }
  for (int64_t w = 0; w < words; w++) {
    uint64_t known_a = validity(va, w), known_b = validity(vb, w);
    uint64_t yes = (a[w] & known_a) | (b[w] & known_b), no = ~a[w] & known_a & ~b[w] & known_b;
    out[w] = yes;
    dst->valid[w] = yes | no;
  }
  return 0;
}

static int not_bool(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                    const lane_vector *vc) {
  (void)vb, (void)vc;
  uint64_t *out = dst->data;
  const uint64_t *a = va->data;
  for (int64_t w = 0; w < bit_words(lanes->n); w++) out[w] = ~a[w];
  return 0;
}

static int is_null(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                   const lane_vector *vc) {
  (void)vb, (void)vc;
  uint64_t *out = dst->data;
  for (int64_t w = 0; w < bit_words(lanes->n); w++) out[w] = ~validity(va, w);
  dst->valid = NULL;
  return 0;
}

static int is_not_null(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                       const lane_vector *vc) {
  (void)vb, (void)vc;
  uint64_t *out = dst->data;
  for (int64_t w = 0; w < bit_words(lanes->n); w++) out[w] = validity(va, w);
  dst->valid = NULL;
  return 0;
}

static int is_true(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                   const lane_vector *vc) {
  (void)vb, (void)vc;
  uint64_t *out = dst->data;
  const uint64_t *a = va->data;
  for (int64_t w = 0; w < bit_words(lanes->n); w++) out[w] = a[w] & validity(va, w);
  dst->valid = NULL;
  return 0;
}

static int refuse(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                  const lane_vector *vc) {
  (void)vb, (void)vc;
  uint64_t *out = dst->data, any = 0;
  const uint64_t *a = va->data;
  for (int64_t w = 0; w < bit_words(lanes->n); w++) {
    out[w] = a[w];
    lanes_fail(lanes, w, a[w]);
    any |= a[w];
  }
  return any != 0;
}

/* ---- Choice: lanes of b where a bit is set, else of c ---- */

/* Lane by lane without branches: ^ and & let the compiler use vectors. */
#define CHOOSE(name, ctype)                                                                                            \
  static void name(void *to, const uint64_t *mask, const void *from_b, const void *from_c, int64_t words) {            \
    for (int64_t w = 0; w < words; w++) {                                                                              \
      ctype *restrict out = (ctype *)to + 64 * w;                                                                      \
      const ctype *b = (const ctype *)from_b + 64 * w, *c = (const ctype *)from_c + 64 * w;                            \
      uint64_t bits = mask[w];                                                                                         \
      for (int i = 0; i < 64; i++) out[i] = c[i] ^ ((b[i] ^ c[i]) & (ctype)(0 - (ctype)(bits >> i & 1)));              \
    }                                                                                                                  \
  }
CHOOSE(choose_1, uint8_t)
CHOOSE(choose_2, uint16_t)

#ifdef __AVX2__
/* Some lanes at a time: `pattern` has the bit of each lane, so that lanes & pattern is all of it or nothing. The
 * statement is done for vectors `at + i` of `lanes`; in `chosen` all bits of a lane are set where its bit of the
 * mask is. */
#define LANES(ctype)                                                                                                   \
  typedef ctype element;                                                                                               \
  typedef ctype lanes __attribute__((vector_size(32), aligned(sizeof(ctype))));                                        \
  enum { COUNT = 32 / sizeof(ctype), PARTS = 8 * sizeof(ctype) / COUNT }
#define EACH_LANES(mask, words, statement, ...)                                                                        \
  for (int64_t at = 0; at < words * 64 / COUNT; at += PARTS) {                                                         \
    element bits = (element)(mask[at * COUNT / 64] >> at * COUNT % 64);                                                \
    lanes pattern = {__VA_ARGS__}, all = pattern - pattern + bits;                                                     \
    for (int i = 0; i < PARTS; i++, pattern <<= COUNT) {                                                               \
      lanes chosen = (lanes)((all & pattern) == pattern);                                                              \
      statement;                                                                                                       \
    }                                                                                                                  \
  }

#define CHOOSE_WIDE(name, ctype, ...)                                                                                  \
  static void name(void *to, const uint64_t *mask, const void *from_b, const void *from_c, int64_t words) {            \
    LANES(ctype);                                                                                                      \
    lanes *restrict out = to;                                                                                          \
    const lanes *b = from_b, *c = from_c;                                                                              \
    EACH_LANES(mask, words, out[at + i] = (b[at + i] & chosen) | (c[at + i] & ~chosen), __VA_ARGS__)                   \
  }
CHOOSE_WIDE(choose_4, uint32_t, 1, 2, 4, 8, 16, 32, 64, 128)
CHOOSE_WIDE(choose_8, uint64_t, 1, 2, 4, 8)
#else
CHOOSE(choose_4, uint32_t)
CHOOSE(choose_8, uint64_t)
#endif

static void choose_16(void *to, const uint64_t *mask, const void *from_b, const void *from_c, int64_t words) {
  for (int64_t w = 0; w < words; w++) {
    text_view *out = (text_view *)to + 64 * w;
    const text_view *from[2] = {(const text_view *)from_c + 64 * w, (const text_view *)from_b + 64 * w};
    for (int i = 0; i < 64; i++) out[i] = from[mask[w] >> i & 1][i];
  }
}

static void choose_bits(void *to, const uint64_t *mask, const void *from_b, const void *from_c, int64_t words) {
  uint64_t *out = to;
  const uint64_t *b = from_b, *c = from_c;
  for (int64_t w = 0; w < words; w++) out[w] = (b[w] & mask[w]) | (c[w] & ~mask[w]);
}

typedef void (*chooser)(void *to, const uint64_t *mask, const void *b, const void *c, int64_t words);

ALWAYS_INLINE int select_loop(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                              const lane_vector *vc, chooser choose) {
  uint64_t mask[MM_VECTOR / 64] = {0};
  const uint64_t *a = va->data;
  int64_t words = bit_words(lanes->n);
  for (int64_t w = 0; w < words; w++) mask[w] = a[w] & validity(va, w);
  if (choose) choose(dst->data, mask, vb->data, vc->data, words);
  if (!vb->valid && !vc->valid) {
    dst->valid = NULL;
    return 0;
  }
  for (int64_t w = 0; w < words; w++) dst->valid[w] = (validity(vb, w) & mask[w]) | (validity(vc, w) & ~mask[w]);
  return 0;
}

ALWAYS_INLINE int coalesce_loop(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                                chooser choose) {
  uint64_t mask[MM_VECTOR / 64] = {0};
  int64_t words = bit_words(lanes->n);
  for (int64_t w = 0; w < words; w++) mask[w] = validity(va, w);
  if (choose) choose(dst->data, mask, va->data, vb->data, words);
  if (!va->valid || !vb->valid) {
    dst->valid = NULL;
    return 0;
  }
  for (int64_t w = 0; w < words; w++) dst->valid[w] = va->valid[w] | vb->valid[w];
  return 0;
}

#define CHOICES(suffix, choose)                                                                                        \
  static int select_##suffix(kernel_lanes *l, lane_vector *d, const lane_vector *a, const lane_vector *b,              \
                             const lane_vector *c) {                                                                   \
    return select_loop(l, d, a, b, c, choose);                                                                         \
  }                                                                                                                    \
  static int coalesce_##suffix(kernel_lanes *l, lane_vector *d, const lane_vector *a, const lane_vector *b,            \
                               const lane_vector *c) {                                                                 \
    (void)c;                                                                                                           \
    return coalesce_loop(l, d, a, b, choose);                                                                          \
  }
CHOICES(0, NULL)
CHOICES(1, choose_1)
CHOICES(2, choose_2)
CHOICES(4, choose_4)
CHOICES(8, choose_8)
CHOICES(16, choose_16)
CHOICES(bits, choose_bits)

/* ---- Zero in lanes that are null ---- */

#ifdef __AVX512BW__
/* Zeros are stored under a mask, and nothing is loaded. */
#define BLANK(name, ctype, mask, store)                                                                                \
  static void name(void *values, const uint64_t *valid, int64_t words) {                                               \
    enum { COUNT = 64 / sizeof(ctype) };                                                                               \
    for (int64_t w = 0; w < words; w++) {                                                                              \
      uint64_t nulls = ~valid[w];                                                                                      \
      ctype *out = (ctype *)values + 64 * w;                                                                           \
      if (!nulls) continue;                                                                                            \
      for (int i = 0; i < 64; i += COUNT) store(out + i, (mask)(nulls >> i), _mm512_setzero_si512());                  \
    }                                                                                                                  \
  }
BLANK(blank_1, uint8_t, __mmask64, _mm512_mask_storeu_epi8)
BLANK(blank_2, uint16_t, __mmask32, _mm512_mask_storeu_epi16)
BLANK(blank_4, uint32_t, __mmask16, _mm512_mask_storeu_epi32)
BLANK(blank_8, uint64_t, __mmask8, _mm512_mask_storeu_epi64)
#else
#define BLANK(name, ctype)                                                                                             \
  static void name(void *values, const uint64_t *valid, int64_t words) {                                               \
    for (int64_t w = 0; w < words; w++) {                                                                              \
      ctype *out = (ctype *)values + 64 * w;                                                                           \
      uint64_t bits = valid[w];                                                                                        \
      if (bits == ~UINT64_C(0)) continue;                                                                              \
      for (int i = 0; i < 64; i++) out[i] &= (ctype)(0 - (ctype)(bits >> i & 1));                                      \
    }                                                                                                                  \
  }
BLANK(blank_1, uint8_t)
BLANK(blank_2, uint16_t)
#ifdef __AVX2__
#define BLANK_WIDE(name, ctype, ...)                                                                                   \
  static void name(void *values, const uint64_t *valid, int64_t words) {                                               \
    LANES(ctype);                                                                                                      \
    lanes *out = values;                                                                                               \
    EACH_LANES(valid, words, out[at + i] &= chosen, __VA_ARGS__)                                                       \
  }
BLANK_WIDE(blank_4, uint32_t, 1, 2, 4, 8, 16, 32, 64, 128)
BLANK_WIDE(blank_8, uint64_t, 1, 2, 4, 8)
#else
BLANK(blank_4, uint32_t)
BLANK(blank_8, uint64_t)
#endif
#endif

void PASTE(zero_nulls, ISA)(void *values, const uint64_t *valid, int64_t words, int64_t width) {
  switch (width) {
  case 0: /* bits */
    for (int64_t w = 0; w < words; w++) ((uint64_t *)values)[w] &= valid[w];
    break;
  case 1: blank_1(values, valid, words); break;
  case 2: blank_2(values, valid, words); break;
  case 4: blank_4(values, valid, words); break;
  default: blank_8(values, valid, words); break;
  }
}

/* ---- The table ---- */

#define OF_BOOL(OP, kernel) {OP_##OP, MM_BOOL, MM_NULL, kernel, NULL},
#define CHOICE(E, width)                                                                                               \
  {OP_SELECT, MM_##E, MM_NULL, select_##width, NULL}, {OP_COALESCE, MM_##E, MM_NULL, coalesce_##width, NULL},
#define OF_ANY(E) {OP_IS_NULL, MM_##E, MM_NULL, is_null, NULL}, {OP_IS_NOT_NULL, MM_##E, MM_NULL, is_not_null, NULL},

/* clang-format off */
static const kernel_entry entries[] = {
  OF_BOOL(AND, and_bool) OF_BOOL(OR, or_bool) OF_BOOL(NOT, not_bool) OF_BOOL(IS_TRUE, is_true) OF_BOOL(REFUSE, refuse)
  CHOICE(NULL, 0) CHOICE(BOOL, bits) CHOICE(UTF8, 16)
  CHOICE(I8, 1) CHOICE(I16, 2) CHOICE(I32, 4) CHOICE(I64, 8)
  CHOICE(U8, 1) CHOICE(U16, 2) CHOICE(U32, 4) CHOICE(U64, 8) CHOICE(F32, 4) CHOICE(F64, 8)
  OF_ANY(NULL) OF_ANY(BOOL) OF_ANY(UTF8) OF_ANY(OPAQUE)
  OF_ANY(I8) OF_ANY(I16) OF_ANY(I32) OF_ANY(I64) OF_ANY(U8) OF_ANY(U16) OF_ANY(U32) OF_ANY(U64) OF_ANY(F32) OF_ANY(F64)
};
/* clang-format on */
const kernel_table PASTE(logic_table, ISA) = {entries, sizeof entries / sizeof *entries};
