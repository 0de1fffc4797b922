/* hash.c - the operation `hash`: XXH3 of libxxhash, compiled in.
 *
 * DESIGN. A value is hashed as a key: -0 as 0, all NaN as one, and a number as the same 8 bytes whatever its width, so
 * that equal whole numbers have equal hashes, and equal floats. Text is its bytes; times are their counts. The least
 * byte comes first, on every machine.
 *
 * SPDX-License-Identifier: MIT */
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "base/compiler.h"
#include "kernels/operations.h"
#include "types/total_order.h"
#include "types/type.h"
#include <endian.h>

/* ---- The operation ---- */

ALWAYS_INLINE uint64_t hash_word(uint64_t word) {
  word = htole64(word);
  return XXH3_64bits(&word, sizeof word);
}

#define KERNEL(name, ctype, hash)                                                                                      \
  static int name(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,                   \
                  const lane_vector *c) {                                                                              \
    (void)b, (void)c;                                                                                                  \
    const ctype *values = a->data;                                                                                     \
    uint64_t *out = dst->data;                                                                                         \
    for (int64_t i = 0; i < lanes->n; i++) out[i] = hash;                                                              \
    return 0;                                                                                                          \
  }
#define X(E, s, ctype, format) KERNEL(of_##s, ctype, hash_word((uint64_t)values[i]))
TYPE_INTEGERS(X)
#undef X
#define X(E, s, ctype, format) KERNEL(of_##s, ctype, hash_word(key_bits_f64((double)values[i])))
TYPE_FLOATS(X)
#undef X
KERNEL(of_bool, uint64_t, hash_word(bit_get(values, i)))

static int of_text(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                   const lane_vector *c) {
  (void)b, (void)c;
  const text_view *texts = a->data;
  uint64_t *out = dst->data;
  EACH_WANTED(lanes, dst->valid, i) out[i] = XXH3_64bits(texts[i].bytes, (size_t)texts[i].size);
  return 0;
}

#define ENTRY(E, s, ctype, format) {OP_HASH, MM_U64, MM_##E, of_##s, NULL},
static const kernel_entry entries[] = {TYPE_NUMBERS(ENTRY) ENTRY(BOOL, bool, , ) ENTRY(UTF8, text, , )};

kernel_function hash_kernels(const kernel_key *key) {
  return key->type == MM_U64 ? kernel_table_find_storage(KERNEL_TABLE(entries), key) : NULL;
}
