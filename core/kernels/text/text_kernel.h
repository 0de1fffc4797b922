/* text_kernel.h - what the text kernels share: which lanes count, loops over views, bytes from the arena.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "internal.h"
#include "text/digits.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* One lookup a file; NULL: no such kernel. `type` is utf8 or binary where it is not a cast or a part of a date. */
mm_kernel mm_text_order(int op);               /* text_compare.c: == ~= < <= > >= */
mm_kernel mm_text_set(int op);                 /* text_in_set.c: in */
mm_kernel mm_text_search(int op, int type);    /* text_search.c: starts_with ends_with contains find */
mm_kernel mm_text_character(int op, int type); /* text_length_sub.c: len bytes sub reverse */
mm_kernel mm_text_case(int op);                /* text_case.c: lower upper */
mm_kernel mm_text_blank(int op);               /* text_trim.c: trim ltrim rtrim */
mm_kernel mm_text_compose(int op);             /* text_concat_replace.c: concat replace repeat */
mm_kernel mm_moment_part(int op, int type);    /* date_part.c: year .. week */
mm_kernel mm_moment_cast(int type, int type2); /* date_part.c: date and timestamp from each other */
mm_kernel mm_text_cast(int type, int type2);   /* text_cast.c: text from and to every type */
mm_kernel mm_hash_kernel(int type);            /* kernels/hash.c: hash of any type */

/* ---- Lanes ---- */

/* Lanes 64 w .. 64 w + 63 of `n` that are selected and valid. */
static inline uint64_t lanes_wanted(const mm_lanes *lanes, const uint64_t *valid, int64_t w) {
  uint64_t bits = w == lanes->n >> 6 ? (UINT64_C(1) << (lanes->n & 63)) - 1 : UINT64_MAX;
  if (lanes->selected) bits &= lanes->selected[w];
  if (valid) bits &= valid[w];
  return bits;
}

/* for (i of the lanes wanted) */
#define EACH_WANTED(lanes, valid, i)                                                                                   \
  for (int64_t w_ = 0, i; w_ < mm_words((lanes)->n); w_++)                                                             \
    for (uint64_t left_ = lanes_wanted(lanes, valid, w_); left_ && (i = w_ * 64 + __builtin_ctzll(left_), 1);          \
         left_ &= left_ - 1)

/* Empty views in all lanes, for a kernel that fills in only those wanted. */
static inline mm_view *clear_views(const mm_lanes *lanes, mm_vector *dst) {
  static const uint8_t nothing[1];
  mm_view *out = dst->data;
  if (lanes->selected || dst->valid)
    for (int64_t i = 0; i < lanes->n; i++) out[i] = (mm_view){nothing, 0};
  return out;
}

/* A bit for each lane: test(a, b). */
ALWAYS_INLINE int each_pair(mm_lanes *lanes, mm_vector *dst, const mm_vector *a, const mm_vector *b,
                            bool (*test)(mm_view, mm_view)) {
  const mm_view *x = a->data, *y = b->data;
  uint64_t *out = dst->data;
  for (int64_t start = 0; start < lanes->n; start += 64) {
    int64_t n = lanes->n - start < 64 ? lanes->n - start : 64;
    uint64_t bits = 0;
    for (int64_t i = 0; i < n; i++) bits |= (uint64_t)test(x[start + i], y[start + i]) << i;
    out[start >> 6] = bits;
  }
  return 0;
}

/* ---- Bytes ---- */

static inline bool bytes_equal(const uint8_t *a, const uint8_t *b, int64_t n) {
  if (n > 16) return memcmp(a, b, (size_t)n) == 0;
  if (n >= 8) return ((load_u64(a) ^ load_u64(b)) | (load_u64(a + n - 8) ^ load_u64(b + n - 8))) == 0;
  return n <= 0 || load_short((const char *)a, n) == load_short((const char *)b, n);
}

static inline uint8_t *put_bytes(uint8_t *to, const uint8_t *from, int64_t n) {
  if (n > 16) {
    memcpy(to, from, (size_t)n);
  } else if (n >= 8) {
    uint64_t first = load_u64(from), last = load_u64(from + n - 8);
    memcpy(to, &first, 8);
    memcpy(to + n - 8, &last, 8);
  } else {
    for (int64_t i = 0; i < n; i++) to[i] = from[i];
  }
  return to + n;
}

static inline bool is_ascii(mm_view text) {
  const uint8_t *at = text.bytes;
  int64_t n = text.size;
  for (; n > 8; n -= 8, at += 8)
    if (load_u64(at) & BYTES(0x80)) return false;
  return n <= 0 || !(load_short((const char *)at, n) & BYTES(0x80));
}

/* Characters: bytes that do not continue one. */
static inline int64_t count_characters(const uint8_t *at, int64_t n) {
  int64_t others = 0;
  for (int64_t i = 0; i < n;) {
    uint64_t word;
    if (n - i >= 8) {
      word = load_u64(at + i);
      i += 8;
    } else {
      word = load_short((const char *)at + i, n - i);
      i = n;
    }
    uint64_t flags = word >> 7 & ~word >> 6 & BYTES(1);
    others += (int64_t)(flags * BYTES(1) >> 56);
  }
  return n - others;
}

/* Bytes of the character at `at`; valid UTF-8 is assumed. */
static inline int character_size(const uint8_t *at) { return *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4; }

/* Where `part` first stands in `text`, or -1. */
int64_t mm_text_find(mm_view text, mm_view part);
