/* text_length_sub.c - characters of text: len, sub, reverse; and bytes. A character is a Unicode code point; of binary,
 * a byte.
 * SPDX-License-Identifier: MIT */
#include "kernels/text/text_bytes.h"
#include "kernels/text/text_kernel.h"
#include "kernels/text/text_offsets.h"

static int bytes(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                 const lane_vector *c) {
  (void)b, (void)c;
  const text_view *x = a->data;
  int64_t *out = dst->data;
  for (int64_t i = 0; i < lanes->n; i++) out[i] = x[i].size;
  return 0;
}

/* Do these texts follow each other in memory, as those of a column do, and are all of them ASCII? */
static bool are_ascii(const text_view *x, int64_t n) {
  uintptr_t apart = 0;
  for (int64_t i = 1; i < n; i++) apart |= (uintptr_t)x[i].bytes ^ (uintptr_t)(x[i - 1].bytes + x[i - 1].size);
  return !apart && bytes_are_ascii(x[0].bytes, x[n - 1].bytes + x[n - 1].size - x[0].bytes);
}

static int len(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
               const lane_vector *c) {
  (void)b, (void)c;
  const text_view *x = a->data;
  int64_t *out = dst->data;
  for (int64_t start = 0; start < lanes->n; start += 64) {
    int64_t n = lanes->n - start < 64 ? lanes->n - start : 64;
    if (!are_ascii(x + start, n)) {
      uint64_t wanted = lanes_wanted(lanes, dst->valid, start >> 6);
      for (; wanted; wanted &= wanted - 1) {
        int64_t i = start + __builtin_ctzll(wanted);
        out[i] = count_characters(x[i].bytes, x[i].size);
      }
    } else {
      for (int64_t i = start; i < start + n; i++) out[i] = x[i].size;
    }
  }
  return 0;
}

/* ---- sub: as Lua's, by characters ---- */

/* Characters first .. last of n, as Lua counts, to 1 <= *first and *last <= n; nothing when *first > *last. */
static inline void clip(int64_t *first, int64_t *last, int64_t n) {
  if (*first < 0) *first += n + 1;
  if (*first < 1) *first = 1;
  if (*last < 0) *last += n + 1;
  if (*last > n) *last = n;
}

static const uint8_t *skip(const uint8_t *at, const uint8_t *end, int64_t characters) {
  while (characters-- > 0 && at < end) at += character_size(at);
  return at < end ? at : end;
}

static text_view sub_bytes(text_view text, int64_t first, int64_t last) {
  clip(&first, &last, text.size);
  return first > last ? (text_view){text.bytes, 0} : (text_view){text.bytes + first - 1, last - first + 1};
}

static text_view sub_characters(text_view text, int64_t first, int64_t last) {
  if (is_ascii(text)) return sub_bytes(text, first, last);
  clip(&first, &last, count_characters(text.bytes, text.size));
  if (first > last) return (text_view){text.bytes, 0};
  const uint8_t *end = text.bytes + text.size, *start = skip(text.bytes, end, first - 1);
  return (text_view){start, skip(start, end, last - first + 1) - start};
}

#define SUB(name, cut)                                                                                                 \
  static int name(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,                   \
                  const lane_vector *c) {                                                                              \
    const text_view *x = a->data;                                                                                      \
    const int64_t *first = b->data, *last = c->data;                                                                   \
    text_view *out = clear_views(lanes, dst);                                                                          \
    EACH_WANTED(lanes, dst->valid, i) out[i] = cut(x[i], first[i], last[i]);                                           \
    return 0;                                                                                                          \
  }
SUB(sub_text, sub_characters)
SUB(sub_binary, sub_bytes)

/* ---- reverse ---- */

static void put_reversed(uint8_t *to, text_view text) {
  uint8_t *at = to + text.size;
  for (int64_t i = 0; i < text.size;) {
    int n = character_size(text.bytes + i);
    if (n > text.size - i) n = (int)(text.size - i); /* never in valid text */
    at -= n;
    for (int k = 0; k < n; k++) at[k] = text.bytes[i + k];
    i += n;
  }
}

static int reverse(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                   const lane_vector *c) {
  (void)b, (void)c;
  const text_view *x = a->data;
  text_view *out = clear_views(lanes, dst);
  int64_t total = 0;
  EACH_WANTED(lanes, dst->valid, i) total += x[i].size;
  uint8_t *to = lanes_allocate(lanes, total);
  if (!to) return MM_ENOMEM;
  EACH_WANTED(lanes, dst->valid, i) {
    put_reversed(to, x[i]);
    out[i] = (text_view){to, x[i].size};
    to += x[i].size;
  }
  return 0;
}

static const kernel_entry entries[] = {
    {OP_LEN, MM_UTF8, MM_NULL, len, NULL},           {OP_LEN, MM_BINARY, MM_NULL, bytes, NULL},
    {OP_BYTES, MM_UTF8, MM_NULL, bytes, NULL},       {OP_BYTES, MM_BINARY, MM_NULL, bytes, NULL},
    {OP_SUB_TEXT, MM_UTF8, MM_NULL, sub_text, NULL}, {OP_SUB_TEXT, MM_BINARY, MM_NULL, sub_binary, NULL},
    {OP_REVERSE, MM_UTF8, MM_NULL, reverse, NULL},
};

kernel_function text_length_sub_kernels(const kernel_key *key) { return kernel_table_find(KERNEL_TABLE(entries), key); }
