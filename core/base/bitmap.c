/* bitmap.c - runs of bits: filling, counting, and copying to and from any bit.
 * SPDX-License-Identifier: MIT */
#include "base/bitmap.h"
#include "base/cpu.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The lowest n bits, 0 < n <= 64. */
static uint64_t low(int64_t n) { return ~UINT64_C(0) >> (64 - n); }

void bits_fill(uint64_t *bits, int64_t n) {
  int64_t words = n >> 6;
  memset(bits, 0xff, (size_t)words * 8);
  if (n & 63) bits[words] = low(n & 63);
}

bool bits_all(const uint64_t *bits, int64_t n) {
  uint64_t every = ~UINT64_C(0);
  for (int64_t w = 0; w < n >> 6; w++) every &= bits[w];
  if (n & 63) every &= bits[n >> 6] | ~UINT64_C(0) << (n & 63);
  return every == ~UINT64_C(0);
}

void bits_copy(uint64_t *to, const void *from, int64_t start, int64_t n) {
  const uint8_t *bytes = (const uint8_t *)from + (start >> 3);
  int shift = start & 7;
  int64_t words = n >> 6, rest = n & 63;
  for (int64_t i = 0; i < words; i++) {
    uint64_t word;
    memcpy(&word, bytes + i * 8, 8);
    if (shift) word = word >> shift | (uint64_t)bytes[i * 8 + 8] << (64 - shift);
    to[i] = word;
  }
  if (rest) {
    uint64_t word = 0;
    int64_t size = (shift + rest + 7) >> 3; /* 1 .. 9 bytes */
    memcpy(&word, bytes + words * 8, (size_t)(size < 8 ? size : 8));
    word >>= shift;
    if (size > 8) word |= (uint64_t)bytes[words * 8 + 8] << (64 - shift);
    to[words] = word & low(rest);
  }
}

void bits_put(uint64_t *to, int64_t at, const uint64_t *from, int64_t n) {
  to += at >> 6;
  int shift = at & 63;
  for (int64_t done = 0; done < n; done += 64, to++, from++) {
    int64_t count = n - done < 64 ? n - done : 64;
    uint64_t mask = low(count), word = *from & mask;
    to[0] = (to[0] & ~(mask << shift)) | word << shift;
    if (shift + count > 64) to[1] = (to[1] & ~(mask >> (64 - shift))) | word >> (64 - shift);
  }
}

int64_t bits_count_base(const uint64_t *bits, int64_t n);
int64_t bits_count_avx2(const uint64_t *bits, int64_t n);
int64_t bits_count_avx512(const uint64_t *bits, int64_t n);

int64_t bits_count(const uint64_t *bits, int64_t n) {
  static int64_t (*const counters[])(const uint64_t *, int64_t) = CPU_EACH(bits_count);
  return counters[cpu_isa()](bits, n);
}
