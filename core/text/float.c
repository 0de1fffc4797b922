/* float.c - floats from and to text.
 *
 * DESIGN. A text is first scanned into digits and a power of ten. When both are exact as doubles, one multiplication or
 * division rounds correctly (Clinger's fast path), which covers nearly all of what files hold; the rest goes to the C++
 * library. Numbers are written with the fewest digits that read back to the same value; the form is that of Python:
 * plain from 1e-4 up to below 1e16 with at least one digit after the point (1024.0), else with an exponent of at least
 * two digits (1e+300, 1.5e-07); nan, inf, -inf.
 * SPDX-License-Identifier: MIT */
#include "text/float.h"
#include "text/charconv.h"
#include "text/integer.h"
#include "text/parse_short.h"
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* digits * 10^exponent, unless `inexact`: then some digits are missing and only the magnitude is right. */
typedef struct decimal {
  uint64_t digits;
  int64_t exponent;
  bool inexact;
} decimal;

/* ---- From text ---- */

/* Digits from `at` on into *sum, as long as there are at most 19 significant ones; *kept counts those taken. */
static inline const char *scan_digits(const char *at, const char *end, uint64_t *sum, int *kept, int64_t *left_out) {
  while (end - at >= 8 && *kept <= 11) {
    uint64_t values = digit_values(load_u64(at), 8);
    if (not_digits(values)) break;
    *sum = *sum * 100000000 + eight_digits(values);
    if (*sum) *kept += 8; /* zeros in front may be counted: that only leaves fewer digits for the fast path */
    at += 8;
  }
  for (; at < end && (uint8_t)(*at - '0') <= 9; at++) {
    if (*kept >= 19) {
      ++*left_out;
      continue;
    }
    *sum = *sum * 10 + (uint8_t)(*at - '0');
    *kept += *sum != 0;
  }
  return at;
}

static bool scan_exponent(const char *at, const char *end, int64_t *exponent) {
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  if (at == end) return false;
  int64_t sum = 0;
  for (; at < end && (uint8_t)(*at - '0') <= 9; at++)
    if (sum < INT64_MAX / 100) sum = sum * 10 + (*at - '0');
  *exponent += negative ? -sum : sum;
  return at == end;
}

/* digits [. digits] [e [sign] digits], with a digit before or after the point. */
static bool scan_decimal(const char *text, const char *end, decimal *number) {
  uint64_t sum = 0;
  int kept = 0;
  int64_t beyond = 0, ignored = 0;
  const char *at = scan_digits(text, end, &sum, &kept, &beyond);
  int64_t seen = at - text, exponent = beyond;
  if (at < end && *at == '.') {
    const char *point = ++at;
    at = scan_digits(at, end, &sum, &kept, &ignored);
    seen += at - point;
    exponent -= at - point - ignored;
  }
  if (!seen) return false;
  number->digits = sum;
  number->exponent = exponent;
  number->inexact = beyond + ignored > 0;
  if (at == end) return true;
  if ((*at | 0x20) != 'e') return false;
  return scan_exponent(at + 1, end, &number->exponent);
}

static bool same_letters(const char *text, int64_t size, const char *word) {
  if (size != (int64_t)strlen(word)) return false;
  for (int64_t i = 0; i < size; i++) {
    char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != word[i]) return false;
  }
  return true;
}

/* inf, infinity or nan, after the sign. */
static int parse_special(const char *text, int64_t size, double *value) {
  if (same_letters(text, size, "nan")) *value = NAN;
  else if (same_letters(text, size, "inf") || same_letters(text, size, "infinity")) *value = INFINITY;
  else return 1;
  return 0;
}

/* After the sign. */
static int parse_magnitude_f64(const char *text, int64_t size, double *value) {
  decimal number;
  if (!scan_decimal(text, text + size, &number)) return parse_special(text, size, value);
  if (!number.inexact && number.digits <= UINT64_C(1) << 53 && number.exponent >= -22 && number.exponent <= 22) {
    double digits = (double)(int64_t)number.digits;
    *value = number.exponent < 0 ? digits / powers_of_ten[-number.exponent] : digits * powers_of_ten[number.exponent];
    return 0;
  }
  if (from_decimal_f64(text, size, value)) return 0;
  if (number.exponent > 0 && number.digits) return 2;
  *value = 0; /* too small: rounds to zero */
  return 0;
}

int parse_f64(const char *text, int64_t size, double *value) {
  if (size <= 0) return 1;
  if (size <= 8) {
    if (short_f64(load_short(text, size), size, value)) return 0;
  } else if (size <= 16) {
    if (medium_f64(load_u64(text), load_u64(text + size - 8), size, value)) return 0;
  }
  bool negative = *text == '-';
  int sign = negative | (*text == '+');
  double result;
  int status = parse_magnitude_f64(text + sign, size - sign, &result);
  if (status) return status;
  *value = negative ? -result : result;
  return 0;
}

