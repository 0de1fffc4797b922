/* top_n_boundary.c - top-N boundary: rows that sort after it cannot be in the result.
 *
 * DESIGN. Nearly all rows of a batch are told to be beyond the boundary by looking at their first key alone, a vector
 * at a time. Only where that leaves many are they ranked. A boundary is always made of rows that come earlier in the
 * input than those that are held against it, so that equal rows are beyond it too, where keys tell that they are equal.
 *
 * SPDX-License-Identifier: MIT */
#include "stages/sort/top_n_boundary.h"
#include "base/alloc.h"
#include "base/bitmap.h"
#include "base/error.h"
#include <string.h>

enum { MANY = 16 }; /* one row of so many */

void top_n_boundary_tighten(top_n_boundary *to, const top_n_boundary *other) {
  if (!other->known) return;
  if (to->known) {
    int32_t bits = to->precision.bits < other->precision.bits ? to->precision.bits : other->precision.bits;
    sort_key mine = sort_key_masked(to->last, bits), others = sort_key_masked(other->last, bits);
    if (!sort_key_less(&others, &mine)) return;
  }
  *to = *other;
}

/* By the keys of all rows. */
static int64_t filter_by_keys(const sort_spec *o, const top_n_boundary *b, const mm_batch *rows, sort_key *sort_keys,
                              uint64_t *passed) {
  key_precision precision;
  sort_spec_keys(o, rows, 0, sort_keys, &precision);
  key_precision_join(o, &precision, &b->precision);
  bool equal_too = precision.key < o->count; /* they may come before it */
  sort_key mask = sort_key_masked((sort_key){.high = UINT64_MAX, .low = UINT64_MAX}, precision.bits);
  sort_key last = sort_key_masked(b->last, precision.bits);
  int64_t kept = 0;
  memset(passed, 0, (size_t)bit_words(rows->length) * 8);
  for (int64_t i = 0; i < rows->length; i++) {
    sort_key r = {.high = sort_keys[i].high & mask.high, .low = sort_keys[i].low & mask.low};
    bool pass = equal_too ? !sort_key_less(&last, &r) : sort_key_less(&r, &last);
    passed[i >> 6] |= (uint64_t)pass << (i & 63);
    kept += pass;
  }
  return kept;
}

int top_n_boundary_filter(const sort_spec *o, const top_n_boundary *b, const mm_batch *from, sort_key_list *room,
                          mm_batch *to, mm_error *error) {
  if (!b->known) return mm_batch_copy(to, from, error);
  int64_t size = bit_words(from->length) * 8;
  uint64_t *passed = memory_allocate(size);
  if (!passed) return error_fail_memory(error, size);
  int64_t count = sort_spec_filter(o, from, &b->last, passed);
  int status = 0;
  if (count < 0 || count > from->length / MANY) {
    status = sort_key_list_reserve(room, from->length, error);
    if (status >= 0) count = filter_by_keys(o, b, from, room->items, passed);
  }
  if (status >= 0 && count) status = mm_batch_filter(to, from, passed, count, false, error);
  memory_release(passed, size);
  return status;
}
