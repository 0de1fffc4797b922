/* text_equal.c - == and ~= of text and a constant, without a branch for each lane: texts of another size are not read;
 * the constant takes their place.
 * SPDX-License-Identifier: MIT */
#include "kernels/text/text_kernel.h"
#include <string.h>

/* Texts of `size` bytes are equal when their first and their last sizeof(T) bytes are. */
#define EQUAL(name, T)                                                                                                 \
  static inline T load_##name(const uint8_t *at) {                                                                     \
    T x;                                                                                                               \
    memcpy(&x, at, sizeof x);                                                                                          \
    return x;                                                                                                          \
  }                                                                                                                    \
  static uint64_t equal_##name(const text_view *x, text_view y, int64_t n) {                                           \
    T first = load_##name(y.bytes), last = load_##name(y.bytes + y.size - sizeof(T));                                  \
    uint64_t bits = 0;                                                                                                 \
    for (int64_t i = 0; i < n; i++) {                                                                                  \
      bool fits = x[i].size == y.size;                                                                                 \
      const uint8_t *at = fits ? x[i].bytes : y.bytes;                                                                 \
      bool same = ((load_##name(at) ^ first) | (load_##name(at + y.size - sizeof(T)) ^ last)) == 0;                    \
      bits |= (uint64_t)(fits & same) << i;                                                                            \
    }                                                                                                                  \
    return bits;                                                                                                       \
  }
EQUAL(1, uint8_t)
EQUAL(2, uint16_t)
EQUAL(4, uint32_t)
EQUAL(8, uint64_t)

static uint64_t equal_empty(const text_view *x, text_view y, int64_t n) {
  uint64_t bits = 0;
  for (int64_t i = 0; i < n; i++) bits |= (uint64_t)(x[i].size == y.size) << i;
  return bits;
}

static uint64_t equal_long(const text_view *x, text_view y, int64_t n) {
  uint64_t bits = 0;
  for (int64_t i = 0; i < n; i++)
    if (x[i].size == y.size && memcmp(x[i].bytes, y.bytes, (size_t)y.size) == 0) bits |= UINT64_C(1) << i;
  return bits;
}

typedef uint64_t (*equality)(const text_view *x, text_view y, int64_t n); /* of at most 64 lanes */

static equality choose_equality(int64_t size) {
  if (size <= 0) return equal_empty;
  if (size > 16) return equal_long;
  return size == 1 ? equal_1 : size < 4 ? equal_2 : size < 8 ? equal_4 : equal_8;
}

/* The constant is in every lane of b. */
static int compare(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                   uint64_t inverted) {
  const text_view *x = a->data, *y = b->data;
  uint64_t *out = dst->data;
  equality equal = choose_equality(y->size);
  for (int64_t start = 0; start < lanes->n; start += 64)
    out[start >> 6] = equal(x + start, *y, lanes->n - start < 64 ? lanes->n - start : 64) ^ inverted;
  return 0;
}

int text_eq_constant(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                     const lane_vector *c) {
  (void)c;
  return compare(lanes, dst, a, b, 0);
}

int text_ne_constant(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                     const lane_vector *c) {
  (void)c;
  return compare(lanes, dst, a, b, UINT64_MAX);
}