static int parse_magnitude_f32(const char *text, int64_t size, float *value) {
  decimal number;
  if (!scan_decimal(text, text + size, &number)) {
    double special;
    int status = parse_special(text, size, &special);
    if (!status) *value = (float)special;
    return status;
  }
  if (!number.inexact && number.digits <= 1 << FLT_MANT_DIG && number.exponent >= -10 && number.exponent <= 10) {
    float digits = (float)(int32_t)number.digits;
    *value = number.exponent < 0 ? digits / (float)powers_of_ten[-number.exponent]
                                 : digits * (float)powers_of_ten[number.exponent];
    return 0;
  }
  if (from_decimal_f32(text, size, value)) return 0;
  if (number.exponent > 0 && number.digits) return 2;
  *value = 0;
  return 0;
}

int parse_f32(const char *text, int64_t size, float *value) {
  if (size <= 0) return 1;
  bool negative = *text == '-';
  int sign = negative | (*text == '+');
  float result;
  int status = parse_magnitude_f32(text + sign, size - sign, &result);
  if (status) return status;
  *value = negative ? -result : result;
  return 0;
}

/* ---- To text ---- */

/* Put d[.d...]e+dd into the plain form where its exponent asks for it. Returns the length. */
static int lay_out(char *text, const char *digits, int size) {
  int mark = size - 4; /* the exponent has two or three digits */
  if (digits[mark] != 'e') mark--;
  int exponent = 0;
  for (int i = mark + 2; i < size; i++) exponent = exponent * 10 + (digits[i] - '0');
  if (digits[mark + 1] == '-') exponent = -exponent;
  if (exponent < -4 || exponent >= 16) {
    memcpy(text, digits, (size_t)size);
    return size;
  }
  char all[32];
  int n = mark > 1 ? mark - 1 : 1;
  all[0] = digits[0];
  if (mark > 1) memcpy(all + 1, digits + 2, (size_t)(mark - 2));
  char *at = text;
  if (exponent < 0) {
    *at++ = '0';
    *at++ = '.';
    for (int i = exponent + 1; i < 0; i++) *at++ = '0';
    memcpy(at, all, (size_t)n);
    return (int)(at + n - text);
  }
  for (int i = 0; i <= exponent; i++) *at++ = i < n ? all[i] : '0';
  *at++ = '.';
  if (n <= exponent + 1) *at++ = '0';
  for (int i = exponent + 1; i < n; i++) *at++ = all[i];
  return (int)(at - text);
}

/* A number of at most six digits after the point: value == scaled / 10^6. At least one digit is kept. */
static int format_scaled(char *text, uint64_t scaled) {
  int n = format_u64(text, scaled / 1000000);
  uint32_t fraction = (uint32_t)(scaled % 1000000);
  text[n++] = '.';
  int places = 6;
  while (places > 1 && fraction % 10 == 0) {
    fraction /= 10;
    places--;
  }
  for (int i = places; i-- > 0; fraction /= 10) text[n + i] = (char)('0' + fraction % 10);
  return n + places;
}

static int format_whole(char *text, uint64_t value) {
  int n = format_u64(text, value);
  text[n] = '.';
  text[n + 1] = '0';
  return n + 2;
}

static int format_word(char *text, const char *word) {
  int n = (int)strlen(word);
  memcpy(text, word, (size_t)n);
  return n;
}

int format_f64(char *text, double value) {
  if (isnan(value)) return format_word(text, "nan");
  int sign = signbit(value) != 0;
  *text = '-';
  text += sign;
  value = fabs(value);
  if (value < 0x1p53 && (double)(int64_t)value == value) return sign + format_whole(text, (uint64_t)value);
  if (value < 1e9 && value >= 1e-4) {
    /* Up to 15 digits name at most one double each: digits that read back to the value are the shortest. */
    int64_t scaled = (int64_t)(value * 1e6 + 0.5);
    if ((double)scaled / 1e6 == value) return sign + format_scaled(text, (uint64_t)scaled);
  }
  if (isinf(value)) return sign + format_word(text, "inf");
  char digits[32];
  return sign + lay_out(text, digits, to_scientific_f64(digits, value));
}

int format_f32(char *text, float value) {
  if (isnan(value)) return format_word(text, "nan");
  int sign = signbit(value) != 0;
  *text = '-';
  text += sign;
  value = fabsf(value);
  if (isinf(value)) return sign + format_word(text, "inf");
  if (value < 0x1p24f && (float)(int32_t)value == value) return sign + format_whole(text, (uint64_t)value);
  char digits[32];
  return sign + lay_out(text, digits, to_scientific_f32(digits, value));
}
