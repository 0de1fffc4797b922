/* hot_keys.c - the groups of keys that were seen lately, found again without writing entries.
 *
 * DESIGN. While a morsel has few groups, their keys are remembered as they lie in the columns: up to 16 bytes of all key columns side
 * by side, in two words, and a tag that says which of them are null. Text stands there as a code of two bytes, by which the column's
 * lexicon knows it; where text is the only key its number is the group itself. A row that is remembered has its group after one
 * multiplication, without a branch, which keys in a random order would make the processor guess wrong; what is not in its
 * first slot is looked for afterwards, others go the long way and are remembered then. Two ways to write one key (0 and -0) are
 * two memories of one group. Where a vector's keys are all of one or two bytes and none is null, they are their own place in a table.
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
  hot_strings *lexicons[MOST_COLUMNS];           /* of columns of text */
  uint64_t low[MM_VECTOR], high[MM_VECTOR];
  uint8_t tags[MM_VECTOR];
  uint32_t texts[MM_VECTOR], rest[MM_VECTOR];
};

static int32_t width_of(mm_type type) {
  int id = type_storage(type.id);
  return id == MM_NULL ? 0 : id == MM_BOOL ? 1 : type_is_text(id) ? CODE_WIDTH : (int32_t)mm_type_width(type);
}

static bool is_text(const row_encoding *layout, int32_t column) {
  return type_is_text(layout->columns[column].type.id);
}

static void forget(hot_keys *shortcut) {
  for (int32_t i = 0; i < shortcut->count; i++)
    shortcut->memories[shortcut->used[i]] = (memory){.group = HOT_UNKNOWN}, shortcut->highs[shortcut->used[i]] = 0;
  shortcut->count = 0;
}

int hot_keys_init(hot_keys **result, const row_encoding *layout, mm_error *error) {
  int32_t width = 0;
  if (layout->count == 0 || layout->count > MOST_COLUMNS) return 0;
  for (int32_t c = 0; c < layout->count; c++) width += width_of(layout->columns[c].type);
  if (width == 0 || width > 16) return 0;
  hot_keys *shortcut = memory_allocate_zero(sizeof *shortcut);
  if (!shortcut) return error_fail_memory(error, sizeof *shortcut);
  int32_t placed = 0;
  for (int32_t wanted = 8; wanted >= 0; wanted = wanted ? wanted / 2 : -1)
    for (int32_t c = 0; c < layout->count; c++) {
      if (width_of(layout->columns[c].type) != wanted) continue;
      shortcut->order[placed++] = c;
      shortcut->at[c] = shortcut->width;
      shortcut->width += wanted;
    }
  for (int32_t i = 0; i < SLOTS; i++) shortcut->memories[i].group = HOT_UNKNOWN;
  int status = 0;
  for (int32_t c = 0; c < layout->count && status >= 0; c++)
    if (is_text(layout, c)) status = hot_strings_init(&shortcut->lexicons[c], error);
  if (status < 0) hot_keys_free(shortcut);
  else *result = shortcut;
  return status;
}

void hot_keys_free(hot_keys *shortcut) {
  for (int32_t c = 0; shortcut && c < MOST_COLUMNS; c++) hot_strings_free(shortcut->lexicons[c]);
  memory_release(shortcut, sizeof *shortcut);
}

void hot_keys_clear(hot_keys *shortcut) {
  if (!shortcut) return;
  for (int w = 0; w < 2; w++) {
    for (int32_t i = 0; i < shortcut->place_count[w]; i++) shortcut->places[w][shortcut->placed[w][i]] = 0;
    shortcut->place_count[w] = 0;
  }
  forget(shortcut);
  for (int32_t c = 0; c < MOST_COLUMNS; c++)
    if (shortcut->lexicons[c]) hot_strings_clear(shortcut->lexicons[c]);
}

/* ---- Keys that are places ---- */

/* The width of the keys of these rows, if they are places; else 0. */
static int64_t place_width(const row_encoding *layout, const mm_column *column, int64_t start, int64_t n) {
  int id = type_storage(layout->columns[0].type.id);
  if (layout->count > 1 || column->valid || n == 0 || id == MM_BOOL || id == MM_NULL) return 0;
  int64_t width = type_is_text(id) ? texts_common_size(column->offsets + start, n) : mm_type_width(column->type);
  return width == 1 || width == 2 ? width : 0;
}

static const uint8_t *place_bytes(const mm_column *column, int64_t width, int64_t start) {
  return (const uint8_t *)column->data + (column->offsets ? column->offsets[start] : start * width);
}

static void find_places(const hot_keys *shortcut, const uint8_t *data, int64_t width, int64_t n, uint32_t *groups) {
  if (width == 2) {
    for (int64_t i = 0; i < n; i++) {
      uint16_t place;
      memcpy(&place, data + i * 2, sizeof place);
      groups[i] = shortcut->places[1][place] - UINT32_C(1);
    }
  } else {
    for (int64_t i = 0; i < n; i++) groups[i] = shortcut->places[0][data[i]] - UINT32_C(1);
  }
}

