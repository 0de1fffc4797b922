/* is_distinct.c - is_distinct for every type: the kernel of ~= where both are known, else whether one is null.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "kernels/operations.h"
#include <string.h>

static int is_distinct(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                       const lane_vector *vc) {
  kernel_function differs = *(const kernel_function *)lanes->state;
  uint64_t *out = dst->data;
  int64_t words = bit_words(lanes->n);
  lane_vector plain = {.data = out};
  if (differs) TRY(differs(lanes, &plain, va, vb, vc));
  else memset(out, 0, (size_t)words * 8);
  for (int64_t w = 0; w < words; w++) {
    uint64_t known_a = va->valid ? va->valid[w] : ~UINT64_C(0), known_b = vb->valid ? vb->valid[w] : ~UINT64_C(0);
    out[w] = (out[w] & known_a & known_b) | (known_a ^ known_b);
  }
  dst->valid = NULL;
  return 0;
}

kernel_function is_distinct_kernels(const kernel_key *key) { return (void)key, is_distinct; }
