/* set.c - the values of IN on numbers and bools, made once when a program is built.
 * SPDX-License-Identifier: MIT */
#include "kernels.h"

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
  *bits = mm_is_unsigned(type) ? value->u : (uint64_t)value->i;
  return true;
}

/* The key a value has in the hash table, as member.isa.c makes it: integers as 64 bits, floats as f64 without -0. */
static uint64_t key_of(const mm_value *value, int type) {
  if (!mm_is_float(type)) return mm_is_unsigned(type) ? value->u : (uint64_t)value->i;
  double x = (type == MM_F32 ? (double)(float)value->f : value->f) + 0.0;
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static bool holds(const mm_value *values, int32_t count, int type, uint64_t key) {
  for (int32_t i = 0; i < count; i++)
    if (key_of(&values[i], type) == key) return true;
  return false;
}

static int fill_table(mm_set *set, const mm_value *values, int32_t count, int type) {
  int bits = 6;
  while (INT64_C(1) << bits < 4 * (int64_t)count) bits++; /* sparse: most searches end at the first place */
  int64_t size = INT64_C(1) << bits;
  set->table = mm_allocate(size * 8);
  if (!set->table) return MM_ENOMEM;
  set->shift = 64 - (uint32_t)bits;
  set->count = -1;
  set->empty = UINT64_C(0x8000000000000001);
  while (holds(values, count, type, set->empty)) set->empty++;
  for (int64_t i = 0; i < size; i++) set->table[i] = set->empty;
  for (int32_t i = 0; i < count; i++) {
    uint64_t bits_of_lane, key = key_of(&values[i], type), place = mm_set_place(set, key);
    if (!lane_bits(&values[i], type, &bits_of_lane)) continue;
    while (set->table[place] != set->empty && set->table[place] != key) place = mm_set_next(set, place);
    set->table[place] = key;
  }
  return 0;
}

mm_set *mm_set_new(const mm_value *values, int32_t count, int type, mm_error *error) {
  mm_set *set = mm_allocate_zero((int64_t)sizeof *set);
  if (!set) {
    mm_fail_memory(error, (int64_t)sizeof *set);
    return NULL;
  }
  if (count <= SET_LINEAR) {
    for (int32_t i = 0; i < count; i++)
      if (lane_bits(&values[i], type, &set->few[set->count])) set->count++;
  } else if (fill_table(set, values, count, type) < 0) {
    mm_fail_memory(error, (int64_t)count * 16);
    mm_set_free(set);
    return NULL;
  }
  return set;
}

void mm_set_free(mm_set *set) {
  if (!set) return;
  if (set->table) mm_release(set->table, INT64_C(8) << (64 - set->shift));
  mm_release(set, (int64_t)sizeof *set);
}
