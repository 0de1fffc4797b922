/* checked.inc.h - a binary integer operation that fails on overflow. Needs NAME, T, RESULT(x, y) in uint64_t, and
 * LOST(x, y, r), whose sign bit tells an overflow. The sign bits are gathered over the vector; which lanes failed is
 * asked only when one did.
 * SPDX-License-Identifier: MIT */
ALWAYS_INLINE int PASTE(NAME, loop)(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                                    int shape) {
  uint64_t *restrict out = dst->data;
  const uint64_t *a = va->data, *b = vb->data;
  int64_t n = lanes_padded(lanes);
  uint64_t lost = 0;
  for (int64_t i = 0; i < n; i++) {
    uint64_t x = a[shape == SHAPE_SV ? 0 : i], y = b[shape == SHAPE_VS ? 0 : i], r = RESULT(x, y);
    lost |= LOST(x, y, r);
    out[i] = r;
  }
  if (!(lost >> 63)) return 0;
  for (int64_t w = 0; w < n / 64; w++) {
    uint64_t bad = 0;
    for (int64_t i = 64 * w; i < 64 * w + 64; i++) {
      uint64_t x = a[shape == SHAPE_SV ? 0 : i], y = b[shape == SHAPE_VS ? 0 : i];
      bad |= LOST(x, y, out[i]) >> 63 << (i & 63);
    }
    lanes_fail(lanes, w, bad);
  }
  return 1;
}
#define LOOP PASTE(NAME, loop)
#include "kernels/templates/shapes.inc.h"
#undef LOOP
#undef NAME
#undef RESULT
#undef LOST
