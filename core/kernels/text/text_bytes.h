/* text_bytes.h - bytes of text, a word at a time.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "kernels/kernel.h"
#include "text/digits.h"
#include <string.h>

static inline bool bytes_equal(const uint8_t *a, const uint8_t *b, int64_t n) {
  if (n > 16) return memcmp(a, b, (size_t)n) == 0;
  if (n >= 8) return ((load_u64(a) ^ load_u64(b)) | (load_u64(a + n - 8) ^ load_u64(b + n - 8))) == 0;
  return n <= 0 || load_short((const char *)a, n) == load_short((const char *)b, n);
}

static inline uint8_t *put_bytes(uint8_t *to, const uint8_t *from, int64_t n) {
  if (n > 16) {
    memcpy(to, from, (size_t)n);
  } else if (n >= 8) {
    uint64_t first = load_u64(from), last = load_u64(from + n - 8);
    memcpy(to, &first, 8);
    memcpy(to + n - 8, &last, 8);
  } else {
    for (int64_t i = 0; i < n; i++) to[i] = from[i];
  }
  return to + n;
}

static inline bool is_ascii(text_view text) {
  const uint8_t *at = text.bytes;
  int64_t n = text.size;
  for (; n > 8; n -= 8, at += 8)
    if (load_u64(at) & BYTES(0x80)) return false;
  return n <= 0 || !(load_short((const char *)at, n) & BYTES(0x80));
}

/* Characters: bytes that do not continue one. */
static inline int64_t count_characters(const uint8_t *at, int64_t n) {
  int64_t others = 0;
  for (int64_t i = 0; i < n;) {
    uint64_t word;
    if (n - i >= 8) {
      word = load_u64(at + i);
      i += 8;
    } else {
      word = load_short((const char *)at + i, n - i);
      i = n;
    }
    uint64_t flags = word >> 7 & ~word >> 6 & BYTES(1);
    others += (int64_t)(flags * BYTES(1) >> 56);
  }
  return n - others;
}

/* Bytes of the character at `at`; valid UTF-8 is assumed. */
static inline int character_size(const uint8_t *at) { return *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4; }
