/* fused.inc.h - an operation on three operands that cannot fail. Needs NAME, T and RESULT(x, y, z). A constant a is
 * read like a vector.
 * SPDX-License-Identifier: MIT */
ALWAYS_INLINE int PASTE(NAME, loop)(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                                    const lane_vector *vc, int shape) {
  T *restrict out = dst->data;
  const T *a = va->data, *b = vb->data, *c = vc->data;
  int64_t n = lanes_padded(lanes);
  T y = *b, z = *c;
  for (int64_t i = 0; i < n; i++) {
    if (!(shape & SHAPE_VS)) y = b[i];
    if (!(shape & SHAPE_C)) z = c[i];
    out[i] = RESULT(a[i], y, z);
  }
  return 0;
}
#define SHAPED(suffix, shape)                                                                                          \
  static int PASTE(NAME, suffix)(kernel_lanes * lanes, lane_vector * dst, const lane_vector *a, const lane_vector *b,  \
                                 const lane_vector *c) {                                                               \
    return PASTE(NAME, loop)(lanes, dst, a, b, c, shape);                                                              \
  }
SHAPED(vvv, SHAPE_VV)
SHAPED(vsv, SHAPE_VS)
SHAPED(vvs, SHAPE_C)
SHAPED(vss, SHAPE_VS | SHAPE_C)
static const kernel_function NAME[SHAPE_OF_THREE] = {PASTE(NAME, vvv), PASTE(NAME, vsv), PASTE(NAME, vvv), NULL,
                                                     PASTE(NAME, vvs), PASTE(NAME, vss), PASTE(NAME, vvs), NULL};
#undef SHAPED
#undef NAME
#undef RESULT
