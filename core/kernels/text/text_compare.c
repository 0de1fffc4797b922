/* text_compare.c - comparisons of text and binary, by bytes.
 * SPDX-License-Identifier: MIT */
#include "kernels/text/text_bytes.h"
#include "kernels/text/text_kernel.h"
#include <string.h>

static inline bool texts_equal(text_view a, text_view b) {
  return a.size == b.size && bytes_equal(a.bytes, b.bytes, a.size);
}

/* <0, 0, >0; a text comes before its continuations. */
static inline int order(text_view a, text_view b) {
  int64_t n = a.size < b.size ? a.size : b.size;
  if (n >= 8) {
    uint64_t x = __builtin_bswap64(load_u64(a.bytes)), y = __builtin_bswap64(load_u64(b.bytes));
    if (x != y) return x < y ? -1 : 1;
  }
  int sign = n > 0 ? memcmp(a.bytes, b.bytes, (size_t)n) : 0;
  return sign ? sign : (a.size > b.size) - (a.size < b.size);
}

#define COMPARISON(name, test)                                                                                         \
  static inline bool is_##name(text_view a, text_view b) { return test; }                                              \
  static int name(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,                   \
                  const lane_vector *c) {                                                                              \
    (void)c;                                                                                                           \
    return each_pair(lanes, dst, a, b, is_##name);                                                                     \
  }
COMPARISON(eq, texts_equal(a, b))
COMPARISON(ne, !texts_equal(a, b))
COMPARISON(lt, order(a, b) < 0)
COMPARISON(le, order(a, b) <= 0)
COMPARISON(gt, order(a, b) > 0)
COMPARISON(ge, order(a, b) >= 0)

kernel_function text_compare_kernel(int op) {
  static const kernel_function kernels[] = {eq, ne, lt, le, gt, ge};
  _Static_assert(MM_OP_GE == MM_OP_EQ + 5, "comparisons stand in this order");
  return kernels[op - MM_OP_EQ];
}
