/* divided.inc.h - floored division or modulo of integers. Needs NAME, T, FAILS(x, y) and RESULT(x, y), which is asked
 * only for operands that do not fail.
 * SPDX-License-Identifier: MIT */
ALWAYS_INLINE int PASTE(NAME, loop)(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                                    int shape) {
  T *restrict out = dst->data;
  uint64_t failed = 0;
  for (int64_t w = 0; w < bit_words(lanes->n); w++) {
    const T *a = (const T *)va->data + (shape == SHAPE_SV ? 0 : 64 * w);
    const T *b = (const T *)vb->data + (shape == SHAPE_VS ? 0 : 64 * w);
    uint64_t bad = 0;
    for (int i = 0; i < 64; i++) {
      T x = a[shape == SHAPE_SV ? 0 : i], y = b[shape == SHAPE_VS ? 0 : i];
      bool fails = FAILS(x, y);
      bad |= (uint64_t)fails << i;
      T divisor = fails ? 1 : y;
      out[64 * w + i] = RESULT(x, divisor);
    }
    if (bad) lanes_fail(lanes, w, bad);
    failed |= bad;
  }
  return failed != 0;
}
#define LOOP PASTE(NAME, loop)
#include "kernels/templates/shapes.inc.h"
#undef LOOP
#undef NAME
#undef RESULT
#undef FAILS
