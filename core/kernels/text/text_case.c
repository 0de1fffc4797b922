/* text_case.c - lower and upper: one character to one character, without locale. ASCII goes eight bytes at a time; the
 * rest by the table of Unicode's simple mappings, so a sharp s stays what it is.
 * SPDX-License-Identifier: MIT */
#include "text/case_table.h"
#include "kernels/text/text_bytes.h"
#include "kernels/text/text_kernel.h"
#include <string.h>

enum { LOWER, UPPER };

/* The letters of the other case, eight at a time; bytes beyond ASCII stay. */
static inline uint64_t convert_word(uint64_t word, int to) {
  uint64_t low = word & BYTES(0x7f);
  uint64_t from_first = low + BYTES(0x80 - (to == LOWER ? 'A' : 'a'));
  uint64_t beyond_last = low + BYTES(0x7f - (to == LOWER ? 'Z' : 'z'));
  return word ^ (from_first & ~beyond_last & ~word & BYTES(0x80)) >> 2;
}

static uint32_t convert_character(uint32_t code, int to) {
  const case_range *ranges = to == LOWER ? lower_ranges : upper_ranges;
  int low = 0, high = (int)(to == LOWER ? sizeof lower_ranges : sizeof upper_ranges) / (int)sizeof *ranges;
  while (low < high) {
    int middle = (low + high) / 2;
    if (ranges[middle].last < code) low = middle + 1;
    else high = middle;
  }
  const case_range *range = &ranges[low];
  if (range
      == (to == LOWER ? lower_ranges + sizeof lower_ranges / sizeof *ranges
                      : upper_ranges + sizeof upper_ranges / sizeof *ranges))
    return code;
  bool inside = code >= range->first && (code - range->first) % range->step == 0;
  return inside ? (uint32_t)((int32_t)code + range->delta) : code;
}

static uint32_t decode_character(const uint8_t *at, int n) {
  switch (n) {
  case 2: return (at[0] & 0x1fu) << 6 | (at[1] & 0x3fu);
  case 3: return (at[0] & 0x0fu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu);
  default: return (at[0] & 0x07u) << 18 | (at[1] & 0x3fu) << 12 | (at[2] & 0x3fu) << 6 | (at[3] & 0x3fu);
  }
}

static uint8_t *encode_character(uint8_t *to, uint32_t code) {
  if (code < 0x80) {
    *to++ = (uint8_t)code;
  } else if (code < 0x800) {
    *to++ = (uint8_t)(0xc0 | code >> 6);
    *to++ = (uint8_t)(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    *to++ = (uint8_t)(0xe0 | code >> 12);
    *to++ = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    *to++ = (uint8_t)(0x80 | (code & 0x3f));
  } else {
    *to++ = (uint8_t)(0xf0 | code >> 18);
    *to++ = (uint8_t)(0x80 | (code >> 12 & 0x3f));
    *to++ = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    *to++ = (uint8_t)(0x80 | (code & 0x3f));
  }
  return to;
}

/* From a character beyond ASCII on. */
static uint8_t *put_wide(uint8_t *out, const uint8_t *at, const uint8_t *end, int to) {
  while (at < end) {
    int n = character_size(at);
    if (n == 1 || n > end - at) { /* the second never in valid text */
      *out++ = (uint8_t)convert_word(*at++, to);
      continue;
    }
    out = encode_character(out, convert_character(decode_character(at, n), to));
    at += n;
  }
  return out;
}

/* Writes up to 8 bytes beyond the result, which the next one covers. */
ALWAYS_INLINE uint8_t *put_converted(uint8_t *out, text_view text, int to) {
  const uint8_t *at = text.bytes, *end = at + text.size;
  while (at < end) {
    int64_t n = end - at < 8 ? end - at : 8;
    uint64_t word = n == 8 ? load_u64(at) : load_short((const char *)at, n);
    if (word & BYTES(0x80)) return put_wide(out, at, end, to);
    word = convert_word(word, to);
    memcpy(out, &word, 8);
    out += n;
    at += n;
  }
  return out;
}

ALWAYS_INLINE int convert(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, int to) {
  const text_view *x = a->data;
  text_view *out = clear_views(lanes, dst);
  int64_t total = 0;
  EACH_WANTED(lanes, dst->valid, i) total += x[i].size;
  uint8_t *at = lanes_allocate(lanes, total + total / 2 + 8); /* two bytes may become three */
  if (!at) return MM_ENOMEM;
  EACH_WANTED(lanes, dst->valid, i) {
    uint8_t *start = at;
    at = put_converted(at, x[i], to);
    out[i] = (text_view){start, at - start};
  }
  return 0;
}

static int lower(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                 const lane_vector *c) {
  (void)b, (void)c;
  return convert(lanes, dst, a, LOWER);
}

static int upper(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                 const lane_vector *c) {
  (void)b, (void)c;
  return convert(lanes, dst, a, UPPER);
}

static const kernel_entry entries[] = {
    {OP_LOWER, MM_UTF8, MM_NULL, lower, NULL},
    {OP_UPPER, MM_UTF8, MM_NULL, upper, NULL},
};

kernel_function text_case_kernels(const kernel_key *key) { return kernel_table_find(KERNEL_TABLE(entries), key); }
