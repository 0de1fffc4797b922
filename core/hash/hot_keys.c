/* hot_keys.c - hot-key cache: recent keys -> group, without building a row key.
 *
 * DESIGN. While a morsel has few groups, their keys are remembered as they lie in the columns: up to 16 bytes of all
 * key columns side by side, in two words, and a tag that says which of them are null. Text stands there as a code of
 * two bytes, by which the column's cache of strings knows it; where text is the only key its number is the group
 * itself. A row that is remembered has its group after one multiplication, without a branch, which keys in a random
 * order would make the processor guess wrong; what is not in its first slot is looked for afterwards, others go the
 * long way and are remembered then. Two ways to write one key (0 and -0) are two memories of one group. Where a
 * vector's keys are all of one or two bytes and none is null, they are their own place in a table.
 *
 * SPDX-License-Identifier: MIT */
#include "hash/hot_keys.h"
#include "base/alloc.h"
#include "base/error.h"
#include "hash/hot_strings.h"
#include "kernels/text/text_offsets.h"
#include "types/type.h"
#include <string.h>

enum { SLOT_BITS = 12, SLOTS = 1 << SLOT_BITS, MOST = 1024, REACH = 16, MOST_COLUMNS = 8, CODE_WIDTH = 2 };
enum { PLACES = 1 << 16 };

typedef struct memory {
  uint64_t low;
  uint32_t tag, group; /* HOT_UNKNOWN: the slot is empty */
} memory;

struct hot_keys {
  uint16_t places[2][PLACES]; /* of keys of one and of two bytes: number of a group + 1, 0: none */
  uint16_t placed[2][MOST];   /* those that are not 0 */
  int32_t place_count[2];
  memory memories[SLOTS];
  uint64_t highs[SLOTS]; /* upper words of the memories, where keys have some */
  uint16_t used[MOST];   /* slots that are not empty */
  int32_t count;
  int32_t order[MOST_COLUMNS], at[MOST_COLUMNS]; /* columns, the widest first; the byte where each begins */
  int32_t width;                                 /* bytes of all columns */
  hot_strings *strings[MOST_COLUMNS];            /* of columns of text */
  uint64_t low[MM_VECTOR], high[MM_VECTOR];
  uint8_t tags[MM_VECTOR];
  uint32_t texts[MM_VECTOR], rest[MM_VECTOR];
};

static int32_t width_of(mm_type type) {
  int id = type_storage(type.id);
  return id == MM_NULL ? 0 : id == MM_BOOL ? 1 : type_is_text(id) ? CODE_WIDTH : (int32_t)mm_type_width(type);
}

static bool is_text(const row_encoding *encoding, int32_t column) {
  return type_is_text(encoding->columns[column].type.id);
}

static void forget(hot_keys *hot) {
  for (int32_t i = 0; i < hot->count; i++)
    hot->memories[hot->used[i]] = (memory){.group = HOT_UNKNOWN}, hot->highs[hot->used[i]] = 0;
  hot->count = 0;
}

int hot_keys_init(hot_keys **result, const row_encoding *encoding, mm_error *error) {
  int32_t width = 0;
  if (encoding->count == 0 || encoding->count > MOST_COLUMNS) return 0;
  for (int32_t c = 0; c < encoding->count; c++) width += width_of(encoding->columns[c].type);
  if (width == 0 || width > 16) return 0;
  hot_keys *hot = memory_allocate_zero(sizeof *hot);
  if (!hot) return error_fail_memory(error, sizeof *hot);
  int32_t placed = 0;
  for (int32_t wanted = 8; wanted >= 0; wanted = wanted ? wanted / 2 : -1)
    for (int32_t c = 0; c < encoding->count; c++) {
      if (width_of(encoding->columns[c].type) != wanted) continue;
      hot->order[placed++] = c;
      hot->at[c] = hot->width;
      hot->width += wanted;
    }
  for (int32_t i = 0; i < SLOTS; i++) hot->memories[i].group = HOT_UNKNOWN;
  int status = 0;
  for (int32_t c = 0; c < encoding->count && status >= 0; c++)
    if (is_text(encoding, c)) status = hot_strings_init(&hot->strings[c], error);
  if (status < 0) hot_keys_free(hot);
  else *result = hot;
  return status;
}

