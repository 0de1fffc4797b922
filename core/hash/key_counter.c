/* key_counter.c - a hash table of keys with linear probing; keys stay in the batches they came in.
 * SPDX-License-Identifier: MIT */
#include "hash/key_counter.h"
#include "base/alloc.h"
#include "base/error.h"
#include "types/hash_bytes.h"
#include "types/column.h"
#include "types/type.h"
#include "types/value.h"
#include <string.h>

/* ---- Hashes ---- */

static const uint64_t null_hash = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t float_bits(double value) {
  uint64_t bits;
  if (value != value) return UINT64_C(0x7ff8000000000000);
  value += 0.0; /* -0 becomes 0 */
  memcpy(&bits, &value, 8);
  return bits;
}

static uint64_t value_bits(const mm_column *column, int64_t row) {
  switch (type_storage(column->type.id)) {
#define X(ENUM, suffix, ctype, format)                                                                                 \
  case MM_##ENUM: return (uint64_t)((const ctype *)column->data)[row];
    TYPE_INTEGERS(X)
#undef X
  case MM_F32: return float_bits(((const float *)column->data)[row]);
  case MM_F64: return float_bits(((const double *)column->data)[row]);
  case MM_BOOL: return bit_get(column->data, row);
  default: return 0;
  }
}

void key_counter_hash(const mm_batch *rows, const int32_t *keys, int32_t key_count, uint64_t *hashes) {
  memset(hashes, 0, (size_t)rows->length * sizeof *hashes);
  for (int32_t k = 0; k < key_count; k++) {
    const mm_column *column = &rows->columns[keys[k]];
    for (int64_t i = 0; i < rows->length; i++) {
      uint64_t value = null_hash;
      if (column_is_null(column, i)) value = null_hash;
      else if (column->offsets)
        value = hash_bytes((const uint8_t *)column->data + column->offsets[i],
                           column->offsets[i + 1] - column->offsets[i], 0);
      else value = value_bits(column, i);
      hashes[i] = hash_u64(hashes[i] * 31 + value);
    }
  }
}

/* ---- Table ---- */

static key_counter_slot *find_slot(const key_counter *t, const mm_batch *batches, const int32_t *keys,
                                   int32_t key_count, uint64_t hash, row_ref row) {
  for (int64_t i = (int64_t)(hash & (uint64_t)(t->capacity - 1));; i = (i + 1) & (t->capacity - 1)) {
    key_counter_slot *slot = &t->slots[i];
    if (slot->count == 0) return slot;
    if (slot->hash != hash) continue;
    const mm_batch *a = &batches[row.part], *b = &batches[slot->first.part];
    int32_t k = 0;
    while (k < key_count && column_compare(&a->columns[keys[k]], row.row, &b->columns[keys[k]], slot->first.row) == 0)
      k++;
    if (k == key_count) return slot;
  }
}

static int grow_slots(key_counter *t, mm_error *error) {
  key_counter wider = {.capacity = t->capacity ? t->capacity * 2 : 1024, .used = t->used};
  int64_t size = wider.capacity * (int64_t)sizeof *wider.slots;
  wider.slots = memory_allocate_zero(size);
  if (!wider.slots) return error_fail_memory(error, size);
  for (int64_t i = 0; i < t->capacity; i++) {
    if (t->slots[i].count == 0) continue;
    int64_t j = (int64_t)(t->slots[i].hash & (uint64_t)(wider.capacity - 1));
    while (wider.slots[j].count) j = (j + 1) & (wider.capacity - 1);
    wider.slots[j] = t->slots[i];
  }
  key_counter_free(t);
  *t = wider;
  return 0;
}

int key_counter_add(key_counter *t, const mm_batch *batches, const int32_t *keys, int32_t key_count, uint64_t hash,
                    row_ref row, int64_t *count, mm_error *error) {
  if (t->used * 2 >= t->capacity) TRY(grow_slots(t, error));
  key_counter_slot *slot = find_slot(t, batches, keys, key_count, hash, row);
  if (slot->count == 0) {
    *slot = (key_counter_slot){.hash = hash, .first = row};
    t->used++;
  }
  *count = ++slot->count;
  return 0;
}

void key_counter_clear(key_counter *t) {
  if (t->used) memset(t->slots, 0, (size_t)t->capacity * sizeof *t->slots);
  t->used = 0;
}

void key_counter_free(key_counter *t) {
  memory_release(t->slots, t->capacity * (int64_t)sizeof *t->slots);
  *t = (key_counter){0};
}