static void remember_place(hot_keys *shortcut, const uint8_t *data, int64_t width, uint32_t group) {
  uint16_t place = data[0];
  if (width == 2) memcpy(&place, data, sizeof place);
  uint16_t *known = &shortcut->places[width - 1][place];
  if (*known || shortcut->place_count[width - 1] == MOST) return;
  *known = (uint16_t)(group + 1);
  shortcut->placed[width - 1][shortcut->place_count[width - 1]++] = place;
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
static void put_nulls(hot_keys *shortcut, uint64_t *words, int32_t shift, int64_t width, int32_t column,
                      const uint64_t *valid, int64_t start, int64_t n) {
  uint64_t value = (width == 8 ? UINT64_MAX : (UINT64_C(1) << width * 8) - 1) << shift;
  for (int64_t i = 0; i < n; i++) {
    uint64_t null = !bit_get(valid, start + i);
    words[i] &= ~(value & (0 - null));
    shortcut->tags[i] |= (uint8_t)(null << column);
  }
}

static bool tagged(const row_encoding *layout, const mm_batch *batch, const int32_t *keys) {
  for (int32_t c = 0; c < layout->count; c++)
    if (batch->columns[keys[c]].valid && !is_text(layout, c)) return true;
  return false;
}

static void pack(hot_keys *shortcut, const row_encoding *layout, const mm_batch *batch, const int32_t *keys,
                 int64_t start, int64_t n) {
  if (tagged(layout, batch, keys)) memset(shortcut->tags, 0, (size_t)n);
  for (int32_t k = 0; k < layout->count; k++) {
    int32_t c = shortcut->order[k], shift = (shortcut->at[c] & 7) * 8;
    const mm_column *column = &batch->columns[keys[c]];
    uint64_t *words = shortcut->at[c] < 8 ? shortcut->low : shortcut->high;
    int32_t width = width_of(layout->columns[c].type);
    if (width == 0) continue; /* a column of nulls, which has no data */
    if (is_text(layout, c)) {
      hot_strings_find(shortcut->lexicons[c], column, start, n, shortcut->texts);
      put_texts(words, shift, shortcut->texts, n);
      continue;
    }
    const uint8_t *data = (const uint8_t *)column->data + start * width;
    if (layout->columns[c].type.id == MM_BOOL) put_bits(words, shift, column->data, start, n);
    else if (width == 8) put(words, shift, data, 8, n);
    else if (width == 4) put(words, shift, data, 4, n);
    else if (width == 2) put(words, shift, data, 2, n);
    else put(words, shift, data, 1, n);
    if (column->valid) put_nulls(shortcut, words, shift, width, c, column->valid, start, n);
  }
}

/* ---- Memories ---- */

static inline uint64_t slot_of(uint64_t low, uint64_t high, uint32_t tag) {
  uint64_t mixed = (low ^ low >> 32) * UINT64_C(0x9e3779b97f4a7c15) + tag * UINT64_C(0xc4ceb9fe1a85ec53);
  if (high) mixed += (high ^ high >> 32) * UINT64_C(0xc2b2ae3d27d4eb4f);
  return mixed >> (64 - SLOT_BITS);
}

static inline bool same(const hot_keys *shortcut, uint64_t slot, uint64_t low, uint64_t high, uint32_t tag) {
  const memory *seen = &shortcut->memories[slot];
  return !((seen->low ^ low) | (shortcut->highs[slot] ^ high) | (seen->tag ^ tag));
}

/* The slot of a key, or the empty one where it belongs; -1: all that it may have are taken. */
static int64_t probe(const hot_keys *shortcut, uint64_t low, uint64_t high, uint32_t tag) {
  uint64_t at = slot_of(low, high, tag);
  for (int i = 0; i < REACH; i++, at = (at + 1) & (SLOTS - 1))
    if (shortcut->memories[at].group == HOT_UNKNOWN || same(shortcut, at, low, high, tag)) return (int64_t)at;
  return -1;
}

/* `width`, and whether there are upper words and tags, are constants where this is inlined. */
static inline __attribute__((always_inline)) void find_memories(hot_keys *shortcut, const void *data, int64_t width,
                                                                const uint64_t *high, const uint8_t *tags, int64_t n,
                                                                uint32_t *groups) {
  int64_t left = 0;
  for (int64_t i = 0; i < n; i++) {
    uint64_t word = load(data, i, width), upper = high ? high[i] : 0;
    uint32_t tag = tags ? tags[i] : 0;
    uint64_t slot = slot_of(word, upper, tag);
    const memory *seen = &shortcut->memories[slot];
    uint64_t different = (seen->low ^ word) | (seen->tag ^ tag);
    if (high) different |= shortcut->highs[slot] ^ upper;
    groups[i] = seen->group;
    shortcut->rest[left] = (uint32_t)i;
    left += different != 0;
  }
  for (int64_t k = 0; k < left; k++) {
    uint32_t i = shortcut->rest[k];
    int64_t slot = probe(shortcut, load(data, i, width), high ? high[i] : 0, tags ? tags[i] : 0);
    groups[i] = slot < 0 ? HOT_UNKNOWN : shortcut->memories[slot].group;
  }
}

static void find_packed(hot_keys *shortcut, bool tags, int64_t n, uint32_t *groups) {
  if (shortcut->width > 8 && tags) find_memories(shortcut, shortcut->low, 8, shortcut->high, shortcut->tags, n, groups);
  else if (shortcut->width > 8) find_memories(shortcut, shortcut->low, 8, shortcut->high, NULL, n, groups);
  else if (tags) find_memories(shortcut, shortcut->low, 8, NULL, shortcut->tags, n, groups);
  else find_memories(shortcut, shortcut->low, 8, NULL, NULL, n, groups);
}

/* A single column that lies there as the words it would be packed into. */
static void find_values(hot_keys *shortcut, const uint8_t *data, int64_t width, int64_t n, uint32_t *groups) {
  if (width == 8) find_memories(shortcut, data, 8, NULL, NULL, n, groups);
  else find_memories(shortcut, data, 4, NULL, NULL, n, groups);
}

static void remember(hot_keys *shortcut, const row_encoding *layout, const mm_batch *batch, const int32_t *keys,
                     int64_t row, uint32_t group) {
  uint64_t words[2] = {0, 0};
  uint32_t tag = 0;
  for (int32_t c = 0; c < layout->count; c++) {
    const mm_column *column = &batch->columns[keys[c]];
    int32_t width = width_of(layout->columns[c].type);
    bool null = column->valid && !bit_get(column->valid, row);
    uint64_t value = 0;
    if (is_text(layout, c)) {
      hot_strings *lexicon = shortcut->lexicons[c];
      uint32_t code = hot_strings_add(lexicon, column, row, null ? 0 : (uint32_t)hot_strings_count(lexicon) + 1);
      if (code == HOT_UNKNOWN) return;
      value = code;
    } else if (null) tag |= UINT32_C(1) << c;
    else if (layout->columns[c].type.id == MM_BOOL) value = bit_get(column->data, row);
    else if (width) memcpy(&value, (const uint8_t *)column->data + row * width, (size_t)width);
    words[shortcut->at[c] >> 3 & 1] |= value << (shortcut->at[c] & 7) * 8;
  }
  int64_t slot = probe(shortcut, words[0], words[1], tag);
  if (slot < 0 || shortcut->memories[slot].group != HOT_UNKNOWN || shortcut->count == MOST) return;
  shortcut->memories[slot] = (memory){words[0], tag, group};
  shortcut->highs[slot] = words[1];
  shortcut->used[shortcut->count++] = (uint16_t)slot;
}

/* ---- Rows ---- */

int64_t hot_keys_find(hot_keys *shortcut, const row_encoding *layout, const mm_batch *batch, const int32_t *keys,
                      int64_t start, int64_t n, uint32_t *groups, uint32_t *missed) {
  const mm_column *column = &batch->columns[keys[0]];
  int64_t places = place_width(layout, column, start, n);
  if (places) {
    find_places(shortcut, place_bytes(column, places, start), places, n, groups);
  } else if (layout->count == 1 && is_text(layout, 0)) {
    hot_strings_find(shortcut->lexicons[0], column, start, n, groups);
  } else if (layout->count == 1 && !column->valid && shortcut->width >= 4) {
    find_values(shortcut, (const uint8_t *)column->data + start * shortcut->width, shortcut->width, n, groups);
  } else {
    pack(shortcut, layout, batch, keys, start, n);
    find_packed(shortcut, tagged(layout, batch, keys), n, groups);
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

void hot_keys_remember(hot_keys *shortcut, const row_encoding *layout, const mm_batch *batch, const int32_t *keys,
                       int64_t start, int64_t n, const uint32_t *rows, int64_t count, const uint32_t *groups) {
  const mm_column *column = &batch->columns[keys[0]];
  int64_t width = place_width(layout, column, start, n);
  for (int64_t k = 0; k < count; k++) {
    int64_t row = start + rows[k];
    uint32_t group = groups[rows[k]];
    if (width) remember_place(shortcut, place_bytes(column, width, row), width, group);
    else if (layout->count == 1 && is_text(layout, 0)) hot_strings_add(shortcut->lexicons[0], column, row, group);
    else remember(shortcut, layout, batch, keys, row, group);
  }
}