void hot_keys_free(hot_keys *hot) {
  for (int32_t c = 0; hot && c < MOST_COLUMNS; c++) hot_strings_free(hot->strings[c]);
  memory_release(hot, sizeof *hot);
}

void hot_keys_clear(hot_keys *hot) {
  if (!hot) return;
  for (int w = 0; w < 2; w++) {
    for (int32_t i = 0; i < hot->place_count[w]; i++) hot->places[w][hot->placed[w][i]] = 0;
    hot->place_count[w] = 0;
  }
  forget(hot);
  for (int32_t c = 0; c < MOST_COLUMNS; c++)
    if (hot->strings[c]) hot_strings_clear(hot->strings[c]);
}

/* ---- Keys that are places ---- */

/* The width of the keys of these rows, if they are places; else 0. */
static int64_t place_width(const row_encoding *encoding, const mm_column *column, int64_t start, int64_t n) {
  int id = type_storage(encoding->columns[0].type.id);
  if (encoding->count > 1 || column->valid || n == 0 || id == MM_BOOL || id == MM_NULL) return 0;
  int64_t width = type_is_text(id) ? texts_common_size(column->offsets + start, n) : mm_type_width(column->type);
  return width == 1 || width == 2 ? width : 0;
}

static const uint8_t *place_bytes(const mm_column *column, int64_t width, int64_t start) {
  return (const uint8_t *)column->data + (column->offsets ? column->offsets[start] : start * width);
}

static void find_places(const hot_keys *hot, const uint8_t *data, int64_t width, int64_t n, uint32_t *groups) {
  if (width == 2) {
    for (int64_t i = 0; i < n; i++) {
      uint16_t place;
      memcpy(&place, data + i * 2, sizeof place);
      groups[i] = hot->places[1][place] - UINT32_C(1);
    }
  } else {
    for (int64_t i = 0; i < n; i++) groups[i] = hot->places[0][data[i]] - UINT32_C(1);
  }
}

static void remember_place(hot_keys *hot, const uint8_t *data, int64_t width, uint32_t group) {
  uint16_t place = data[0];
  if (width == 2) memcpy(&place, data, sizeof place);
  uint16_t *known = &hot->places[width - 1][place];
  if (*known || hot->place_count[width - 1] == MOST) return;
  *known = (uint16_t)(group + 1);
  hot->placed[width - 1][hot->place_count[width - 1]++] = place;
}

/* ---- Rows as words ---- */

static inline __attribute__((always_inline)) uint64_t load(const void *data, int64_t i, int64_t width) {
  uint64_t word = 0;
  memcpy(&word, (const uint8_t *)data + i * width, (size_t)width);
  return word;
}

static inline __attribute__((always_inline)) void put(uint64_t *words, int32_t shift, const void *data, int64_t width,
                                                      int64_t n) {
  if (shift)
    for (int64_t i = 0; i < n; i++) words[i] |= load(data, i, width) << shift;
  else
    for (int64_t i = 0; i < n; i++) words[i] = load(data, i, width);
}

static void put_bits(uint64_t *words, int32_t shift, const uint64_t *bits, int64_t start, int64_t n) {
  for (int64_t i = 0; i < n; i++) words[i] = (shift ? words[i] : 0) | (uint64_t)bit_get(bits, start + i) << shift;
}

static void put_texts(uint64_t *words, int32_t shift, const uint32_t *texts, int64_t n) {
  for (int64_t i = 0; i < n; i++) words[i] = (shift ? words[i] : 0) | (uint64_t)(texts[i] & UINT16_MAX) << shift;
}

/* Null is 0 in the words and a bit of the tag. */
static void put_nulls(hot_keys *hot, uint64_t *words, int32_t shift, int64_t width, int32_t column,
                      const uint64_t *valid, int64_t start, int64_t n) {
  uint64_t value = (width == 8 ? UINT64_MAX : (UINT64_C(1) << width * 8) - 1) << shift;
  for (int64_t i = 0; i < n; i++) {
    uint64_t null = !bit_get(valid, start + i);
    words[i] &= ~(value & (0 - null));
    hot->tags[i] |= (uint8_t)(null << column);
  }
}

