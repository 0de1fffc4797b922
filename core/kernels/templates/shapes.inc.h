/* shapes.inc.h - the kernels of a binary loop, one for each shape. Needs NAME and LOOP; makes the array NAME.
 * SPDX-License-Identifier: MIT */
static int PASTE(NAME, vv)(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                           const lane_vector *c) {
  (void)c;
  return LOOP(lanes, dst, a, b, SHAPE_VV);
}
static int PASTE(NAME, vs)(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                           const lane_vector *c) {
  (void)c;
  return LOOP(lanes, dst, a, b, SHAPE_VS);
}
static int PASTE(NAME, sv)(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                           const lane_vector *c) {
  (void)c;
  return LOOP(lanes, dst, a, b, SHAPE_SV);
}
static const kernel_function NAME[SHAPE_COUNT] = {PASTE(NAME, vv), PASTE(NAME, vs), PASTE(NAME, sv)};
