/* text_kernel.h - what the text kernels share, and how they are found.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "base/compiler.h"
#include "kernels/kernel.h"

/* Kernels by operation. A lookup returns NULL when there is none for the types (ids, by type_storage where that is
 * enough). */
/* text/: CONCAT..REPEAT, EQ.. IN of text, YEAR..HASH, casts from and to text and time. */
kernel_function text_kernel(int op, int type, int type2, int mode);
/* text/: EQ, NE of text whose b is the same in all lanes. */
kernel_function text_equal_constant_kernel(int op, int type, int type2);

/* The set of IN on text: the constants that are not null, whose bytes it borrows. It becomes lanes->state. NULL: out of
 * memory. */
const void *text_in_set_new(const mm_value *constants, int32_t count);
void text_in_set_free(const void *set); /* NULL is allowed */

/* ---- For the files of kernels ---- */

/* One lookup a file; NULL: no such kernel. `type` is utf8 or binary where it is not a cast or a part of a date. */
kernel_function text_compare_kernel(int op);              /* text_compare.c: == ~= < <= > >= */
kernel_function text_in_set_kernel(int op);               /* text_in_set.c: in */
kernel_function text_search_kernel(int op, int type);     /* text_search.c: starts_with ends_with contains find */
kernel_function text_length_sub_kernel(int op, int type); /* text_length_sub.c: len bytes sub reverse */
kernel_function text_case_kernel(int op);                 /* text_case.c: lower upper */
kernel_function text_trim_kernel(int op);                 /* text_trim.c: trim ltrim rtrim */
kernel_function text_concat_replace_kernel(int op);       /* text_concat_replace.c: concat replace repeat */
kernel_function text_cast_kernel(int type, int type2);    /* text_cast.c: text from and to every type */

/* Where `part` first stands in `text`, or -1. */
int64_t text_find(text_view text, text_view part);

/* Empty views in all lanes, for a kernel that fills in only those wanted. */
static inline text_view *clear_views(const kernel_lanes *lanes, lane_vector *dst) {
  static const uint8_t nothing[1];
  text_view *out = dst->data;
  if (lanes->selected || dst->valid)
    for (int64_t i = 0; i < lanes->n; i++) out[i] = (text_view){nothing, 0};
  return out;
}

/* A bit for each lane: test(a, b). */
ALWAYS_INLINE int each_pair(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                            bool (*test)(text_view, text_view)) {
  const text_view *x = a->data, *y = b->data;
  uint64_t *out = dst->data;
  for (int64_t start = 0; start < lanes->n; start += 64) {
    int64_t n = lanes->n - start < 64 ? lanes->n - start : 64;
    uint64_t bits = 0;
    for (int64_t i = 0; i < n; i++) bits |= (uint64_t)test(x[start + i], y[start + i]) << i;
    out[start >> 6] = bits;
  }
  return 0;
}
