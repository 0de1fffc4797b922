/* hot_strings.c - cache of recently seen strings: text -> small id, looked up from the column's bytes.
 *
 * DESIGN. A text is read as words from its beginning and words that end with its end, which overlap where it is
 * shorter: two words up to 16 bytes, four up to 32, eight up to 64; longer ones are hashed. A text is known by these
 * words and its size. Rows of a vector are first parted by how many words they take, so that each of the loops does the
 * same for every row: where texts of many sizes come in a random order, a branch that depends on the text would cost
 * more than all else. What the first slot of a text does not hold is looked for in the slots behind it, afterwards.
 *
 * SPDX-License-Identifier: MIT */
#include "hash/hot_strings.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/bitmap.h"
#include "base/error.h"
#include "types/hash_bytes.h"
#include "stage.h"
#include <string.h>

enum { SLOT_BITS = 12, SLOTS = 1 << SLOT_BITS, MOST = 1024, REACH = 16, MOST_WORDS = 8 };
enum { WORDS_2, WORDS_4, WORDS_8, LONG, NOTHING, KINDS }; /* how rows are read; NOTHING: they are null */

typedef struct known {
  uint64_t words[MOST_WORDS]; /* LONG: the hash twice, then where the bytes are */
  uint32_t size, number;
} known;

struct hot_strings {
  uint16_t slots[SLOTS]; /* place among the texts */
  known texts[1 + MOST]; /* the first one is no text: empty slots show it */
  int32_t count;
  uint32_t null; /* number of null */
  arena arena;
  uint32_t rows[KINDS][MM_VECTOR], rest[MM_VECTOR];
};

int hot_strings_init(hot_strings **strings, mm_error *error) {
  *strings = memory_allocate_zero(sizeof **strings);
  if (!*strings) return error_fail_memory(error, sizeof **strings);
  (*strings)->null = (*strings)->texts[0].number = HOT_UNKNOWN;
  (*strings)->texts[0].size = UINT32_MAX;
  return 0;
}

void hot_strings_free(hot_strings *strings) {
  if (strings) arena_free(&strings->arena);
  memory_release(strings, sizeof *strings);
}

void hot_strings_clear(hot_strings *strings) {
  if (strings->count) memset(strings->slots, 0, sizeof strings->slots);
  strings->count = 0;
  strings->null = HOT_UNKNOWN;
  arena_reset(&strings->arena);
}

int32_t hot_strings_count(const hot_strings *strings) { return strings->count; }

/* ---- Texts as words ---- */

static inline uint64_t word_at(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

static inline void read_pair(const uint8_t *bytes, uint64_t *words) {
  words[0] = word_at(bytes);
  words[1] = word_at(bytes + 8);
}

/* `count` words, a constant where this is inlined. Two words read 8 bytes of any text. */
static inline __attribute__((always_inline)) void read_words(const uint8_t *bytes, int64_t size, int count,
                                                             uint64_t *words) {
  if (count == 2) {
    bool whole = size >= 8;
    uint64_t mask = whole ? UINT64_MAX : (UINT64_C(1) << (size & 7) * 8) - 1;
    words[0] = word_at(bytes) & mask;
    words[1] = word_at(bytes + (whole ? size - 8 : 0)) & mask;
    return;
  }
  read_pair(bytes, words);
  if (count == 8) read_pair(bytes + 16, words + 2), read_pair(bytes + size - 32, words + 4);
  read_pair(bytes + size - 16, words + count - 2);
}

/* By pairs, because compilers unroll no loop over so few words. */
static inline uint64_t mix_pair(const uint64_t *words, uint64_t a, uint64_t b) { return words[0] * a + words[1] * b; }

static inline __attribute__((always_inline)) uint64_t first_slot(const uint64_t *words, int count, int64_t size) {
  uint64_t mixed = (uint64_t)size + mix_pair(words, UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xc2b2ae3d27d4eb4f));
  if (count >= 4) mixed += mix_pair(words + 2, UINT64_C(0x165667b19e3779f9), UINT64_C(0x27d4eb2f165667c5));
  if (count == 8) {
    mixed += mix_pair(words + 4, UINT64_C(0xff51afd7ed558ccd), UINT64_C(0xc4ceb9fe1a85ec53));
    mixed += mix_pair(words + 6, UINT64_C(0x9fb21c651e98df25), UINT64_C(0xd6e8feb86659fd93));
  }
  return (mixed ^ mixed >> 29) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SLOT_BITS);
}

