/* compress.isa.c - selected rows to the front: by width of a value, and bits.
 * Nothing is written beyond the selected rows' values, and `to` may equal `from`.
 * SPDX-License-Identifier: MIT */
#include "base/compiler.h"
#include "kernels/dispatch.h"
#include <string.h>
#ifdef __BMI2__
#include <immintrin.h>
#endif

#ifdef __AVX2__
/* Places of the set bits of a byte, first to last. */
static inline __m128i places_of(unsigned mask) {
  uint64_t bytes = _pdep_u64(mask, UINT64_C(0x0101010101010101)) * 0xFF;
  return _mm_cvtsi64_si128((long long)_pext_u64(UINT64_C(0x0706050403020100), bytes));
}

/* The 32-bit halves of the selected ones of four 64-bit lanes, first to last. */
#define HALVES(a, b, c, d)                                                                                             \
  { 2 * (a), 2 * (a) + 1, 2 * (b), 2 * (b) + 1, 2 * (c), 2 * (c) + 1, 2 * (d), 2 * (d) + 1 }
static const uint32_t halves_of[16][8]
    __attribute__((aligned(32))) = {HALVES(0, 0, 0, 0), HALVES(0, 0, 0, 0), HALVES(1, 0, 0, 0), HALVES(0, 1, 0, 0),
                                    HALVES(2, 0, 0, 0), HALVES(0, 2, 0, 0), HALVES(1, 2, 0, 0), HALVES(0, 1, 2, 0),
                                    HALVES(3, 0, 0, 0), HALVES(0, 3, 0, 0), HALVES(1, 3, 0, 0), HALVES(0, 1, 3, 0),
                                    HALVES(2, 3, 0, 0), HALVES(0, 2, 3, 0), HALVES(1, 2, 3, 0), HALVES(0, 1, 2, 3)};

/* The selected values of a word of 64 lanes, as long as there is room for a whole register's store; `roomy`: for all
 * of them there is. Returns lanes done. */
ALWAYS_INLINE int pack_8(uint64_t *to, const uint64_t *from, uint64_t bits, bool roomy, int64_t room, int64_t *filled) {
  int lane = 0;
  for (; lane < 64 && (roomy || *filled + 4 <= room); lane += 4) {
    unsigned mask = (unsigned)(bits >> lane) & 15;
    __m256i pairs = _mm256_load_si256((const __m256i *)(const void *)halves_of[mask]);
    __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(from + lane));
    _mm256_storeu_si256((__m256i *)(void *)(to + *filled), _mm256_permutevar8x32_epi32(x, pairs));
    *filled += __builtin_popcount(mask);
  }
  return lane;
}
ALWAYS_INLINE int pack_4(uint32_t *to, const uint32_t *from, uint64_t bits, bool roomy, int64_t room, int64_t *filled) {
  int lane = 0;
  for (; lane < 64 && (roomy || *filled + 8 <= room); lane += 8) {
    unsigned mask = (unsigned)(bits >> lane) & 255;
    __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(from + lane));
    x = _mm256_permutevar8x32_epi32(x, _mm256_cvtepu8_epi32(places_of(mask)));
    _mm256_storeu_si256((__m256i *)(void *)(to + *filled), x);
    *filled += __builtin_popcount(mask);
  }
  return lane;
}
ALWAYS_INLINE int pack_2(uint16_t *to, const uint16_t *from, uint64_t bits, bool roomy, int64_t room, int64_t *filled) {
  const __m128i pair = _mm_set1_epi16(0x0100);
  int lane = 0;
  for (; lane < 64 && (roomy || *filled + 8 <= room); lane += 8) {
    unsigned mask = (unsigned)(bits >> lane) & 255;
    __m128i places = _mm_unpacklo_epi8(places_of(mask), places_of(mask));
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(from + lane));
    x = _mm_shuffle_epi8(x, _mm_add_epi8(_mm_add_epi8(places, places), pair));
    _mm_storeu_si128((__m128i *)(void *)(to + *filled), x);
    *filled += __builtin_popcount(mask);
  }
  return lane;
}
ALWAYS_INLINE int pack_1(uint8_t *to, const uint8_t *from, uint64_t bits, bool roomy, int64_t room, int64_t *filled) {
  int lane = 0;
  for (; lane < 64 && (roomy || *filled + 8 <= room); lane += 8) {
    unsigned mask = (unsigned)(bits >> lane) & 255;
    __m128i x = _mm_shuffle_epi8(_mm_loadl_epi64((const __m128i *)(const void *)(from + lane)), places_of(mask));
    _mm_storel_epi64((__m128i *)(void *)(to + *filled), x);
    *filled += __builtin_popcount(mask);
  }
  return lane;
}
#else
#define pack_8(to, from, bits, roomy, room, filled) 0
#define pack_4(to, from, bits, roomy, room, filled) 0
#define pack_2(to, from, bits, roomy, room, filled) 0
#define pack_1(to, from, bits, roomy, room, filled) 0
#endif
#define pack_16(to, from, bits, roomy, room, filled) 0

