/* text_kernel.h - what the text kernels share, and how they are found.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "base/compiler.h"
#include "kernels/kernel.h"

/* Kernels by operation. A lookup returns NULL when there is none for the types (ids, by mm_storage where that is
 * enough). */
/* text/: CONCAT..REPEAT, EQ.. IN of text, YEAR..HASH, casts from and to text and time. */
mm_kernel mm_text_kernel(int op, int type, int type2, int mode);
/* text/: EQ, NE of text whose b is the same in all lanes. */
mm_kernel mm_text_equal_constant(int op, int type, int type2);

/* The set of IN on text: the constants that are not null, whose bytes it borrows. It becomes lanes->state. NULL: out of
 * memory. */
const void *mm_text_in_prepare(const mm_value *constants, int32_t count);
void mm_text_in_release(const void *set); /* NULL is allowed */

/* ---- For the files of kernels ---- */

/* One lookup a file; NULL: no such kernel. `type` is utf8 or binary where it is not a cast or a part of a date. */
mm_kernel mm_text_order(int op);               /* text_compare.c: == ~= < <= > >= */
mm_kernel mm_text_set(int op);                 /* text_in_set.c: in */
mm_kernel mm_text_search(int op, int type);    /* text_search.c: starts_with ends_with contains find */
mm_kernel mm_text_character(int op, int type); /* text_length_sub.c: len bytes sub reverse */
mm_kernel mm_text_case(int op);                /* text_case.c: lower upper */
mm_kernel mm_text_blank(int op);               /* text_trim.c: trim ltrim rtrim */
mm_kernel mm_text_compose(int op);             /* text_concat_replace.c: concat replace repeat */
mm_kernel mm_text_cast(int type, int type2);   /* text_cast.c: text from and to every type */

/* Where `part` first stands in `text`, or -1. */
int64_t mm_text_find(mm_view text, mm_view part);

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