static inline uint64_t differ(const uint64_t *a, const uint64_t *b) { return (a[0] ^ b[0]) | (a[1] ^ b[1]); }

static inline __attribute__((always_inline)) bool same(const known *text, const uint64_t *words, int count,
                                                       int64_t size) {
  uint64_t different = (text->size ^ (uint64_t)size) | differ(text->words, words);
  if (count >= 4) different |= differ(text->words + 2, words + 2);
  if (count == 8) different |= differ(text->words + 4, words + 4) | differ(text->words + 6, words + 6);
  return !different;
}

static inline int kind_of(int64_t size) { return (size > 16) + (size > 32) + (size > 64); }

/* ---- One text ---- */

/* The words of a text of any size, of which no byte more is read; returns how many count. */
static int any_words(const uint8_t *bytes, int64_t size, uint64_t *words) {
  uint8_t copy[8] = {0};
  switch (kind_of(size)) {
  case WORDS_2:
    if (size < 8) {
      if (size) memcpy(copy, bytes, (size_t)size);
      words[0] = words[1] = word_at(copy);
    } else read_words(bytes, size, 2, words);
    return 2;
  case WORDS_4: read_words(bytes, size, 4, words); return 4;
  case WORDS_8: read_words(bytes, size, 8, words); return 8;
  default: words[0] = words[1] = hash_bytes(bytes, size, 0); return 2;
  }
}

static uint64_t any_slot(const uint64_t *words, int count, int64_t size) {
  switch (count) {
  case 2: return first_slot(words, 2, size);
  case 4: return first_slot(words, 4, size);
  default: return first_slot(words, 8, size);
  }
}

/* A text's slot, or the empty one where it belongs; -1: all that it may have are taken. */
static int64_t probe_string(const hot_strings *strings, const uint8_t *bytes, int64_t size, const uint64_t *words,
                            int count) {
  uint64_t at = any_slot(words, count, size);
  for (int i = 0; i < REACH; i++, at = (at + 1) & (SLOTS - 1)) {
    const known *text = &strings->texts[strings->slots[at]];
    if (!strings->slots[at]) return (int64_t)at;
    if (!same(text, words, count, size)) continue;
    if (kind_of(size) < LONG || memcmp((const void *)(uintptr_t)text->words[2], bytes, (size_t)size) == 0)
      return (int64_t)at;
  }
  return -1;
}

static uint32_t number_of(const hot_strings *strings, const uint8_t *bytes, int64_t size) {
  uint64_t words[MOST_WORDS];
  int count = any_words(bytes, size, words);
  int64_t slot = probe_string(strings, bytes, size, words, count);
  return slot < 0 ? HOT_UNKNOWN : strings->texts[strings->slots[slot]].number;
}

uint32_t hot_strings_add(hot_strings *strings, const mm_column *column, int64_t row, uint32_t number) {
  if (column->valid && !bit_get(column->valid, row)) {
    if (strings->null == HOT_UNKNOWN) strings->null = number;
    return strings->null;
  }
  uint64_t words[MOST_WORDS];
  const uint8_t *bytes = (const uint8_t *)column->data + column->offsets[row];
  int64_t size = column->offsets[row + 1] - column->offsets[row];
  int count = any_words(bytes, size, words);
  int64_t slot = probe_string(strings, bytes, size, words, count);
  if (slot >= 0 && strings->slots[slot]) return strings->texts[strings->slots[slot]].number;
  if (slot < 0 || strings->count == MOST) return HOT_UNKNOWN;
  if (kind_of(size) == LONG) {
    uint8_t *kept = arena_take(&strings->arena, size);
    if (!kept) return HOT_UNKNOWN;
    memcpy(kept, bytes, (size_t)size);
    words[2] = (uint64_t)(uintptr_t)kept;
    count = 3;
  }
  known *text = &strings->texts[++strings->count];
  memcpy(text->words, words, (size_t)count * sizeof *words);
  text->size = (uint32_t)size;
  text->number = number;
  strings->slots[slot] = (uint16_t)strings->count;
  return number;
}

