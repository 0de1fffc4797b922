/* flags.h - a byte of each lane to a bit of each lane, and back.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdint.h>
#include <string.h>

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
