/* hash_bytes.h - hashes of bytes and words, of which nobody outside this process sees the numbers but by `hash`.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, int64_t size, uint64_t seed); /* XXH3 */
static inline uint64_t hash_u64(uint64_t x) {                        /* murmur3's finaliser */
  x ^= x >> 33;
  x *= UINT64_C(0xff51afd7ed558ccd);
  x ^= x >> 33;
  x *= UINT64_C(0xc4ceb9fe1a85ec53);
  return x ^ x >> 33;
}
