/* digits.h - eight digits at a time in one 64-bit word; shared by the files of text/ that parse.
 * The first character of a text is the lowest byte of a word. "Values" are characters ^ '0': a digit is 0 to 9.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words of text are read as little-endian");

#define BYTES(x) (UINT64_C(0x0101010101010101) * (uint8_t)(x))

static inline uint64_t load_u64(const void *bytes) {
  uint64_t word;
  memcpy(&word, bytes, 8);
  return word;
}

/* The n = 1..8 characters of a text, zeros above; reads nothing beyond them. */
static inline uint64_t load_short(const char *text, int64_t n) {
  if (n >= 4) {
    uint32_t low, high;
    memcpy(&low, text, 4);
    memcpy(&high, text + n - 4, 4);
    return low | (uint64_t)high << (n - 4) * 8;
  }
  uint64_t first = (uint8_t)text[0], middle = (uint8_t)text[n >> 1], last = (uint8_t)text[n - 1];
  return first | middle << (n >> 1) * 8 | last << (n - 1) * 8;
}

/* The values of the lowest n = 1..8 characters, moved to the end of the word; zeros before them. */
static inline uint64_t digit_values(uint64_t word, int64_t n) { return (word ^ BYTES('0')) << (64 - 8 * n); }

/* 0 when all eight values are digits, else the lowest bit set is the high bit of the first that is not. */
static inline uint64_t not_digits(uint64_t values) { return ((values + BYTES(0x76)) | values) & BYTES(0x80); }

/* The number that eight digits spell: sums of neighbours, three times. */
static inline uint64_t eight_digits(uint64_t values) {
  values = values * (256 * 10 + 1) >> 8 & UINT64_C(0x00ff00ff00ff00ff);
  values = values * (65536 * 100 + 1) >> 16 & UINT64_C(0x0000ffff0000ffff);
  return values * ((UINT64_C(10000) << 32) + 1) >> 32;
}
