/* text_in_set.c - IN on text: is it one of a set of constants, which is hashed once when the program is built?
 * SPDX-License-Identifier: MIT */
#include "kernels/in/text_in_set.h"
#include "base/alloc.h"
#include "kernels/operations.h"
#include "kernels/text/text_bytes.h"
#include "types/hash_bytes.h"
#include <string.h>

typedef struct member {
  text_view text;
  uint64_t hash;
} member; /* an empty place: bytes is NULL */

typedef struct text_set {
  uint64_t sizes; /* bit i: there is a text of i bytes (63: or more) */
  uint64_t mask;
  member places[]; /* mask + 1, at least half of them empty */
} text_set;

static int64_t bytes_of(uint64_t mask) {
  return (int64_t)sizeof(text_set) + (int64_t)(mask + 1) * (int64_t)sizeof(member);
}
static inline uint64_t size_bit(int64_t size) { return UINT64_C(1) << (size < 63 ? size : 63); }
static inline uint64_t hash_text(text_view text) { return hash_bytes(text.bytes, text.size, 0); }

static bool set_has(const text_set *set, text_view text, uint64_t key, uint64_t *place) {
  for (*place = key & set->mask; set->places[*place].text.bytes; *place = (*place + 1) & set->mask) {
    const member *m = &set->places[*place];
    if (m->hash == key && m->text.size == text.size && bytes_equal(m->text.bytes, text.bytes, text.size)) return true;
  }
  return false;
}

const void *text_in_set_new(const mm_value *constants, int32_t count) {
  uint64_t mask = 7;
  while (mask + 1 < 2 * (uint64_t)count) mask = mask * 2 + 1;
  text_set *set = memory_allocate_zero(bytes_of(mask));
  if (!set) return NULL;
  set->mask = mask;
  for (int32_t i = 0; i < count; i++) {
    if (constants[i].null) continue;
    const char *bytes = constants[i].text ? constants[i].text : "";
    text_view text = {(const uint8_t *)bytes, constants[i].size};
    uint64_t key = hash_text(text), place;
    if (set_has(set, text, key, &place)) continue;
    set->places[place] = (member){text, key};
    set->sizes |= size_bit(text.size);
  }
  return set;
}

void text_in_set_free(const void *set) {
  if (set) memory_release((void *)(uintptr_t)set, bytes_of(((const text_set *)set)->mask));
}

static int in(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b, const lane_vector *c) {
  (void)b, (void)c;
  const text_set *set = lanes->state;
  const text_view *x = a->data;
  uint64_t *out = dst->data;
  memset(out, 0, (size_t)bit_words(lanes->n) * 8);
  EACH_WANTED(lanes, dst->valid, i) {
    uint64_t place;
    if (set->sizes & size_bit(x[i].size) && set_has(set, x[i], hash_text(x[i]), &place)) bit_set(out, i);
  }
  return 0;
}

static const kernel_entry entries[] = {{OP_IN, MM_UTF8, MM_NULL, in, NULL}};

kernel_function text_in_set_kernels(const kernel_key *key) {
  return kernel_table_find_storage(KERNEL_TABLE(entries), key);
}
