/* text_distance.c - the Levenshtein distance of two texts over characters, by Myers' bit-parallel algorithm.
 *
 * DESIGN. A word holds 64 rows of the matrix, as the differences between neighbours of a column (Myers, "A fast
 * bit-vector algorithm for approximate string matching based on dynamic programming", 1999). A longer text is taken in
 * blocks of 64 characters; between them the differences along their last row are kept, one byte a column (Hyyro, "A
 * bit-vector algorithm for computing Levenshtein and Damerau edit distances", 2003).
 *
 * SPDX-License-Identifier: MIT */
#include "kernels/text/text_bytes.h"
#include "kernels/text/text_kernel.h"

enum { BLOCK = 64, ASCII = 128, PLACES = 128 };

/* Where each character stands in a block of the pattern; all zero between blocks. */
typedef struct block_masks {
  uint64_t ascii[ASCII];
  uint64_t others[PLACES];
  uint32_t keys[PLACES]; /* character of a place of `others`; 0: none */
} block_masks;

static inline uint64_t *mask_of(block_masks *masks, uint32_t character) {
  if (character < ASCII) return &masks->ascii[character];
  uint32_t at = character * UINT32_C(2654435761) >> 25;
  while (masks->keys[at] && masks->keys[at] != character) at = (at + 1) % PLACES;
  return &masks->others[at];
}

static void add_block(block_masks *masks, const uint32_t *pattern, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    uint64_t *mask = mask_of(masks, pattern[i]);
    if (pattern[i] >= ASCII) masks->keys[mask - masks->others] = pattern[i];
    *mask |= UINT64_C(1) << i;
  }
}

static void clear_block(block_masks *masks, const uint32_t *pattern, int64_t n) {
  bool wide = false;
  for (int64_t i = 0; i < n; i++) {
    if (pattern[i] < ASCII) masks->ascii[pattern[i]] = 0;
    else wide = true;
  }
  if (!wide) return;
  memset(masks->others, 0, sizeof masks->others);
  memset(masks->keys, 0, sizeof masks->keys);
}

/* Run a block of n pattern characters over all columns. `steps` holds the differences along the row above it and gets
 * those along its last row. */
static void run_block(block_masks *masks, int64_t n, const uint32_t *text, int64_t columns, int8_t *steps) {
  uint64_t plus = UINT64_MAX, minus = 0;
  for (int64_t j = 0; j < columns; j++) {
    uint64_t equal = *mask_of(masks, text[j]), above = steps[j] < 0;
    uint64_t vertical = equal | minus;
    equal |= above;
    uint64_t across = (((equal & plus) + plus) ^ plus) | equal;
    uint64_t up = minus | ~(across | plus), down = plus & across;
    int8_t step = (int8_t)((up >> (n - 1) & 1) - (down >> (n - 1) & 1));
    up = up << 1 | (steps[j] > 0);
    down = down << 1 | above;
    plus = down | ~(vertical | up);
    minus = up & vertical;
    steps[j] = step;
  }
}

static int64_t decode_characters(text_view text, uint32_t *to) {
  int64_t n = 0;
  for (const uint8_t *at = text.bytes, *end = at + text.size; at < end;) {
    int size = character_size(at);
    if (size > end - at) size = (int)(end - at); /* foreign bytes may have changed */
    uint32_t character = size == 1 ? *at : *at & (0x7f >> size);
    for (int k = 1; k < size; k++) character = character << 6 | (at[k] & 0x3f);
    to[n++] = character;
    at += size;
  }
  return n;
}

/* `steps` has room for a byte per character of the longer text. */
static int64_t distance_of(block_masks *masks, const uint32_t *a, int64_t m, const uint32_t *b, int64_t n,
                           int8_t *steps) {
  if (m > n) return distance_of(masks, b, n, a, m, steps);
  for (; m && *a == *b; m--, n--) a++, b++;
  for (; m && a[m - 1] == b[n - 1]; m--) n--;
  if (!m) return n;
  memset(steps, 1, (size_t)n);
  for (int64_t start = 0; start < m; start += BLOCK) {
    int64_t rows = m - start < BLOCK ? m - start : BLOCK;
    add_block(masks, a + start, rows);
    run_block(masks, rows, b, n, steps);
    clear_block(masks, a + start, rows);
  }
  int64_t distance = m;
  for (int64_t j = 0; j < n; j++) distance += steps[j];
  return distance;
}

static int distance(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                    const lane_vector *c) {
  (void)c;
  const text_view *x = a->data, *y = b->data;
  int64_t *out = dst->data, most = 0;
  EACH_WANTED(lanes, dst->valid, i) {
    if (x[i].size > most) most = x[i].size;
    if (y[i].size > most) most = y[i].size;
  }
  block_masks *masks = (block_masks *)(void *)lanes_allocate(lanes, (int64_t)sizeof *masks);
  uint32_t *p = (uint32_t *)(void *)lanes_allocate(lanes, most * 4);
  uint32_t *q = (uint32_t *)(void *)lanes_allocate(lanes, most * 4);
  int8_t *steps = (int8_t *)lanes_allocate(lanes, most);
  if (!masks || !p || !q || !steps) return MM_ENOMEM;
  memset(masks, 0, sizeof *masks);
  EACH_WANTED(lanes, dst->valid, i) {
    int64_t m = decode_characters(x[i], p), n = decode_characters(y[i], q);
    out[i] = distance_of(masks, p, m, q, n, steps);
  }
  return 0;
}

static const kernel_entry entries[] = {{OP_DISTANCE, MM_UTF8, MM_NULL, distance, NULL}};

kernel_function text_distance_kernels(const kernel_key *key) { return kernel_table_find(KERNEL_TABLE(entries), key); }
