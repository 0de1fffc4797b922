/* quickselect.c - the k-th of many numbers, without sorting them.
 *
 * DESIGN. Few numbers are parted around pivots until the k-th is in its place. Of many, a sample tells two values
 * between which the k-th nearly always is; all threads then move what is between them to the front of pieces of the
 * list, and count what is below. The answer is exact either way: where the sample misled, the list is parted as a
 * whole.
 *
 * SPDX-License-Identifier: MIT */
#include "aggregates/functions/quickselect.h"
#include "base/alloc.h"
#include "base/error.h"
#include "engine/parallel.h"
#include <string.h>

enum { SAMPLE = 4096, MARGIN = 160, PIECE = 1 << 16, ROUNDS = 64 };

static inline void swap(int64_t *a, int64_t *b) {
  int64_t c = *a;
  *a = *b;
  *b = c;
}

/* The middle of the least and the greatest: at most 64 rounds of it are needed, whatever the values are. */
static int64_t middle_value(const int64_t *x, int64_t n) {
  int64_t least = x[0], most = x[0];
  for (int64_t i = 1; i < n; i++) {
    least = x[i] < least ? x[i] : least;
    most = x[i] > most ? x[i] : most;
  }
  return (int64_t)((uint64_t)least + ((uint64_t)most - (uint64_t)least) / 2);
}

/* Hoare's selection, the pivot a median of three: afterwards x[k] is in its place, nothing after it is less. */
static void select_nth(int64_t *x, int64_t n, int64_t k) {
  int64_t low = 0, high = n - 1;
  for (int round = 0; low < high; round++) {
    int64_t middle = low + (high - low) / 2;
    if (x[middle] < x[low]) swap(&x[middle], &x[low]);
    if (x[high] < x[low]) swap(&x[high], &x[low]);
    if (x[high] < x[middle]) swap(&x[high], &x[middle]);
    int64_t pivot = round < ROUNDS ? x[middle] : middle_value(x + low, high - low + 1), i = low - 1, j = high + 1;
    for (;;) {
      do i++;
      while (x[i] < pivot);
      do j--;
      while (x[j] > pivot);
      if (i >= j) break;
      swap(&x[i], &x[j]);
    }
    if (k <= j) high = j;
    else low = j + 1;
  }
}

static void select_pair(int64_t *x, int64_t n, int64_t k, int64_t pair[2]) {
  select_nth(x, n, k);
  pair[0] = pair[1] = x[k];
  if (k + 1 >= n) return;
  pair[1] = x[k + 1];
  for (int64_t i = k + 2; i < n; i++) pair[1] = x[i] < pair[1] ? x[i] : pair[1];
}

/* ---- Of many ---- */

typedef struct narrowing {
  int64_t *x, n;
  int64_t low, high; /* the k-th is probably not outside */
  struct piece {
    int64_t below, within;
  } * pieces;
} narrowing;

/* From a sample: the values some places before and after that of the k-th. */
static int choose_bounds(narrowing *s, int64_t k, mm_error *error) {
  int64_t *sample = memory_allocate(SAMPLE * 8), stride = s->n / SAMPLE;
  if (!sample) return error_fail_memory(error, SAMPLE * 8);
  for (int64_t i = 0; i < SAMPLE; i++) sample[i] = s->x[i * stride];
  int64_t at = k / stride < SAMPLE ? k / stride : SAMPLE - 1;
  s->low = INT64_MIN;
  s->high = INT64_MAX;
  if (at >= MARGIN) {
    select_nth(sample, SAMPLE, at - MARGIN);
    s->low = sample[at - MARGIN];
  }
  if (at + MARGIN < SAMPLE) {
    select_nth(sample, SAMPLE, at + MARGIN);
    s->high = sample[at + MARGIN];
  }
  memory_release(sample, SAMPLE * 8);
  return 0;
}

/* What is within goes to the front of its piece. */
static int narrow(void *context, int64_t task, mm_error *error) {
  (void)error;
  narrowing *s = context;
  int64_t *x = s->x + task * PIECE, n = s->n - task * PIECE < PIECE ? s->n - task * PIECE : PIECE;
  int64_t low = s->low, high = s->high, below = 0, within = 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t value = x[i], other = x[within];
    bool is_within = (value >= low) & (value <= high);
    below += value < low;
    x[i] = is_within ? other : value;
    x[within] = is_within ? value : other;
    within += is_within;
  }
  s->pieces[task].below = below;
  s->pieces[task].within = within;
  return 0;
}

/* Returns 1 when the pair is found. */
static int find_within(const narrowing *s, int64_t count, int64_t k, int64_t pair[2], mm_error *error) {
  int64_t below = 0, within = 0, last = k + 1 < s->n ? k + 1 : k;
  for (int64_t t = 0; t < count; t++) {
    below += s->pieces[t].below;
    within += s->pieces[t].within;
  }
  if (k < below || last >= below + within) return 0;
  pair[0] = pair[1] = s->low;
  if (s->low == s->high) return 1;
  if (within > s->n / 2) return 0; /* nothing gained: most are equal to one of the two */
  int64_t *found = memory_allocate(within * 8), at = 0;
  if (!found) return error_fail_memory(error, within * 8);
  for (int64_t t = 0; t < count; at += s->pieces[t++].within)
    memcpy(found + at, s->x + t * PIECE, (size_t)s->pieces[t].within * 8);
  select_pair(found, within, k - below, pair);
  memory_release(found, within * 8);
  return 1;
}

int quickselect(mm_job *job, int64_t *x, int64_t n, int64_t k, int64_t pair[2], mm_error *error) {
  narrowing s = {.x = x, .n = n};
  int64_t count = (n + PIECE - 1) / PIECE, size = count * (int64_t)sizeof *s.pieces;
  int found = 0;
  if (job && n >= SAMPLE) {
    s.pieces = memory_allocate(size);
    found = s.pieces ? choose_bounds(&s, k, error) : error_fail_memory(error, size);
    if (found >= 0) found = parallel_run(job, count, narrow, &s, error);
    if (found >= 0) found = find_within(&s, count, k, pair, error);
    if (s.pieces) memory_release(s.pieces, size);
    TRY(found);
  }
  if (!found) select_pair(x, n, k, pair);
  return 0;
}
