/* text_offsets.isa.c - looks at many texts at once: plain loops over offsets, which compilers turn into vectors.
 * SPDX-License-Identifier: MIT */
#include "kernels/text/text_offsets.h"
#include "base/compiler.h"
#ifdef __AVX2__
#include <immintrin.h>
#endif

void PASTE(texts_view, ISA)(text_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n);
bool PASTE(bytes_are_ascii, ISA)(const uint8_t *bytes, int64_t n);
int32_t PASTE(texts_common_size, ISA)(const int32_t *offsets, int64_t n);

int32_t PASTE(texts_common_size, ISA)(const int32_t *offsets, int64_t n) {
  enum { BLOCK = 64 };
  int32_t size = offsets[1] - offsets[0], differences = 0;
  int64_t i = 0;
  for (; i + BLOCK <= n && !differences; i += BLOCK)
    for (int k = 0; k < BLOCK; k++) differences |= (offsets[i + k + 1] - offsets[i + k]) ^ size;
  for (; i < n; i++) differences |= (offsets[i + 1] - offsets[i]) ^ size;
  return differences ? -1 : size;
}

bool PASTE(bytes_are_ascii, ISA)(const uint8_t *bytes, int64_t n) {
  enum { BLOCK = 64 };
  uint8_t seen = 0;
  int64_t i = 0;
  for (; i + BLOCK <= n && seen < 0x80; i += BLOCK)
    for (int k = 0; k < BLOCK; k++) seen |= bytes[i + k];
  for (; i < n; i++) seen |= bytes[i];
  return seen < 0x80;
}

void PASTE(texts_view, ISA)(text_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n) {
  int64_t i = 0;
#ifdef __AVX2__ /* compilers do not interleave addresses and sizes by themselves */
  const __m256i base = _mm256_set1_epi64x((int64_t)(uintptr_t)bytes);
  for (; i + 4 <= n; i += 4) {
    __m128i first = _mm_loadu_si128((const __m128i *)(const void *)(offsets + i));
    __m128i end = _mm_loadu_si128((const __m128i *)(const void *)(offsets + i + 1));
    __m256i at = _mm256_add_epi64(base, _mm256_cvtepi32_epi64(first));
    __m256i size = _mm256_cvtepi32_epi64(_mm_sub_epi32(end, first));
    __m256i even = _mm256_unpacklo_epi64(at, size), odd = _mm256_unpackhi_epi64(at, size);
    _mm256_storeu_si256((__m256i *)(void *)(to + i), _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256((__m256i *)(void *)(to + i + 2), _mm256_permute2x128_si256(even, odd, 0x31));
  }
#endif
  for (; i < n; i++) to[i] = (text_view){bytes + offsets[i], offsets[i + 1] - offsets[i]};
}
