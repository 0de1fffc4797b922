/* time_unit.c - timestamps and durations from one unit to another. To a finer unit a value may overflow; to a coarser
 * one it may have a fraction, which a checked cast refuses and the others floor.
 * SPDX-License-Identifier: MIT */
#include "kernels/dispatch.h"

static int64_t units_per_second(int unit) {
  static const int64_t counts[] = {
      [MM_SECONDS] = 1, [MM_MILLIS] = 1000, [MM_MICROS] = 1000000, [MM_NANOS] = 1000000000};
  return counts[unit];
}

static uint64_t finer(int64_t *out, const int64_t *x, int64_t factor, int mode) {
  uint64_t bad = 0;
  for (int i = 0; i < 64; i++) {
    bool lost = __builtin_mul_overflow(x[i], factor, &out[i]);
    if (lost && mode == MM_CAST_SATURATE) out[i] = x[i] < 0 ? INT64_MIN : INT64_MAX;
    bad |= (uint64_t)lost << i;
  }
  return mode == MM_CAST_CHECK || mode == MM_CAST_TRY ? bad : 0;
}

static uint64_t coarser(int64_t *out, const int64_t *x, int64_t factor, int mode) {
  uint64_t bad = 0;
  for (int i = 0; i < 64; i++) {
    int64_t rest = x[i] % factor;
    out[i] = x[i] / factor - (rest < 0);
    bad |= (uint64_t)(rest != 0) << i;
  }
  return mode == MM_CAST_CHECK || mode == MM_CAST_TRY ? bad : 0;
}

static int convert_units(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                         const lane_vector *vc) {
  (void)vb, (void)vc;
  int64_t from = units_per_second(lanes->types[lanes->instr->a].unit);
  int64_t to = units_per_second(lanes->types[lanes->instr->dst].unit);
  uint64_t failed = 0;
  for (int64_t w = 0; w < bit_words(lanes->n); w++) {
    int64_t *out = (int64_t *)dst->data + 64 * w;
    const int64_t *x = (const int64_t *)va->data + 64 * w;
    int mode = lanes->instr->b;
    uint64_t bad = from <= to ? finer(out, x, to / from, mode) : coarser(out, x, from / to, mode);
    if (bad) lanes_fail(lanes, w, bad);
    failed |= bad;
  }
  return failed != 0;
}

kernel_function time_unit_kernels(const kernel_key *key) {
  bool time = key->type == MM_TIMESTAMP || key->type == MM_DURATION;
  bool known = time && key->mode >= MM_CAST_CHECK && key->mode <= MM_CAST_SATURATE;
  return known ? convert_units : NULL;
}
