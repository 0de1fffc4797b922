/* text_trim.c - trim, ltrim, rtrim: text without white space at its ends. White space is what Unicode gives that
 * property: the ASCII blanks (tab, line feed, vertical tab, form feed, carriage return, space), U+0085, U+00A0, U+1680,
 * U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F and U+3000.
 * SPDX-License-Identifier: MIT */
#include "kernels/text/text_kernel.h"

static inline bool is_ascii_blank(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Bytes of the blank of two or three bytes at `at`, of which `n` may be read; 0 when there is none. */
static int wide_blank(const uint8_t *at, int64_t n) {
  if (n >= 2 && at[0] == 0xc2 && (at[1] == 0x85 || at[1] == 0xa0)) return 2;
  if (n < 3) return 0;
  unsigned three = (unsigned)at[0] << 16 | (unsigned)at[1] << 8 | at[2];
  bool blank = three == 0xe19a80 || (three >= 0xe28080 && three <= 0xe2808a) || three == 0xe280a8 || three == 0xe280a9
               || three == 0xe280af || three == 0xe2819f || three == 0xe38080;
  return blank ? 3 : 0;
}

static inline text_view trim_left(text_view text) {
  while (text.size > 0) {
    int n = is_ascii_blank(*text.bytes) ? 1 : *text.bytes >= 0xc2 ? wide_blank(text.bytes, text.size) : 0;
    if (!n) break;
    text.bytes += n;
    text.size -= n;
  }
  return text;
}

static inline text_view trim_right(text_view text) {
  while (text.size > 0) {
    const uint8_t *end = text.bytes + text.size;
    int n = is_ascii_blank(end[-1]) ? 1 : 0;
    if (end[-1] >= 0x80) {
      if (text.size >= 2 && wide_blank(end - 2, 2) == 2) n = 2;
      if (text.size >= 3 && wide_blank(end - 3, 3) == 3) n = 3;
    }
    if (!n) break;
    text.size -= n;
  }
  return text;
}

#define TRIM(name, result)                                                                                             \
  static int name(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,                   \
                  const lane_vector *c) {                                                                              \
    (void)b, (void)c;                                                                                                  \
    const text_view *x = a->data;                                                                                      \
    text_view *out = dst->data;                                                                                        \
    for (int64_t i = 0; i < lanes->n; i++) out[i] = result;                                                            \
    return 0;                                                                                                          \
  }
TRIM(trim, trim_right(trim_left(x[i])))
TRIM(ltrim, trim_left(x[i]))
TRIM(rtrim, trim_right(x[i]))

static const kernel_entry entries[] = {
    {OP_TRIM, MM_UTF8, MM_NULL, trim, NULL},
    {OP_LTRIM, MM_UTF8, MM_NULL, ltrim, NULL},
    {OP_RTRIM, MM_UTF8, MM_NULL, rtrim, NULL},
};

kernel_function text_trim_kernels(const kernel_key *key) { return kernel_table_find(KERNEL_TABLE(entries), key); }