/* ---- A vector of texts ---- */

/* Numbers of rows that take `count` words; those that are not in their first slot go to the rest. */
static inline __attribute__((always_inline)) int64_t find_rows(hot_strings *strings, const uint8_t *bytes,
                                                               const int32_t *offsets, int kind, int count, int64_t n,
                                                               int64_t left, uint32_t *numbers) {
  const uint32_t *rows = strings->rows[kind];
  uint32_t *rest = strings->rest;
  for (int64_t k = 0; k < n; k++) {
    uint32_t i = rows[k];
    uint64_t words[MOST_WORDS];
    int64_t size = offsets[i + 1] - offsets[i];
    read_words(bytes + offsets[i], size, count, words);
    const known *text = &strings->texts[strings->slots[first_slot(words, count, size)]];
    numbers[i] = text->number;
    rest[left] = i;
    left += !same(text, words, count, size);
  }
  return left;
}

/* Part rows by kind. Each row is put on every list, where the next one of that kind takes its place, so that nothing
 * waits for a counter in memory. */
static inline __attribute__((always_inline)) void part_rows(hot_strings *strings, const int32_t *offsets,
                                                            const uint64_t *valid, int64_t start, int64_t n,
                                                            int64_t *counts) {
  int64_t at[KINDS] = {0};
  for (int64_t i = 0; i < n; i++) {
    int64_t size = offsets[i + 1] - offsets[i], here = !valid || bit_get(valid, start + i);
    strings->rows[WORDS_2][at[WORDS_2]] = (uint32_t)i;
    strings->rows[WORDS_4][at[WORDS_4]] = (uint32_t)i;
    strings->rows[WORDS_8][at[WORDS_8]] = (uint32_t)i;
    strings->rows[LONG][at[LONG]] = (uint32_t)i;
    at[WORDS_2] += here & (size <= 16);
    at[WORDS_4] += here & (size > 16) & (size <= 32);
    at[WORDS_8] += here & (size > 32) & (size <= 64);
    at[LONG] += here & (size > 64);
    if (!valid) continue;
    strings->rows[NOTHING][at[NOTHING]] = (uint32_t)i;
    at[NOTHING] += !here;
  }
  memcpy(counts, at, sizeof at);
}

static void find_part(hot_strings *strings, const int32_t *offsets, const uint64_t *valid, int64_t start, int64_t n,
                      int64_t *counts) {
  if (valid) part_rows(strings, offsets, valid, start, n, counts);
  else part_rows(strings, offsets, NULL, start, n, counts);
}

void hot_strings_find(hot_strings *strings, const mm_column *column, int64_t start, int64_t n, uint32_t *numbers) {
  const uint8_t *bytes = column->data;
  const int32_t *offsets = column->offsets + start;
  int64_t readable = column->offsets[column->length], counts[KINDS] = {0}, left = 0, whole = n;
  while (whole > 0 && offsets[whole - 1] + INT64_C(8) > readable) whole--; /* a foreign block may end there */
  find_part(strings, offsets, column->valid, start, whole, counts);
  left = find_rows(strings, bytes, offsets, WORDS_2, 2, counts[WORDS_2], left, numbers);
  left = find_rows(strings, bytes, offsets, WORDS_4, 4, counts[WORDS_4], left, numbers);
  left = find_rows(strings, bytes, offsets, WORDS_8, 8, counts[WORDS_8], left, numbers);
  for (int64_t k = 0; k < left + counts[LONG]; k++) {
    uint32_t i = k < left ? strings->rest[k] : strings->rows[LONG][k - left];
    numbers[i] = number_of(strings, bytes + offsets[i], offsets[i + 1] - offsets[i]);
  }
  for (int64_t k = 0; k < counts[NOTHING]; k++) numbers[strings->rows[NOTHING][k]] = strings->null;
  for (int64_t i = whole; i < n; i++) {
    bool null = column->valid && !bit_get(column->valid, start + i);
    numbers[i] = null ? strings->null : number_of(strings, bytes + offsets[i], offsets[i + 1] - offsets[i]);
  }
}