enum { SPARSE = 12 }; /* set bits of a word below which they are visited one by one */

/* The rest of a word, from `lane` on: one by one when few, else every lane is written and the next one overwrites
 * it. */
#define COMPRESS(width, ctype)                                                                                         \
  static int64_t compress_##width(ctype *to, const ctype *from, const uint64_t *selected, int64_t n, int64_t total) {  \
    int64_t filled = 0;                                                                                                \
    for (int64_t w = 0; filled < total; w++) {                                                                         \
      uint64_t bits = bits_word(selected, w, n);                                                                       \
      const ctype *x = from + 64 * w;                                                                                  \
      int count = __builtin_popcountll(bits), lane = 0;                                                                \
      if (count == 64) {                                                                                               \
        memmove(to + filled, x, 64 * sizeof *to);                                                                      \
        filled += 64;                                                                                                  \
        continue;                                                                                                      \
      }                                                                                                                \
      if (count >= SPARSE) {                                                                                           \
        bool whole = 64 * w + 64 <= n;                                                                                 \
        if (whole && filled + count + 8 <= total) lane = pack_##width(to, x, bits, true, total, &filled);              \
        else if (whole) lane = pack_##width(to, x, bits, false, total, &filled);                                       \
        for (; lane < 64 && filled < total; lane++) {                                                                  \
          to[filled] = x[lane];                                                                                        \
          filled += (int64_t)(bits >> lane & 1);                                                                       \
        }                                                                                                              \
      } else {                                                                                                         \
        for (; bits; bits &= bits - 1) to[filled++] = x[__builtin_ctzll(bits)];                                        \
      }                                                                                                                \
    }                                                                                                                  \
    return total;                                                                                                      \
  }
COMPRESS(1, uint8_t)
COMPRESS(2, uint16_t)
COMPRESS(4, uint32_t)
COMPRESS(8, uint64_t)
COMPRESS(16, text_view)

int64_t PASTE(compress_values, ISA)(void *to, const void *from, const uint64_t *selected, int64_t n, int64_t width) {
  int64_t total = bits_count_inline(selected, n);
  switch (width) {
  case 1: return compress_1(to, from, selected, n, total);
  case 2: return compress_2(to, from, selected, n, total);
  case 4: return compress_4(to, from, selected, n, total);
  case 8: return compress_8(to, from, selected, n, total);
  case 16: return compress_16(to, from, selected, n, total);
  default: return total;
  }
}

static inline uint64_t extract_bits(uint64_t bits, uint64_t mask) {
#ifdef __BMI2__
  return _pext_u64(bits, mask);
#else
  uint64_t packed = 0;
  for (int at = 0; mask; mask &= mask - 1) packed |= (bits >> __builtin_ctzll(mask) & 1) << at++;
  return packed;
#endif
}

int64_t PASTE(compress_bits, ISA)(uint64_t *to, int64_t at, const uint64_t *from, const uint64_t *selected, int64_t n) {
  int64_t start = at;
  for (int64_t w = 0; w < bit_words(n); w++) {
    uint64_t mask = bits_word(selected, w, n);
    if (!mask) continue;
    uint64_t packed = extract_bits(from[w], mask);
    int count = __builtin_popcountll(mask), shift = at & 63;
    uint64_t *word = to + (at >> 6);
    *word = (shift ? *word & ((UINT64_C(1) << shift) - 1) : 0) | packed << shift;
    if (shift + count > 64) word[1] = packed >> (64 - shift);
    at += count;
  }
  return at - start;
}
