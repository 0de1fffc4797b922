/* unary.inc.h - a unary operation that cannot fail. Needs NAME, T and RESULT(x).
 * SPDX-License-Identifier: MIT */
static int NAME(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                const lane_vector *vc) {
  (void)vb, (void)vc;
  T *restrict out = dst->data;
  const T *a = va->data;
  int64_t n = lanes_padded(lanes);
  for (int64_t i = 0; i < n; i++) {
    T x = a[i];
    out[i] = RESULT(x);
  }
  return 0;
}
#undef NAME
#undef RESULT
