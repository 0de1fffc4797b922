/* bitmap.h - bits: bit i of word i / 64, least significant first.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdbool.h>
#include <stdint.h>

static inline int64_t bit_words(int64_t bits) { return (bits + 63) >> 6; }
static inline bool bit_get(const uint64_t *bits, int64_t i) { return bits[i >> 6] >> (i & 63) & 1; }
static inline void bit_set(uint64_t *bits, int64_t i) { bits[i >> 6] |= UINT64_C(1) << (i & 63); }
static inline void bit_clear(uint64_t *bits, int64_t i) { bits[i >> 6] &= ~(UINT64_C(1) << (i & 63)); }
int64_t bits_count(const uint64_t *bits, int64_t n); /* set bits among the first n */
/* n bits from bit `start` of bytes to bit 0 of `to`; the rest of the last word becomes 0. Reads no byte beyond the last
 * bit. */
void bits_copy(uint64_t *to, const void *from, int64_t start, int64_t n);
/* n bits of `from` to bit `at` of `to`. */
void bits_put(uint64_t *to, int64_t at, const uint64_t *from, int64_t n);
/* Set the first n, clear the rest of the last word. */
void bits_fill(uint64_t *bits, int64_t n);
bool bits_all(const uint64_t *bits, int64_t n); /* the first n are all set */

/* The bits of word w that are among the first n, which it has some of. */
static inline uint64_t bits_word(const uint64_t *bits, int64_t w, int64_t n) {
  uint64_t word = bits[w];
  int64_t left = n - 64 * w;
  return left < 64 ? word & ((UINT64_C(1) << left) - 1) : word;
}
/* As bits_count, for code that is built once per instruction set. */
static inline int64_t bits_count_inline(const uint64_t *bits, int64_t n) {
  int64_t total = 0;
  for (int64_t w = 0; w < bit_words(n); w++) total += __builtin_popcountll(bits_word(bits, w, n));
  return total;
}
