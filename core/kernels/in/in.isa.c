/* in.isa.c - IN: is a number one of a set that was prepared with the program (in_set.c)?
 * Floats compare as IEEE says: NaN is in no set, -0 equals +0.
 * SPDX-License-Identifier: MIT */
#include "base/compiler.h"
#include "kernels/flags.h"
#include "kernels/in/in_set.h"
#include "kernels/operations.h"
#include "types/total_order.h"
#include "types/type.h"
#include <string.h>

#define T int8_t
#define SUFFIX i8
#define KEY(x) ((uint64_t)(int64_t)(x))
#include "kernels/in/in.inc.h"
#define T int16_t
#define SUFFIX i16
#define KEY(x) ((uint64_t)(int64_t)(x))
#include "kernels/in/in.inc.h"
#define T int32_t
#define SUFFIX i32
#define KEY(x) ((uint64_t)(int64_t)(x))
#include "kernels/in/in.inc.h"
#define T int64_t
#define SUFFIX i64
#define KEY(x) ((uint64_t)(x))
#include "kernels/in/in.inc.h"
#define T uint8_t
#define SUFFIX u8
#define KEY(x) ((uint64_t)(x))
#include "kernels/in/in.inc.h"
#define T uint16_t
#define SUFFIX u16
#define KEY(x) ((uint64_t)(x))
#include "kernels/in/in.inc.h"
#define T uint32_t
#define SUFFIX u32
#define KEY(x) ((uint64_t)(x))
#include "kernels/in/in.inc.h"
#define T uint64_t
#define SUFFIX u64
#define KEY(x) (x)
#include "kernels/in/in.inc.h"

#define T float
#define SUFFIX f32
#define KEY(x) equal_bits_f64((double)(x))
#include "kernels/in/in.inc.h"
#define T double
#define SUFFIX f64
#define KEY(x) equal_bits_f64(x)
#include "kernels/in/in.inc.h"

static int member_bool(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                       const lane_vector *vc) {
  (void)vb, (void)vc;
  const in_set *set = lanes->state;
  uint64_t *out = dst->data, yes = 0, no = 0;
  const uint64_t *a = va->data;
  for (int k = 0; k < set->count; k++) {
    if (set->few[k]) yes = ~UINT64_C(0);
    else no = ~UINT64_C(0);
  }
  for (int64_t w = 0; w < bit_words(lanes->n); w++) out[w] = (a[w] & yes) | (~a[w] & no);
  return 0;
}

#define ENTRY(E, s, ctype, format) {OP_IN, MM_##E, MM_NULL, member_##s, NULL},
static const kernel_entry entries[] = {TYPE_NUMBERS(ENTRY) ENTRY(BOOL, bool, , )};
const kernel_table PASTE(in_table, ISA) = {entries, sizeof entries / sizeof *entries};
