/* wide.inc.h - a comparison of values of 8 bytes to one bit a lane, four lanes at a time. Needs NAME, T, and TEST(x,
 * y), of vectors too. `pattern` has the bits of four lanes.
 * SPDX-License-Identifier: MIT */
ALWAYS_INLINE int PASTE(NAME, loop)(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                                    int shape) {
  typedef T four __attribute__((vector_size(32), aligned(sizeof(T))));
  typedef uint64_t marks __attribute__((vector_size(32)));
  uint64_t *restrict out = dst->data;
  const T *a = va->data, *b = vb->data;
  four x = {a[0], a[0], a[0], a[0]}, y = {b[0], b[0], b[0], b[0]};
  for (int64_t w = 0; w < bit_words(lanes->n); w++) {
    marks pattern = {1, 2, 4, 8}, found = {0};
    int64_t i = 64 * w;
#pragma GCC unroll 16 /* else gcc asks in each word how many of the 16 are left */
    for (int k = 0; k < 16; k++, i += 4, pattern <<= 4) {
      if (shape != SHAPE_SV) x = *(const four *)(const void *)(a + i);
      if (shape != SHAPE_VS) y = *(const four *)(const void *)(b + i);
      found |= (marks)(TEST(x, y)) & pattern;
    }
    out[w] = found[0] | found[1] | found[2] | found[3];
  }
  return 0;
}
#define LOOP PASTE(NAME, loop)
#include "kernels/templates/shapes.inc.h"
#undef LOOP
#undef NAME
#undef TEST