static bool tagged(const row_encoding *encoding, const mm_batch *batch, const int32_t *keys) {
  for (int32_t c = 0; c < encoding->count; c++)
    if (batch->columns[keys[c]].valid && !is_text(encoding, c)) return true;
  return false;
}

static void pack(hot_keys *hot, const row_encoding *encoding, const mm_batch *batch, const int32_t *keys, int64_t start,
                 int64_t n) {
  if (tagged(encoding, batch, keys)) memset(hot->tags, 0, (size_t)n);
  for (int32_t k = 0; k < encoding->count; k++) {
    int32_t c = hot->order[k], shift = (hot->at[c] & 7) * 8;
    const mm_column *column = &batch->columns[keys[c]];
    uint64_t *words = hot->at[c] < 8 ? hot->low : hot->high;
    int32_t width = width_of(encoding->columns[c].type);
    if (width == 0) continue; /* a column of nulls, which has no data */
    if (is_text(encoding, c)) {
      hot_strings_find(hot->strings[c], column, start, n, hot->texts);
      put_texts(words, shift, hot->texts, n);
      continue;
    }
    const uint8_t *data = (const uint8_t *)column->data + start * width;
    if (encoding->columns[c].type.id == MM_BOOL) put_bits(words, shift, column->data, start, n);
    else if (width == 8) put(words, shift, data, 8, n);
    else if (width == 4) put(words, shift, data, 4, n);
    else if (width == 2) put(words, shift, data, 2, n);
    else put(words, shift, data, 1, n);
    if (column->valid) put_nulls(hot, words, shift, width, c, column->valid, start, n);
  }
}

/* ---- Memories ---- */

static inline uint64_t slot_of(uint64_t low, uint64_t high, uint32_t tag) {
  uint64_t mixed = (low ^ low >> 32) * UINT64_C(0x9e3779b97f4a7c15) + tag * UINT64_C(0xc4ceb9fe1a85ec53);
  if (high) mixed += (high ^ high >> 32) * UINT64_C(0xc2b2ae3d27d4eb4f);
  return mixed >> (64 - SLOT_BITS);
}

static inline bool is_same_key(const hot_keys *hot, uint64_t slot, uint64_t low, uint64_t high, uint32_t tag) {
  const memory *seen = &hot->memories[slot];
  return !((seen->low ^ low) | (hot->highs[slot] ^ high) | (seen->tag ^ tag));
}

/* The slot of a key, or the empty one where it belongs; -1: all that it may have are taken. */
static int64_t probe_key(const hot_keys *hot, uint64_t low, uint64_t high, uint32_t tag) {
  uint64_t at = slot_of(low, high, tag);
  for (int i = 0; i < REACH; i++, at = (at + 1) & (SLOTS - 1))
    if (hot->memories[at].group == HOT_UNKNOWN || is_same_key(hot, at, low, high, tag)) return (int64_t)at;
  return -1;
}

/* `width`, and whether there are upper words and tags, are constants where this is inlined. */
static inline __attribute__((always_inline)) void find_memories(hot_keys *hot, const void *data, int64_t width,
                                                                const uint64_t *high, const uint8_t *tags, int64_t n,
                                                                uint32_t *groups) {
  int64_t left = 0;
  for (int64_t i = 0; i < n; i++) {
    uint64_t word = load(data, i, width), upper = high ? high[i] : 0;
    uint32_t tag = tags ? tags[i] : 0;
    uint64_t slot = slot_of(word, upper, tag);
    const memory *seen = &hot->memories[slot];
    uint64_t different = (seen->low ^ word) | (seen->tag ^ tag);
    if (high) different |= hot->highs[slot] ^ upper;
    groups[i] = seen->group;
    hot->rest[left] = (uint32_t)i;
    left += different != 0;
  }
  for (int64_t k = 0; k < left; k++) {
    uint32_t i = hot->rest[k];
    int64_t slot = probe_key(hot, load(data, i, width), high ? high[i] : 0, tags ? tags[i] : 0);
    groups[i] = slot < 0 ? HOT_UNKNOWN : hot->memories[slot].group;
  }
}

