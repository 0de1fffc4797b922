/* text_kernel.h - what the text kernels share.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "base/compiler.h"
#include "kernels/operations.h"

/* text_equal.c: EQ and NE when b is the same in all lanes. */
int text_eq_constant(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                     const lane_vector *c);
int text_ne_constant(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                     const lane_vector *c);

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
