/* text_search.c - one text within another: starts_with, ends_with, contains, find.
 * SPDX-License-Identifier: MIT */
#include "kernels/text/text_bytes.h"
#include "kernels/text/text_kernel.h"

static inline bool is_start(text_view a, text_view b) {
  return a.size >= b.size && bytes_equal(a.bytes, b.bytes, b.size);
}
static inline bool is_end(text_view a, text_view b) {
  return a.size >= b.size && bytes_equal(a.bytes + (a.size - b.size), b.bytes, b.size);
}

static int64_t find_plain(text_view text, text_view part, int64_t start) {
  for (int64_t i = start; i <= text.size - part.size; i++)
    if (text.bytes[i] == *part.bytes && bytes_equal(text.bytes + i, part.bytes, part.size)) return i;
  return -1;
}

#ifdef __SSE2__
#include <emmintrin.h>
/* Sixteen places at a time, by the first and the last byte of the part. */
static int64_t find_sixteen(text_view text, text_view part) {
  const __m128i first = _mm_set1_epi8((char)part.bytes[0]), last = _mm_set1_epi8((char)part.bytes[part.size - 1]);
  int64_t places = text.size - part.size + 1;
  for (int64_t i = 0; i < places; i += 16) {
    if (i + 16 > places) i = places - 16; /* the last block overlaps */
    __m128i a = _mm_loadu_si128((const __m128i *)(text.bytes + i));
    __m128i b = _mm_loadu_si128((const __m128i *)(text.bytes + i + part.size - 1));
    unsigned hits = (unsigned)_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(b, last)));
    for (; hits; hits &= hits - 1) {
      int64_t at = i + __builtin_ctz(hits);
      if (bytes_equal(text.bytes + at, part.bytes, part.size)) return at;
    }
  }
  return -1;
}
#endif

int64_t text_find(text_view text, text_view part) {
  if (part.size > text.size) return -1;
  if (part.size == 0) return 0;
#ifdef __SSE2__
  if (text.size - part.size + 1 >= 16) return find_sixteen(text, part);
#endif
  return find_plain(text, part, 0);
}

#define SEARCH(name, test)                                                                                             \
  static int name(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,                   \
                  const lane_vector *c) {                                                                              \
    (void)c;                                                                                                           \
    return each_pair(lanes, dst, a, b, test);                                                                          \
  }
static inline bool is_within(text_view a, text_view b) { return text_find(a, b) >= 0; }
SEARCH(starts_with, is_start)
SEARCH(ends_with, is_end)
SEARCH(contains, is_within)

/* The number of the character, from 1; null when absent. */
static int find_character(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                          const lane_vector *c) {
  (void)c;
  const text_view *x = a->data, *y = b->data;
  int64_t *out = dst->data;
  uint64_t *valid = dst->valid;
  for (int64_t w = 0; w < bit_words(lanes->n); w++) {
    uint64_t wanted = lanes_wanted(lanes, a->valid, w) & (b->valid ? b->valid[w] : UINT64_MAX), found = 0;
    for (; wanted; wanted &= wanted - 1) {
      int64_t i = w * 64 + __builtin_ctzll(wanted);
      int64_t at = text_find(x[i], y[i]);
      if (at < 0) continue;
      out[i] = count_characters(x[i].bytes, at) + 1;
      found |= wanted & (0 - wanted);
    }
    valid[w] = found;
  }
  return 0;
}

static const kernel_entry entries[] = {
    {OP_STARTS_WITH, MM_UTF8, MM_NULL, starts_with, NULL}, {OP_STARTS_WITH, MM_BINARY, MM_NULL, starts_with, NULL},
    {OP_ENDS_WITH, MM_UTF8, MM_NULL, ends_with, NULL},     {OP_ENDS_WITH, MM_BINARY, MM_NULL, ends_with, NULL},
    {OP_CONTAINS, MM_UTF8, MM_NULL, contains, NULL},       {OP_CONTAINS, MM_BINARY, MM_NULL, contains, NULL},
    {OP_FIND, MM_UTF8, MM_NULL, find_character, NULL},
};

kernel_function text_search_kernels(const kernel_key *key) { return kernel_table_find(KERNEL_TABLE(entries), key); }
