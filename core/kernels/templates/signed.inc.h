/* signed.inc.h - a unary integer operation that fails on overflow. Needs NAME, RESULT(x) in uint64_t and LOST(x, r),
 * whose sign bit tells an overflow.
 * SPDX-License-Identifier: MIT */
static int NAME(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                const lane_vector *vc) {
  (void)vb, (void)vc;
  uint64_t *restrict out = dst->data;
  const uint64_t *a = va->data;
  int64_t n = lanes_padded(lanes);
  uint64_t lost = 0;
  for (int64_t i = 0; i < n; i++) {
    uint64_t x = a[i], r = RESULT(x);
    lost |= LOST(x, r);
    out[i] = r;
  }
  if (!(lost >> 63)) return 0;
  for (int64_t w = 0; w < n / 64; w++) {
    uint64_t bad = 0;
    for (int64_t i = 64 * w; i < 64 * w + 64; i++) bad |= LOST(a[i], out[i]) >> 63 << (i & 63);
    lanes_fail(lanes, w, bad);
  }
  return 1;
}
#undef NAME
#undef RESULT
#undef LOST
