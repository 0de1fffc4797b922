/* hash_table.c - the table of keys: an open hash table of entries, numbered in order of first appearance.
 * SPDX-License-Identifier: MIT */
#include "hash/hash_table.h"
#include "base/alloc.h"
#include "base/error.h"
#include "types/type.h"
#include <string.h>

/* Rows ahead whose slot, and whose entry, is fetched from memory; only for tables beyond the first cache. */
enum { FIRST_SLOTS = 256, AHEAD_SLOT = 24, AHEAD_ENTRY = 12, FETCH_SLOTS = 2048 };

#define INDEX_BITS UINT64_C(0xffffffff)

static int64_t slots_bytes(const hash_table *table) { return table->slot_count * (int64_t)sizeof(uint64_t); }

static int grow_slots(hash_table *table, mm_error *error) {
  int64_t count = table->slot_count ? table->slot_count * 2 : FIRST_SLOTS;
  uint64_t *slots = memory_allocate_zero(count * (int64_t)sizeof(uint64_t));
  if (!slots) return error_fail_memory(error, count * (int64_t)sizeof(uint64_t));
  uint64_t mask = (uint64_t)count - 1;
  for (int64_t i = 0; i < table->tabled; i++) {
    uint64_t hash = hash_table_entry(table, i)[0], at = hash & mask;
    while (slots[at]) at = (at + 1) & mask;
    slots[at] = (hash & ~INDEX_BITS) | (uint64_t)(i + 1);
  }
  memory_release(table->slots, slots_bytes(table));
  table->slots = slots;
  table->slot_count = count;
  return 0;
}

/* Copy long text of the newest entry, which points into somebody's column. */
static int own_text(hash_table *table, uint64_t *entry, mm_error *error) {
  for (int32_t c = 0; c < table->encoding->count; c++) {
    const encoded_column *key = &table->encoding->columns[c];
    if (!type_is_text(key->type.id) || !key_is_long(entry[key->word + 1])) continue;
    int64_t size = key_size(entry[key->word + 1]);
    uint8_t *bytes = arena_take(table->arena, size);
    if (!bytes) return error_fail_memory(error, size);
    memcpy(bytes, (const void *)(uintptr_t)entry[key->word], (size_t)size);
    entry[key->word] = (uint64_t)(uintptr_t)bytes;
  }
  return 0;
}

static __attribute__((noinline)) int insert(hash_table *table, uint64_t at, const uint64_t *entry, mm_error *error) {
  int64_t size = table->encoding->stride * (int64_t)sizeof(uint64_t);
  if (table->count >= (int64_t)INDEX_BITS - 1)
    return error_fail(error, MM_ELIMIT, "too-many-keys", "more than %lld different keys in one part",
                      (long long)table->count);
  TRY(mm_buffer_append(&table->entries, entry, size, error));
  if (table->encoding->text)
    TRY(own_text(table, (uint64_t *)(table->entries.data + table->entries.size - size), error));
  table->slots[at] = (entry[0] & ~INDEX_BITS) | (uint64_t)++table->count;
  table->tabled = table->count;
  return 0;
}

static bool equal_with_text(const row_encoding *encoding, const uint64_t *a, const uint64_t *b) {
  if (a[0] != b[0]) return false;
  int32_t w = 1;
  for (int32_t c = 0; c < encoding->count; c++) {
    const encoded_column *key = &encoding->columns[c];
    if (!type_is_text(key->type.id)) continue;
    for (; w < key->word; w++)
      if (a[w] != b[w]) return false;
    if (a[w + 1] != b[w + 1]) return false;
    if (a[w] != b[w]) {
      if (!key_is_long(a[w + 1])) return false;
      if (memcmp((const void *)(uintptr_t)a[w], (const void *)(uintptr_t)b[w], (size_t)key_size(a[w + 1])) != 0)
        return false;
    }
    w += 2;
  }
  for (; w <= encoding->words; w++)
    if (a[w] != b[w]) return false;
  return true;
}

/* `words` and `text` are constants where this is inlined. */
static inline __attribute__((always_inline)) bool equal(const row_encoding *encoding, const uint64_t *a,
                                                        const uint64_t *b, int32_t words, bool text) {
  uint64_t different = a[0] ^ b[0];
  for (int32_t w = 1; w <= words; w++) different |= a[w] ^ b[w];
  if (!different) return true;
  return text && equal_with_text(encoding, a, b);
}

