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

/* A constant second operand has kernels of its own. */
static const kernel_function eq_shaped[SHAPE_COUNT] = {eq, text_eq_constant, eq};
static const kernel_function ne_shaped[SHAPE_COUNT] = {ne, text_ne_constant, ne};

static const kernel_entry entries[] = {
    {OP_EQ, MM_UTF8, MM_UTF8, NULL, eq_shaped}, {OP_NE, MM_UTF8, MM_UTF8, NULL, ne_shaped},
    {OP_LT, MM_UTF8, MM_UTF8, lt, NULL},        {OP_LE, MM_UTF8, MM_UTF8, le, NULL},
    {OP_GT, MM_UTF8, MM_UTF8, gt, NULL},        {OP_GE, MM_UTF8, MM_UTF8, ge, NULL},
};

kernel_function text_compare_kernels(const kernel_key *key) {
  return kernel_table_find_storage(KERNEL_TABLE(entries), key);
}
