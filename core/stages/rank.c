/* rank.c - sorting and merging ranks.
 *
 * DESIGN. Numbers are sorted by a stable radix sort that looks only at bits that differ. Rows whose numbers are equal,
 * but do not decide, are then merge sorted by value. Merging two stretches by number takes no branch that depends on
 * the data.
 *
 * SPDX-License-Identifier: MIT */
#include "stages/order.h"
#include <math.h>

enum { DIGIT = 8, BUCKETS = 1 << DIGIT, SHORT = 12 };

/* ---- Comparing ---- */

static bool less(const rank *a, const rank *b) {
  return (a->high < b->high) | ((a->high == b->high) & (a->low < b->low));
}

static bool equal(const rank *a, const rank *b) { return a->high == b->high && a->low == b->low; }

static double float_at(const mm_column *column, int64_t row) {
  return mm_storage(column->type.id) == MM_F32 ? ((const float *)column->data)[row]
                                               : ((const double *)column->data)[row];
}

/* Of equal values: -0 comes before 0 in an order, though they are one key. */
static int compare_zeros(const mm_column *x, int64_t i, const mm_column *y, int64_t j) {
  int32_t type = mm_storage(x->type.id);
  if (type != MM_F32 && type != MM_F64) return 0;
  double a = float_at(x, i), b = float_at(y, j);
  return a == 0 ? (signbit(b) != 0) - (signbit(a) != 0) : 0;
}

/* By value, from the first key on that numbers leave open. */
static int compare_values(const ranking *by, mm_pick a, mm_pick b) {
  for (int32_t k = by->key; k < by->order->count; k++) {
    const mm_order *order = &by->order->keys[k].order;
    const mm_column *x = &by->batches[a.part].columns[order->column];
    const mm_column *y = &by->batches[b.part].columns[order->column];
    bool null_x = mm_is_null(x, a.row), null_y = mm_is_null(y, b.row);
    if (null_x && null_y) continue;
    if (null_x || null_y) return null_x == (order->nulls_first != 0) ? -1 : 1;
    int result = mm_column_compare(x, a.row, y, b.row);
    if (!result) result = compare_zeros(x, a.row, y, b.row);
    if (result) return order->descending ? -result : result;
  }
  return 0;
}

bool mm_rank_before(const ranking *by, const rank *a, const rank *b) {
  if (!equal(a, b) || by->key == by->order->count) return less(a, b);
  return compare_values(by, a->at, b->at) < 0;
}

/* ---- Merging ---- */

static rank *copy(rank *to, const rank *from, const rank *end) {
  if (from < end) memmove(to, from, (size_t)(end - from) * sizeof *to);
  return to + (end - from);
}

static void merge(const ranking *by, const rank *a, const rank *a_end, const rank *b, const rank *b_end, rank *to) {
  if (a < a_end && b < b_end && mm_rank_before(by, b, a_end - 1)) {
    if (by->key == by->order->count) {
      while (a < a_end && b < b_end) {
        bool second = less(b, a);
        *to++ = *(second ? b : a);
        b += second;
        a += !second;
      }
    } else {
      while (a < a_end && b < b_end) *to++ = mm_rank_before(by, b, a) ? *b++ : *a++;
    }
  }
  copy(copy(to, a, a_end), b, b_end);
}

rank *mm_ranks_merge(const ranking *by, rank *ranks, rank *spare, int64_t *bounds, int64_t count) {
  while (count > 1) {
    int64_t start = 0, merged = 0;
    for (int64_t i = 0; i < count; i += 2) {
      int64_t middle = bounds[i], end = i + 1 < count ? bounds[i + 1] : middle;
      merge(by, ranks + start, ranks + middle, ranks + middle, ranks + end, spare + start);
      bounds[merged++] = start = end;
    }
    count = merged;
    rank *swap = ranks;
    ranks = spare;
    spare = swap;
  }
  return ranks;
}

/* ---- Sorting ---- */

static void insert(const ranking *by, rank *ranks, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    rank moved = ranks[i];
    int64_t j = i;
    for (; j > 0 && mm_rank_before(by, &moved, &ranks[j - 1]); j--) ranks[j] = ranks[j - 1];
    ranks[j] = moved;
  }
}

/* For rows that numbers leave open. */
static void merge_sort(const ranking *by, rank *ranks, rank *spare, int64_t n) {
  if (n <= SHORT) {
    insert(by, ranks, n);
    return;
  }
  int64_t half = n / 2;
  merge_sort(by, ranks, spare, half);
  merge_sort(by, ranks + half, spare, n - half);
  if (!mm_rank_before(by, &ranks[half], &ranks[half - 1])) return;
  memcpy(spare, ranks, (size_t)half * sizeof *ranks);
  merge(by, spare, spare + half, ranks + half, ranks + n, ranks);
}

/* One pass by the digit at `shift` of `high` or `low`. Inlined, so that the choice is made outside the loops. */
static inline __attribute__((always_inline)) void scatter(const rank *from, rank *to, int64_t n, bool high,
                                                          int32_t shift) {
  int64_t at[BUCKETS] = {0}, sum = 0;
  for (int64_t i = 0; i < n; i++) at[(high ? from[i].high : from[i].low) >> shift & (BUCKETS - 1)]++;
  for (int32_t b = 0; b < BUCKETS; b++) {
    int64_t size = at[b];
    at[b] = sum;
    sum += size;
  }
  for (int64_t i = 0; i < n; i++) to[at[(high ? from[i].high : from[i].low) >> shift & (BUCKETS - 1)]++] = from[i];
}

/* Digits of one word, from the lowest bit on that differs. Returns where the ranks are now. */
static rank *radix(rank *ranks, rank **spare, int64_t n, bool high, uint64_t differs) {
  for (int32_t shift = 0; differs; shift += DIGIT) {
    int32_t skip = __builtin_ctzll(differs >> shift);
    shift += skip;
    if (high) scatter(ranks, *spare, n, true, shift);
    else scatter(ranks, *spare, n, false, shift);
    rank *swap = ranks;
    ranks = *spare;
    *spare = swap;
    if (shift + DIGIT >= 64 || !(differs >> (shift + DIGIT))) break;
  }
  return ranks;
}

static void sort_numbers(rank *ranks, rank *spare, int64_t n) {
  uint64_t high = 0, low = 0;
  bool sorted = true;
  for (int64_t i = 1; i < n; i++) {
    high |= ranks[i].high ^ ranks[0].high;
    low |= ranks[i].low ^ ranks[0].low;
    sorted &= !less(&ranks[i], &ranks[i - 1]);
  }
  if (sorted) return;
  rank *result = radix(ranks, &spare, n, false, low);
  result = radix(result, &spare, n, true, high);
  if (result != ranks) memcpy(ranks, result, (size_t)n * sizeof *ranks);
}

void mm_ranks_sort(const ranking *by, rank *ranks, rank *spare, int64_t n) {
  sort_numbers(ranks, spare, n);
  if (by->key == by->order->count) return;
  for (int64_t start = 0, end; start < n; start = end) {
    for (end = start + 1; end < n && equal(&ranks[end], &ranks[start]);) end++;
    if (end - start > 1) merge_sort(by, ranks + start, spare, end - start);
  }
}
