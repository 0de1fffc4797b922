/* key_sort.c - sorting keys.
 *
 * DESIGN. Numbers of up to PLACES rows are sorted as items of 8 bytes: the highest bits that differ, and below them the
 * place of the row. A stable radix sort takes some more digits of the items than rows could have told apart; stretches
 * that are equal in these, mostly of two or three rows, are sorted in the same way by what is left. Rows whose numbers
 * are equal, but do not decide, are then merge sorted by value; such stretches often are in order already.
 *
 * SPDX-License-Identifier: MIT */
#include "stages/sort/key_sort.h"
#include "types/column.h"
#include "types/value.h"
#include <string.h>

/* Three digits of items tell apart the rows of a morsel, two MANY of them, one FEW; SHORT lists are sorted by
 * insertion. */
enum { DIGIT = 8, BUCKETS = 1 << DIGIT, MANY = 8192, FEW = 128, SHORT = 16, MOST_DIGITS = 4 };
typedef unsigned __int128 wide;

/* ---- Comparing ---- */

static bool keys_equal(const sort_key *a, const sort_key *b) { return a->high == b->high && a->low == b->low; }

/* By value, from the first key on that numbers leave open. */
static int compare_values(const key_comparator *by, row_ref a, row_ref b) {
  for (int32_t k = by->key; k < by->order->count; k++) {
    const mm_order *order = &by->order->keys[k].order;
    const mm_column *x = &by->batches[a.part].columns[order->column];
    const mm_column *y = &by->batches[b.part].columns[order->column];
    bool null_x = column_is_null(x, a.row), null_y = column_is_null(y, b.row);
    if (null_x && null_y) continue;
    if (null_x || null_y) return null_x == (order->nulls_first != 0) ? -1 : 1;
    int result = column_compare(x, a.row, y, b.row);
    if (result) return order->descending ? -result : result;
  }
  return 0;
}

bool sort_key_before(const key_comparator *by, const sort_key *a, const sort_key *b) {
  if (!keys_equal(a, b) || !sort_key_is_open(by->order, by->key, a)) return sort_key_less(a, b);
  return compare_values(by, a->at, b->at) < 0;
}

/* ---- Items: what differs in the numbers of at most PLACES keys, above the place of each ---- */

enum { PLACE_BITS = 16, PLACES = 1 << PLACE_BITS, RANK_BITS = 128 };

static void insert_items(uint64_t *items, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    uint64_t moved = items[i];
    int64_t j = i;
    for (; j > 0 && moved < items[j - 1]; j--) items[j] = items[j - 1];
    items[j] = moved;
  }
}

/* By digits from the one at `shift` up. Returns where they are now. */
static uint64_t *radix(uint64_t *items, uint64_t *spare, int64_t n, int32_t shift, int32_t digits) {
  uint32_t at[MOST_DIGITS][BUCKETS] = {0};
  for (int64_t i = 0; i < n; i++)
    for (int32_t d = 0; d < digits; d++) at[d][items[i] >> (shift + d * DIGIT) & (BUCKETS - 1)]++;
  for (int32_t d = 0; d < digits; d++) {
    uint32_t *next = at[d], sum = 0;
    for (int32_t b = 0; b < BUCKETS; b++) {
      uint32_t size = next[b];
      next[b] = sum;
      sum += size;
    }
    int32_t by = shift + d * DIGIT;
    for (int64_t i = 0; i < n; i++) spare[next[items[i] >> by & (BUCKETS - 1)]++] = items[i];
    uint64_t *swap = items;
    items = spare;
    spare = swap;
  }
  return items;
}

/* Items whose places ascend: by the highest digits that differ, as many as tell them apart, then by the rest where
 * these are equal. */
static void sort_items(uint64_t *items, uint64_t *spare, int64_t n) {
  if (n <= SHORT) {
    insert_items(items, n);
    return;
  }
  uint64_t differs = 0;
  for (int64_t i = 1; i < n; i++) differs |= items[i] ^ items[0];
  differs >>= PLACE_BITS;
  if (!differs) return;
  int32_t bottom = PLACE_BITS + __builtin_ctzll(differs), top = PLACE_BITS + 64 - __builtin_clzll(differs);
  int32_t digits = (top - bottom + DIGIT - 1) / DIGIT, enough = n > MANY ? 3 : n > FEW ? 2 : 1;
  bool all = digits <= enough + 1;
  if (!all) digits = enough;
  int32_t shift = all ? bottom : top - digits * DIGIT;
  uint64_t *result = radix(items, spare, n, shift, digits);
  if (result != items) memcpy(items, result, (size_t)n * sizeof *items);
  for (int64_t start = 0, end; !all && start < n; start = end) {
    for (end = start + 1; end < n && items[end] >> shift == items[start] >> shift;) end++;
    if (end - start > 1) sort_items(items + start, spare, end - start);
  }
}

/* ---- By number ---- */

static void insert_numbers(sort_key *sort_keys, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    sort_key moved = sort_keys[i];
    int64_t j = i;
    for (; j > 0 && sort_key_less(&moved, &sort_keys[j - 1]); j--) sort_keys[j] = sort_keys[j - 1];
    sort_keys[j] = moved;
  }
}

/* Bits of a number from bit `top` - 1 down, as the highest of a word; those above are 0. */
static uint64_t window(const sort_key *r, int32_t top) {
  return (uint64_t)(((wide)r->high << 64 | r->low) << (RANK_BITS - top) >> 64);
}

