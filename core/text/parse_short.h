/* parse_short.h - numbers in up to 16 characters, by words.
 *
 * DESIGN. A text of up to 8 (16) characters is moved to the end of one (two) words with zeros before it, so that its
 * length, its sign and the place of its point cost shifts and no loops.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "text/digits.h"
#include <stdbool.h>
#include <stdint.h>

/* 10^0 .. 10^22, all that are exact, and at POWERS_NEGATIVE + i their negatives. */
enum { POWERS_NEGATIVE = 32 };
extern const double powers_of_ten[2 * POWERS_NEGATIVE];

/* The shapes below are true when the text has that shape, and have done nothing when not. */

/* [-]digits of 1 to 8 characters, in the low bytes of `word`; the bytes above are ignored. */
static inline bool short_i64(uint64_t word, int64_t size, int64_t *value) {
  bool negative = (uint8_t)word == '-';
  int64_t n = size - negative;
  if (n == 0) return false;
  uint64_t values = digit_values(word >> 8 * negative, n);
  if (not_digits(values)) return false;
  int64_t sum = (int64_t)eight_digits(values);
  *value = (sum ^ -(int64_t)negative) + negative;
  return true;
}

/* Take the point out of `values`: what stands before it moves up, `before` comes in. Returns the digits after it, or -1
 * when something else is there. */
static inline int take_point(uint64_t *values, uint64_t others, uint64_t before) {
  int bit = __builtin_ctzll(others); /* the high bit of the first that is no digit */
  uint64_t through = others ^ (others - 1), upper = *values & through >> 8;
  if ((others & (others - 1)) != 0 || (uint8_t)(*values >> (bit - 7)) != ('.' ^ '0')) return -1;
  *values = (*values & ~through) | upper << 8 | before;
  return (63 - bit) >> 3;
}

/* [-]digits[.digits] of 1 to 8 characters. */
static inline bool short_f64(uint64_t word, int64_t size, double *value) {
  bool negative = (uint8_t)word == '-';
  int64_t n = size - negative;
  if (n == 0) return false;
  uint64_t values = digit_values(word >> 8 * negative, n), others = not_digits(values);
  int places = 0;
  if (others) {
    places = take_point(&values, others, 0);
    if (places < 0 || n == 1) return false;
  }
  *value = (double)(int32_t)eight_digits(values) / powers_of_ten[places + POWERS_NEGATIVE * negative];
  return true;
}

/* The same of 9 to 16 characters: the first 8 and the last 8. */
static inline bool medium_f64(uint64_t first, uint64_t last, int64_t size, double *value) {
  bool negative = (uint8_t)first == '-';
  uint64_t high = digit_values(first, size - 8), low = digit_values(last, 8);
  high &= UINT64_MAX << (128 - 8 * size) << 8 * negative; /* without the sign */
  uint64_t high_others = not_digits(high), low_others = not_digits(low);
  int places = 0;
  if (low_others) {
    places = take_point(&low, low_others, high >> 56);
    if (places < 0 || high_others) return false;
    high <<= 8;
  } else if (high_others) {
    places = take_point(&high, high_others, 0);
    if (places < 0) return false;
    places += 8;
  }
  int64_t sum = (int64_t)(eight_digits(high) * 100000000 + eight_digits(low));
  if (sum > INT64_C(1) << 53) return false;
  *value = (double)sum / powers_of_ten[places + POWERS_NEGATIVE * negative];
  return true;
}
