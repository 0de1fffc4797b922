/* shapes.inc.h - the kernels of a binary loop, one for each shape. Needs NAME and LOOP; makes the array NAME.
 * SPDX-License-Identifier: MIT */
static int PASTE(NAME, vv)(mm_lanes *lanes, mm_vector *dst, const mm_vector *a, const mm_vector *b,
                           const mm_vector *c) {
  (void)c;
  return LOOP(lanes, dst, a, b, SHAPE_VV);
}
static int PASTE(NAME, vs)(mm_lanes *lanes, mm_vector *dst, const mm_vector *a, const mm_vector *b,
                           const mm_vector *c) {
  (void)c;
  return LOOP(lanes, dst, a, b, SHAPE_VS);
}
static int PASTE(NAME, sv)(mm_lanes *lanes, mm_vector *dst, const mm_vector *a, const mm_vector *b,
                           const mm_vector *c) {
  (void)c;
  return LOOP(lanes, dst, a, b, SHAPE_SV);
}
static const mm_kernel NAME[SHAPE_COUNT] = {PASTE(NAME, vv), PASTE(NAME, vs), PASTE(NAME, sv)};
