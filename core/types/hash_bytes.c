/* hash_bytes.c - hashes of bytes: XXH3 of libxxhash, compiled in.
 * SPDX-License-Identifier: MIT */
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "types/hash_bytes.h"
#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, int64_t size, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, (size_t)size, seed);
}