static inline __attribute__((always_inline)) int resolve(hash_table *table, const uint64_t *entries, int64_t n,
                                                         uint32_t *numbers, int32_t words, int32_t stride, bool text,
                                                         mm_error *error) {
  const row_encoding *encoding = table->encoding;
  bool fetch = table->slot_count >= FETCH_SLOTS;
  uint64_t mask = (uint64_t)table->slot_count - 1;
  uint64_t *slots = table->slots;
  const uint64_t *known = (const uint64_t *)table->entries.data;
  for (int64_t i = 0; i < n; i++) {
    const uint64_t *entry = entries + i * stride;
    if (fetch && i + AHEAD_SLOT < n) {
      __builtin_prefetch(&slots[entry[AHEAD_SLOT * stride] & mask]);
      uint64_t soon = slots[entry[AHEAD_ENTRY * stride] & mask] & INDEX_BITS;
      __builtin_prefetch(known + (soon - (soon != 0)) * (uint64_t)stride);
    }
    uint64_t hash = entry[0], at = hash & mask, slot;
    for (; (slot = slots[at]); at = (at + 1) & mask) {
      if ((slot ^ hash) & ~INDEX_BITS) continue;
      if (equal(encoding, known + ((slot & INDEX_BITS) - 1) * (uint64_t)stride, entry, words, text)) break;
    }
    if (__builtin_expect(!slot, 0)) {
      if (table->count * 2 >= table->slot_count) {
        TRY(grow_slots(table, error));
        slots = table->slots;
        mask = (uint64_t)table->slot_count - 1;
        for (at = hash & mask; slots[at];) at = (at + 1) & mask;
      }
      TRY(insert(table, at, entry, error));
      known = (const uint64_t *)table->entries.data;
      slot = (uint64_t)table->count;
    }
    numbers[i] = (uint32_t)(slot & INDEX_BITS) - 1;
  }
  return 0;
}

int hash_table_resolve(hash_table *table, const uint64_t *entries, int64_t n, uint32_t *numbers, mm_error *error) {
  const row_encoding *encoding = table->encoding;
  if (!table->slots) TRY(grow_slots(table, error));
  if (encoding->words == 1 && encoding->stride == 2) return resolve(table, entries, n, numbers, 1, 2, false, error);
  if (encoding->words == 2 && encoding->text) return resolve(table, entries, n, numbers, 2, 3, true, error);
  if (!encoding->text) return resolve(table, entries, n, numbers, encoding->words, encoding->stride, false, error);
  return resolve(table, entries, n, numbers, encoding->words, encoding->stride, true, error);
}

int hash_table_append(hash_table *table, const uint64_t *entries, int64_t n, uint32_t *numbers, mm_error *error) {
  int64_t size = table->encoding->stride * (int64_t)sizeof(uint64_t);
  TRY(mm_buffer_append(&table->entries, entries, n * size, error));
  for (int64_t i = 0; i < n; i++) numbers[i] = (uint32_t)(table->count + i);
  if (table->encoding->text)
    for (int64_t i = 0; i < n; i++)
      TRY(own_text(table, (uint64_t *)(table->entries.data + (table->count + i) * size), error));
  table->count += n;
  return 0;
}

void hash_table_clear(hash_table *table) {
  if (table->tabled * 16 >= table->slot_count) {
    if (table->slots) memset(table->slots, 0, (size_t)slots_bytes(table));
  } else {
    /* Each key sits in the run of full slots that begins at its hash: clear the run. */
    uint64_t mask = (uint64_t)table->slot_count - 1;
    for (int64_t i = 0; i < table->tabled; i++)
      for (uint64_t at = hash_table_entry(table, i)[0] & mask; table->slots[at]; at = (at + 1) & mask)
        table->slots[at] = 0;
  }
  table->count = table->tabled = 0;
  table->entries.size = 0;
}

void hash_table_free(hash_table *table) {
  memory_release(table->slots, slots_bytes(table));
  mm_buffer_free(&table->entries);
  table->slots = NULL;
  table->slot_count = table->count = table->tabled = 0;
}
