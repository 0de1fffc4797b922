/* integer.c - integers and booleans from and to text.
 * SPDX-License-Identifier: MIT */
#include "text/integer.h"
#include "text/parse_short.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* ---- From text ---- */

/* More than 16 digits: the last 16 apart from those before. */
static int long_magnitude(const char *text, int64_t n, uint64_t *value) {
  for (int64_t i = 0; i < n; i++)
    if ((uint8_t)(text[i] - '0') > 9) return 1;
  uint64_t front = 0;
  for (int64_t i = 0; i < n - 16; i++) {
    front = front * 10 + (uint64_t)(text[i] - '0');
    if (front > 9999) return 2;
  }
  uint64_t high = eight_digits(digit_values(load_u64(text + n - 16), 8));
  uint64_t low = eight_digits(digit_values(load_u64(text + n - 8), 8));
  bool large = __builtin_mul_overflow(front, UINT64_C(10000000000000000), &front);
  bool larger = __builtin_add_overflow(front, high * 100000000 + low, value);
  return large || larger ? 2 : 0;
}

/* The value of n digits, as the mm_parse functions answer. */
static int magnitude(const char *text, int64_t n, uint64_t *value) {
  if (n <= 8) {
    if (n <= 0) return 1;
    uint64_t values = digit_values(load_short(text, n), n);
    *value = eight_digits(values);
    return not_digits(values) != 0;
  }
  if (n > 16) return long_magnitude(text, n, value);
  uint64_t high = digit_values(load_u64(text), n - 8), low = digit_values(load_u64(text + n - 8), 8);
  *value = eight_digits(high) * 100000000 + eight_digits(low);
  return (not_digits(high) | not_digits(low)) != 0;
}

static int parse_long_i64(const char *text, int64_t size, int64_t *value) {
  bool negative = *text == '-';
  int sign = negative | (*text == '+');
  uint64_t sum = 0;
  int status = magnitude(text + sign, size - sign, &sum);
  if (status) return status;
  if (sum > (uint64_t)INT64_MAX + negative) return 2;
  *value = (int64_t)(negative ? 0 - sum : sum);
  return 0;
}

int parse_i64(const char *text, int64_t size, int64_t *value) {
  if (size <= 0) return 1;
  if (size <= 8 && short_i64(load_short(text, size), size, value)) return 0;
  return parse_long_i64(text, size, value);
}

int parse_u64(const char *text, int64_t size, uint64_t *value) {
  if (size <= 0) return 1;
  bool negative = *text == '-';
  int sign = negative | (*text == '+');
  uint64_t sum = 0;
  int status = magnitude(text + sign, size - sign, &sum);
  if (status) return status;
  if (negative && sum) return 2;
  *value = sum;
  return 0;
}

int parse_bool(const char *text, int64_t size, bool *value) {
  if (size != 4 && size != 5) return 1;
  uint64_t word = load_short(text, size) | BYTES(0x20) >> (64 - 8 * size); /* lower case */
  *value = size == 4;
  return word != load_short(*value ? "true" : "false", size);
}

/* ---- To text ---- */

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

static int digit_count(uint64_t value) {
  static const uint64_t powers[20] = {0,
                                      10,
                                      100,
                                      1000,
                                      10000,
                                      100000,
                                      1000000,
                                      10000000,
                                      100000000,
                                      1000000000,
                                      10000000000,
                                      100000000000,
                                      1000000000000,
                                      10000000000000,
                                      100000000000000,
                                      1000000000000000,
                                      10000000000000000,
                                      100000000000000000,
                                      1000000000000000000,
                                      UINT64_C(10000000000000000000)};
  int guess = (64 - __builtin_clzll(value | 1)) * 1233 >> 12; /* bits * log10(2) */
  return guess + (value >= powers[guess]);
}

int format_u64(char *text, uint64_t value) {
  int n = digit_count(value);
  char *at = text + n;
  while (value >= 100) {
    memcpy(at -= 2, pairs + value % 100 * 2, 2);
    value /= 100;
  }
  if (value >= 10) memcpy(text, pairs + value * 2, 2);
  else *text = (char)('0' + value);
  return n;
}

int format_i64(char *text, int64_t value) {
  if (value >= 0) return format_u64(text, (uint64_t)value);
  *text = '-';
  return 1 + format_u64(text + 1, 0 - (uint64_t)value);
}
