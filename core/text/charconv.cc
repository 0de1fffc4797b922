// charconv.cc - the C++ library's number conversions: correctly rounded and shortest, without locale or allocation.
// SPDX-License-Identifier: MIT
#include "text/charconv.h"
#include <charconv>

template <class T> static int from_decimal(const char *text, int64_t size, T *value) noexcept {
  return std::from_chars(text, text + size, *value, std::chars_format::general).ec == std::errc();
}

template <class T> static int to_scientific(char *text, T value) noexcept {
  return static_cast<int>(std::to_chars(text, text + 32, value, std::chars_format::scientific).ptr - text);
}

int from_decimal_f64(const char *text, int64_t size, double *value) { return from_decimal(text, size, value); }
int from_decimal_f32(const char *text, int64_t size, float *value) { return from_decimal(text, size, value); }
int to_scientific_f64(char *text, double value) { return to_scientific(text, value); }
int to_scientific_f32(char *text, float value) { return to_scientific(text, value); }