static void find_packed(hot_keys *hot, bool tags, int64_t n, uint32_t *groups) {
  if (hot->width > 8 && tags) find_memories(hot, hot->low, 8, hot->high, hot->tags, n, groups);
  else if (hot->width > 8) find_memories(hot, hot->low, 8, hot->high, NULL, n, groups);
  else if (tags) find_memories(hot, hot->low, 8, NULL, hot->tags, n, groups);
  else find_memories(hot, hot->low, 8, NULL, NULL, n, groups);
}

/* A single column that lies there as the words it would be packed into. */
static void find_values(hot_keys *hot, const uint8_t *data, int64_t width, int64_t n, uint32_t *groups) {
  if (width == 8) find_memories(hot, data, 8, NULL, NULL, n, groups);
  else find_memories(hot, data, 4, NULL, NULL, n, groups);
}

static void remember(hot_keys *hot, const row_encoding *encoding, const mm_batch *batch, const int32_t *keys,
                     int64_t row, uint32_t group) {
  uint64_t words[2] = {0, 0};
  uint32_t tag = 0;
  for (int32_t c = 0; c < encoding->count; c++) {
    const mm_column *column = &batch->columns[keys[c]];
    int32_t width = width_of(encoding->columns[c].type);
    bool null = column->valid && !bit_get(column->valid, row);
    uint64_t value = 0;
    if (is_text(encoding, c)) {
      hot_strings *strings = hot->strings[c];
      uint32_t code = hot_strings_add(strings, column, row, null ? 0 : (uint32_t)hot_strings_count(strings) + 1);
      if (code == HOT_UNKNOWN) return;
      value = code;
    } else if (null) tag |= UINT32_C(1) << c;
    else if (encoding->columns[c].type.id == MM_BOOL) value = bit_get(column->data, row);
    else if (width) memcpy(&value, (const uint8_t *)column->data + row * width, (size_t)width);
    words[hot->at[c] >> 3 & 1] |= value << (hot->at[c] & 7) * 8;
  }
  int64_t slot = probe_key(hot, words[0], words[1], tag);
  if (slot < 0 || hot->memories[slot].group != HOT_UNKNOWN || hot->count == MOST) return;
  hot->memories[slot] = (memory){words[0], tag, group};
  hot->highs[slot] = words[1];
  hot->used[hot->count++] = (uint16_t)slot;
}

/* ---- Rows ---- */

int64_t hot_keys_find(hot_keys *hot, const row_encoding *encoding, const mm_batch *batch, const int32_t *keys,
                      int64_t start, int64_t n, uint32_t *groups, uint32_t *missed) {
  const mm_column *column = &batch->columns[keys[0]];
  int64_t places = place_width(encoding, column, start, n);
  if (places) {
    find_places(hot, place_bytes(column, places, start), places, n, groups);
  } else if (encoding->count == 1 && is_text(encoding, 0)) {
    hot_strings_find(hot->strings[0], column, start, n, groups);
  } else if (encoding->count == 1 && !column->valid && hot->width >= 4) {
    find_values(hot, (const uint8_t *)column->data + start * hot->width, hot->width, n, groups);
  } else {
    pack(hot, encoding, batch, keys, start, n);
    find_packed(hot, tagged(encoding, batch, keys), n, groups);
  }
  int64_t misses = 0;
  for (int64_t i = 0; i < n; i++) misses += groups[i] == HOT_UNKNOWN;
  if (!misses) return 0;
  misses = 0;
  for (int64_t i = 0; i < n; i++) {
    missed[misses] = (uint32_t)i;
    misses += groups[i] == HOT_UNKNOWN;
  }
  return misses;
}

void hot_keys_remember(hot_keys *hot, const row_encoding *encoding, const mm_batch *batch, const int32_t *keys,
                       int64_t start, int64_t n, const uint32_t *rows, int64_t count, const uint32_t *groups) {
  const mm_column *column = &batch->columns[keys[0]];
  int64_t width = place_width(encoding, column, start, n);
  for (int64_t k = 0; k < count; k++) {
    int64_t row = start + rows[k];
    uint32_t group = groups[rows[k]];
    if (width) remember_place(hot, place_bytes(column, width, row), width, group);
    else if (encoding->count == 1 && is_text(encoding, 0)) hot_strings_add(hot->strings[0], column, row, group);
    else remember(hot, encoding, batch, keys, row, group);
  }
}
