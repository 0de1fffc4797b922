/* compare.inc.h - a comparison to one bit a lane. Needs NAME, T, S and TEST(x, y) with x of T and y of S.
 * SPDX-License-Identifier: MIT */
ALWAYS_INLINE int PASTE(NAME, loop)(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                                    int shape) {
  uint64_t *restrict out = dst->data;
  int64_t words = bit_words(lanes->n);
  for (int64_t w = 0; w < words; w++) {
    const T *a = (const T *)va->data + (shape == SHAPE_SV ? 0 : 64 * w);
    const S *b = (const S *)vb->data + (shape == SHAPE_VS ? 0 : 64 * w);
    uint8_t flags[64];
    for (int i = 0; i < 64; i++) flags[i] = TEST(a[shape == SHAPE_SV ? 0 : i], b[shape == SHAPE_VS ? 0 : i]) ? 0xFF : 0;
    out[w] = pack_flags(flags);
  }
  return 0;
}
#define LOOP PASTE(NAME, loop)
#include "kernels/templates/shapes.inc.h"
#undef LOOP
#undef NAME
#undef TEST