static int32_t highest(uint64_t high, uint64_t low) {
  return high ? RANK_BITS - __builtin_clzll(high) : 64 - __builtin_clzll(low);
}

static void sort_stretches(sort_key *sort_keys, sort_key *spare, int64_t n, int32_t shift);

/* More than PLACES: by the highest digit that differs. */
static void scatter_keys(sort_key *sort_keys, sort_key *spare, int64_t n, int32_t top) {
  int64_t next[BUCKETS] = {0}, sum = 0;
  for (int64_t i = 0; i < n; i++) next[window(&sort_keys[i], top) >> (64 - DIGIT)]++;
  for (int32_t b = 0; b < BUCKETS; b++) {
    int64_t size = next[b];
    next[b] = sum;
    sum += size;
  }
  for (int64_t i = 0; i < n; i++) spare[next[window(&sort_keys[i], top) >> (64 - DIGIT)]++] = sort_keys[i];
  memcpy(sort_keys, spare, (size_t)n * sizeof *sort_keys);
}

/* In the order of their items, which are made in the spare room. */
static void sort_places(sort_key *sort_keys, sort_key *spare, int64_t n, int32_t top) {
  uint64_t *items = (uint64_t *)(void *)(spare + n), *more = items + n;
  for (int64_t i = 0; i < n; i++) items[i] = (window(&sort_keys[i], top) & ~(uint64_t)(PLACES - 1)) | (uint64_t)i;
  sort_items(items, more, n);
  for (int64_t i = 0; i < n; i++) spare[i] = sort_keys[items[i] & (PLACES - 1)];
  memcpy(sort_keys, spare, (size_t)n * sizeof *sort_keys);
}

static void sort_numbers(sort_key *sort_keys, sort_key *spare, int64_t n) {
  if (n <= SHORT) {
    insert_numbers(sort_keys, n);
    return;
  }
  uint64_t high = 0, low = 0;
  bool sorted = true;
  for (int64_t i = 1; i < n; i++) {
    high |= sort_keys[i].high ^ sort_keys[0].high;
    low |= sort_keys[i].low ^ sort_keys[0].low;
    sorted &= !sort_key_less(&sort_keys[i], &sort_keys[i - 1]);
  }
  if (sorted) return;
  int32_t top = highest(high, low), bottom = low ? __builtin_ctzll(low) : 64 + __builtin_ctzll(high);
  int32_t shift = top - (n > PLACES ? DIGIT : 64 - PLACE_BITS);
  if (n > PLACES) scatter_keys(sort_keys, spare, n, top);
  else sort_places(sort_keys, spare, n, top);
  if (shift > bottom) sort_stretches(sort_keys, spare, n, shift);
}

/* Stretches of numbers that are equal from bit `shift` up. */
static void sort_stretches(sort_key *sort_keys, sort_key *spare, int64_t n, int32_t shift) {
  sort_key mask = sort_key_masked((sort_key){.high = UINT64_MAX, .low = UINT64_MAX}, RANK_BITS - shift);
  for (int64_t start = 0, end; start < n; start = end) {
    const sort_key *first = &sort_keys[start];
    for (end = start + 1; end < n; end++)
      if (((sort_keys[end].high ^ first->high) & mask.high) | ((sort_keys[end].low ^ first->low) & mask.low)) break;
    if (end - start > 1) sort_numbers(sort_keys + start, spare, end - start);
  }
}

/* ---- By value, where numbers are equal ---- */

static bool comes_after(const key_comparator *by, const sort_key *a, const sort_key *b) {
  return compare_values(by, a->at, b->at) > 0;
}

static void insertion_sort(const key_comparator *by, sort_key *sort_keys, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    sort_key moved = sort_keys[i];
    int64_t j = i;
    for (; j > 0 && comes_after(by, &sort_keys[j - 1], &moved); j--) sort_keys[j] = sort_keys[j - 1];
    sort_keys[j] = moved;
  }
}

static void merge_sort(const key_comparator *by, sort_key *sort_keys, sort_key *spare, int64_t n) {
  if (n <= SHORT) {
    insertion_sort(by, sort_keys, n);
    return;
  }
  int64_t half = n / 2;
  merge_sort(by, sort_keys, spare, half);
  merge_sort(by, sort_keys + half, spare, n - half);
  if (!comes_after(by, &sort_keys[half - 1], &sort_keys[half])) return;
  memcpy(spare, sort_keys, (size_t)half * sizeof *sort_keys);
  const sort_key *a = spare, *a_end = spare + half, *b = sort_keys + half, *b_end = sort_keys + n;
  while (a < a_end && b < b_end) *sort_keys++ = comes_after(by, a, b) ? *b++ : *a++;
  if (a < a_end) memcpy(sort_keys, a, (size_t)(a_end - a) * sizeof *sort_keys);
}

static void sort_values(const key_comparator *by, sort_key *sort_keys, sort_key *spare, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    if (!comes_after(by, &sort_keys[i - 1], &sort_keys[i])) continue;
    merge_sort(by, sort_keys, spare, n);
    return;
  }
}

void key_sort(const key_comparator *by, sort_key *sort_keys, sort_key *spare, int64_t n) {
  sort_numbers(sort_keys, spare, n);
  if (by->key == by->order->count) return;
  for (int64_t start = 0, end; start < n; start = end) {
    for (end = start + 1; end < n && keys_equal(&sort_keys[end], &sort_keys[start]);) end++;
    if (end - start > 1 && sort_key_is_open(by->order, by->key, &sort_keys[start]))
      sort_values(by, sort_keys + start, spare, end - start);
  }
}
