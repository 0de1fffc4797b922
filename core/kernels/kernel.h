/* kernel.h - a kernel: a loop over the lanes of a vector, and what it is given.
 *
 * DESIGN: a kernel runs over whole words of 64 lanes, so its loops have no remainder; the frame guarantees that many
 * readable lanes. A constant operand is stored in all lanes, so that any kernel may read it, but there are variants of
 * the hot kernels ("shapes") that read its first lane only and keep it in a machine register.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "base/arena.h"
#include "base/bitmap.h"
#include "stage.h"
#include <assert.h>

/* A text value within a vector: its bytes are borrowed from a column, a constant or the frame's arena. */
typedef struct text_view {
  const uint8_t *bytes;
  int64_t size;
} text_view;

/* One register during a run. Values of `data`: the type's C representation; bool: a bitmap; text: text_view.
 * Lanes that are null, not selected or failed hold anything, but safe views. Data is 64-byte aligned. */
typedef struct lane_vector {
  void *data;
  uint64_t *valid; /* NULL: no nulls */
} lane_vector;

/* What a kernel may use besides its operands. */
typedef struct kernel_lanes {
  int32_t n;     /* lanes, at least 1; at most MM_VECTOR where a lane may fail or the operation has a null rule
                           * of its own. Buffers may be read and written up to the next multiple of 64 */
  uint64_t *bad; /* bitmap of MM_VECTOR failed lanes, zero on entry; NULL in a plain run, where none may fail */
  arena *arena;  /* of the frame: bytes for text results, which live until the vector is done */
  const mm_instr *instr;
  const mm_value *constants;
  const mm_type *types;     /* of all registers: units and zones */
  const void *state;        /* what the operation prepared when the program was built (the set of IN) */
  const uint64_t *selected; /* lanes that matter; NULL: all. Costly kernels may skip the others */
} kernel_lanes;

static inline uint8_t *lanes_allocate(kernel_lanes *lanes, int64_t size) { return arena_take(lanes->arena, size); }

/* Mark the failed lanes of word w. The only way to write lanes->bad: a plain run has longer vectors than the bitmap,
 * and is only for programs that cannot fail. */
static inline void lanes_fail(kernel_lanes *lanes, int64_t w, uint64_t failed) {
  assert(lanes->bad && w < MM_VECTOR / 64);
  lanes->bad[w] |= failed;
}
static inline void lane_fail(kernel_lanes *lanes, int64_t i) { lanes_fail(lanes, i >> 6, UINT64_C(1) << (i & 63)); }

/* A kernel computes all n lanes of dst. When the op's rule is strict, dst->valid has been set (AND of the operands')
 * and the kernel leaves it alone; else it must set *dst->valid itself (dst->valid points to room for a bitmap, or is
 * set to NULL). Returns 0, or 1 when lanes failed (see lanes_fail; null and unselected ones may be marked too),
 * or a status. */
typedef int (*kernel_function)(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                               const lane_vector *c);

enum { SHAPE_VV, SHAPE_VS, SHAPE_SV, SHAPE_COUNT }; /* which operand is the same in all lanes: none, b, a */
enum { SHAPE_C = 4, SHAPE_OF_THREE = 8 };           /* of operations on three: added when c is */

/* Lanes rounded up to whole words. */
static inline int64_t lanes_padded(const kernel_lanes *lanes) { return (lanes->n + 63) & ~INT64_C(63); }

/* Lanes 64 w .. 64 w + 63 of `n` that are selected and valid. */
static inline uint64_t lanes_wanted(const kernel_lanes *lanes, const uint64_t *valid, int64_t w) {
  uint64_t bits = w == lanes->n >> 6 ? (UINT64_C(1) << (lanes->n & 63)) - 1 : UINT64_MAX;
  if (lanes->selected) bits &= lanes->selected[w];
  if (valid) bits &= valid[w];
  return bits;
}

/* for (i of the lanes wanted) */
#define EACH_WANTED(lanes, valid, i)                                                                                   \
  for (int64_t w_ = 0, i; w_ < bit_words((lanes)->n); w_++)                                                            \
    for (uint64_t left_ = lanes_wanted(lanes, valid, w_); left_ && (i = w_ * 64 + __builtin_ctzll(left_), 1);          \
         left_ &= left_ - 1)
