/* in_set.c - the values of IN on numbers and bools, made once when a program is built.
 * SPDX-License-Identifier: MIT */
#include "kernels/in/in_set.h"
#include "base/alloc.h"
#include "base/bitmap.h"
#include "base/error.h"
#include "types/total_order.h"
#include "types/type.h"
#include <string.h>

/* The bits a value has in a lane of its type; false: it can equal nothing. */
static bool lane_bits(const mm_value *value, int type, uint64_t *bits) {
  if (value->null) return false;
  *bits = 0;
  if (type == MM_F32) {
    float x = (float)value->f;
    memcpy(bits, &x, sizeof x);
    return x == x;
  }
  if (type == MM_F64) {
    memcpy(bits, &value->f, sizeof value->f);
    return value->f == value->f;
  }
  *bits = type_is_unsigned(type) ? value->u : (uint64_t)value->i;
  return true;
}

/* The key a value has in the hash table, as in.isa.c makes it: integers as 64 bits, floats as f64 without -0. */
static uint64_t key_of(const mm_value *value, int type) {
  if (!type_is_float(type)) return type_is_unsigned(type) ? value->u : (uint64_t)value->i;
  return equal_bits_f64(type == MM_F32 ? (double)(float)value->f : value->f);
}

static bool holds(const mm_value *values, int32_t count, int type, uint64_t key) {
  for (int32_t i = 0; i < count; i++)
    if (key_of(&values[i], type) == key) return true;
  return false;
}

/* Bools may be many, but only two are different. */
static void fill_few(in_set *set, const mm_value *values, int32_t count, int type) {
  for (int32_t i = 0; i < count; i++) {
    uint64_t bits = 0;
    bool known = !lane_bits(&values[i], type, &bits);
    for (int32_t k = 0; k < set->count; k++) known |= set->few[k] == bits;
    if (!known) set->few[set->count++] = bits;
  }
}

/* ---- Whole numbers that are near each other ---- */

enum { SPAN_LIMIT = 1 << 16 };

/* Order the keys of a type as numbers that are not negative. */
static uint64_t rank(uint64_t key, int type) { return type_is_unsigned(type) ? key : key ^ UINT64_C(1) << 63; }

/* The least of the keys, and how far the greatest is from it; false: too far, or not whole numbers. */
static bool find_span(in_set *set, const mm_value *values, int32_t count, int type) {
  uint64_t least = UINT64_MAX, greatest = 0;
  if (type_is_float(type)) return false;
  for (int32_t i = 0; i < count; i++) {
    if (values[i].null) continue;
    uint64_t place = rank(key_of(&values[i], type), type);
    if (place < least) least = place;
    if (place > greatest) greatest = place;
  }
  if (greatest < least) least = greatest = rank(0, type); /* only nulls */
  set->base = rank(least, type);
  set->span = greatest - least;
  return set->span < SPAN_LIMIT;
}

static int allocate_table(in_set *set, int64_t words) {
  set->table = memory_allocate_zero(words * 8);
  set->words = set->table ? words : 0;
  return set->table ? 0 : MM_ENOMEM;
}

static int fill_span(in_set *set, const mm_value *values, int32_t count, int type) {
  set->kind = SET_SPAN;
  TRY(allocate_table(set, bit_words((int64_t)set->span + 1)));
  for (int32_t i = 0; i < count; i++)
    if (!values[i].null) bit_set(set->table, (int64_t)(key_of(&values[i], type) - set->base));
  return 0;
}

/* ---- Others ---- */

/* Put the keys into an empty table. False: two of them claim one place, which only matters when they shall be
 * `apart`. */
static bool put_keys(in_set *set, const mm_value *values, int32_t count, int type) {
  bool apart = true;
  for (int64_t i = 0; i < set->words; i++) set->table[i] = set->empty;
  for (int32_t i = 0; i < count; i++) {
    uint64_t bits, key = key_of(&values[i], type), place = in_set_slot(set, key);
    if (!lane_bits(&values[i], type, &bits)) continue;
    while (set->table[place] != set->empty && set->table[place] != key) {
      place = in_set_next_slot(set, place);
      apart = false;
    }
    set->table[place] = key;
  }
  return apart;
}

/* Factors are tried until no two keys share a place, as long as the table stays in the first cache: then each search
 * is one look. */
static int fill_hash(in_set *set, const mm_value *values, int32_t count, int type) {
  enum { FACTORS = 32, SMALL = 1024, SPARSE = 4 };
  int bits = 6;
  while (INT64_C(1) << bits < SPARSE * (int64_t)count) bits++;
  int64_t words = INT64_C(1) << bits;
  while (words < SMALL) words *= 2, bits++;
  TRY(allocate_table(set, words));
  set->kind = SET_HASH;
  set->shift = 64 - (uint32_t)bits;
  set->empty = UINT64_C(0x8000000000000001);
  while (holds(values, count, type, set->empty)) set->empty++;
  set->factor = UINT64_C(0x9e3779b97f4a7c15);
  for (int tries = 0; tries < (words > SMALL ? 1 : FACTORS) && !set->apart; tries++) {
    if (tries) set->factor *= UINT64_C(0xd1342543de82ef95); /* odd, as every factor must be */
    set->apart = put_keys(set, values, count, type);
  }
  return 0;
}

in_set *in_set_new(const mm_value *values, int32_t count, int type, mm_error *error) {
  in_set *set = memory_allocate_zero((int64_t)sizeof *set);
  int status = set ? 0 : MM_ENOMEM;
  int64_t bytes = count * mm_type_width((mm_type){.id = (uint8_t)type});
  if (set && (type == MM_BOOL || (count <= SET_LINEAR && bytes <= SET_LINEAR_BYTES))) {
    fill_few(set, values, count, type);
  } else if (set) {
    status = (find_span(set, values, count, type) ? fill_span : fill_hash)(set, values, count, type);
  }
  if (status >= 0) return set;
  error_fail_memory(error, (int64_t)count * 16);
  in_set_free(set);
  return NULL;
}

void in_set_free(in_set *set) {
  if (!set) return;
  memory_release(set->table, set->words * 8);
  memory_release(set, (int64_t)sizeof *set);
}
