/* binary.inc.h - a binary operation that cannot fail. Needs NAME, T and RESULT(x, y).
 * SPDX-License-Identifier: MIT */
ALWAYS_INLINE int PASTE(NAME, loop)(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                                    int shape) {
  T *restrict out = dst->data;
  const T *a = va->data, *b = vb->data;
  int64_t n = lanes_padded(lanes);
  for (int64_t i = 0; i < n; i++) {
    T x = a[shape == SHAPE_SV ? 0 : i], y = b[shape == SHAPE_VS ? 0 : i];
    out[i] = RESULT(x, y);
  }
  return 0;
}
#define LOOP PASTE(NAME, loop)
#include "kernels/templates/shapes.inc.h"
#undef LOOP
#undef NAME
#undef RESULT
