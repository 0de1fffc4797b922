/* parse_inline.h - short numbers from text, inlined: for loops that parse every value of a column.
 * What is longer than 16 characters or has another form takes the mm_parse functions. The quick_parse functions answer
 * the same as those; they may read 16 bytes from the start of the text, whatever its size.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "text/float.h"
#include "text/integer.h"
#include "text/parse_short.h"
#include <stdint.h>

static inline int quick_parse_i64(const char *text, int64_t size, int64_t *value) {
  if (size >= 1 && size <= 8 && short_i64(load_u64(text), size, value)) return 0;
  return parse_i64(text, size, value);
}

static inline int quick_parse_f64(const char *text, int64_t size, double *value) {
  if (size >= 1 && size <= 8 && short_f64(load_u64(text), size, value)) return 0;
  if (size >= 9 && size <= 16 && medium_f64(load_u64(text), load_u64(text + size - 8), size, value)) return 0;
  return parse_f64(text, size, value);
}
