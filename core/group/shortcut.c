/* shortcut.c - the groups of short keys, found again without writing entries.
 *
 * DESIGN. While a morsel has few groups, their keys are remembered as they lie in the columns: up to 16 bytes of all key columns
 * side by side, and a tag of four bits a column, which are its size, or NULL_SIZE. A row whose bytes are remembered has its
 * group after one multiplication; others go the long way, and are remembered then. Two ways to write one key (0 and -0) are
 * two memories of one group. A single column has a table to itself, in which a key is one word: the value, or up to seven
 * bytes of text under their size. No slot that is empty can be taken for a key: it holds a word that belongs elsewhere.
 * Where a vector's keys are all of one or two bytes and none is null, they are their own place in a table of codes.
 *
 * SPDX-License-Identifier: MIT */
#include "groups.h"

enum { SINGLE_BITS = 11, SINGLES = 1 << SINGLE_BITS };
enum { SLOT_BITS = 12, SLOTS = 1 << SLOT_BITS, MOST = 1024, MOST_COLUMNS = 8, NULL_SIZE = 15, TOO_LONG = 9 };

typedef struct packed {
  uint64_t low, high;
  uint32_t tag, group;
} packed;

typedef struct single {
  uint64_t word;
  uint32_t group, used;
} single;

enum { CODES = 1 << 16 };

struct mm_shortcut {
  uint16_t codes[2][CODES]; /* by width - 1: number of a group + 1, 0: none */
  uint16_t known[2][MOST];  /* codes that are not 0 */
  int32_t code_count[2];
  single singles[SINGLES];
  int32_t single_count;
  uint16_t slots[SLOTS]; /* number of a memory + 1 */
  int32_t count;
  packed memories[MOST];
  packed rows[MM_VECTOR]; /* `group` counts bytes while they are filled; more than 16: too long */
};

/* ---- Single columns ---- */

#define WORD_NULL (UINT64_C(0xff) << 56) /* of text; above 32 bits of values: 1 << 32 */
#define WORD_LONG (UINT64_C(0xfe) << 56) /* never remembered */

static inline uint64_t single_slot(uint64_t word) { return word * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SINGLE_BITS); }

/* A key may stand in its slot or in that slot's neighbour. */
static void empty_singles(mm_shortcut *shortcut) {
  uint64_t elsewhere = 1; /* than slots 0 and 1, where the word 0 belongs */
  while (single_slot(elsewhere) <= 1) elsewhere++;
  memset(shortcut->singles, 0, sizeof shortcut->singles);
  shortcut->singles[0].word = shortcut->singles[1].word = elsewhere;
  shortcut->single_count = 0;
}

static inline uint64_t text_word(uint64_t bytes, int64_t size) {
  uint64_t word = (bytes & ((UINT64_C(1) << (size & 7) * 8) - 1)) | (uint64_t)size << 56;
  return size > 7 ? WORD_LONG : word;
}

static inline uint64_t load(const void *data, int64_t i, int64_t width) {
  uint64_t word = 0;
  memcpy(&word, (const uint8_t *)data + i * width, (size_t)width);
  return word;
}

/* The width of the codes that the rows of a column are, 0 when they are not. */
static int64_t code_width(const mm_column *column, int64_t width, int64_t start, int64_t n) {
  if (column->valid || n == 0) return 0;
  if (width == 0) width = mm_texts_size(column->offsets + start, n);
  return width == 1 || width == 2 ? width : 0;
}

static const uint8_t *code_bytes(const mm_column *column, int64_t width, int64_t start) {
  return (const uint8_t *)column->data + (column->offsets ? column->offsets[start] : start * width);
}

static int64_t find_codes(const mm_shortcut *shortcut, const uint8_t *data, int64_t width, int64_t n, uint32_t *groups,
                          uint32_t *missed) {
  uint32_t unknown = 0;
  if (width == 2) {
    for (int64_t i = 0; i < n; i++) {
      uint16_t code;
      memcpy(&code, data + i * 2, sizeof code);
      groups[i] = shortcut->codes[1][code] - UINT32_C(1);
      unknown |= groups[i];
    }
  } else {
    for (int64_t i = 0; i < n; i++) {
      groups[i] = shortcut->codes[0][data[i]] - UINT32_C(1);
      unknown |= groups[i];
    }
  }
  int64_t misses = 0;
  for (int64_t i = 0; unknown > UINT16_MAX && i < n; i++)
    if (groups[i] == UINT32_MAX) missed[misses++] = (uint32_t)i;
  return misses;
}

static void remember_codes(mm_shortcut *shortcut, const uint8_t *data, int64_t width, int64_t n,
                           const uint32_t *groups) {
  uint16_t *codes = shortcut->codes[width - 1];
  for (int64_t i = 0; i < n; i++) {
    uint16_t code = data[i * width];
    if (width == 2) memcpy(&code, data + i * 2, sizeof code);
    if (codes[code] || shortcut->code_count[width - 1] == MOST) continue;
    codes[code] = (uint16_t)(groups[i] + 1);
    shortcut->known[width - 1][shortcut->code_count[width - 1]++] = code;
  }
}

/* Groups of n rows by `word`, of a row; rows without a memory, or not `sure`, are missed. Without a branch, which keys in a random order
 * would make the processor guess wrong. */
#define FIND_SINGLES(word_of_row, sure)                                                                                \
  for (int64_t i = 0; i < n; i++) {                                                                                    \
    uint64_t word = (word_of_row), slot = single_slot(word);                                                           \
    slot ^= (uint64_t)(shortcut->singles[slot].word != word);                                                          \
    const single *at = &shortcut->singles[slot];                                                                       \
    groups[i] = at->group;                                                                                             \
    missed[misses] = (uint32_t)i;                                                                                      \
    misses += (at->word != word) | !(sure);                                                                            \
  }

static int64_t find_short_text(const mm_shortcut *shortcut, const mm_column *column, int64_t start, int64_t rows,
                               uint32_t *groups, uint32_t *missed) {
  const uint8_t *bytes = column->data;
  const int32_t *offsets = column->offsets + start;
  const uint64_t *valid = column->valid;
  int64_t readable = column->offsets[column->length], n = rows, misses = 0;
  while (n > 0 && offsets[n - 1] + INT64_C(8) > readable) n--; /* the last few are read with more care */
  if (valid) {
    FIND_SINGLES(mm_bit(valid, start + i) ? text_word(load(bytes + offsets[i], 0, 8), offsets[i + 1] - offsets[i])
                                          : WORD_NULL,
                 true)
  } else {
    FIND_SINGLES(text_word(load(bytes + offsets[i], 0, 8), offsets[i + 1] - offsets[i]), true)
  }
  for (int64_t i = n; i < rows; i++) missed[misses++] = (uint32_t)i;
  return misses;
}

static int64_t find_numbers(const mm_shortcut *shortcut, const mm_column *column, int64_t width, int64_t start,
                            int64_t n, uint32_t *groups, uint32_t *missed) {
  const uint8_t *data = (const uint8_t *)column->data + start * width;
  const uint64_t *valid = column->valid;
  int64_t misses = 0;
  if (valid && width == 8) {
    FIND_SINGLES(load(data, i, 8), mm_bit(valid, start + i))
  } else if (valid && width == 4) {
    FIND_SINGLES(mm_bit(valid, start + i) ? load(data, i, 4) : UINT64_C(1) << 32, true)
  } else if (width == 8) {
    FIND_SINGLES(load(data, i, 8), true)
  } else if (width == 4) {
    FIND_SINGLES(load(data, i, 4), true)
  } else if (width == 2) {
    FIND_SINGLES(load(data, i, 2), !valid || mm_bit(valid, start + i))
  } else {
    FIND_SINGLES(load(data, i, 1), !valid || mm_bit(valid, start + i))
  }
  return misses;
}

/* The word of a row, the same as above; false: not to be remembered. */
static bool single_word(const mm_column *column, int64_t width, int64_t row, uint64_t *word) {
  bool null = column->valid && !mm_bit(column->valid, row);
  if (!width) {
    int64_t size = column->offsets[row + 1] - column->offsets[row];
    uint64_t bytes = 0;
    if (size > 7 && !null) return false;
    if (!null && size) memcpy(&bytes, (const uint8_t *)column->data + column->offsets[row], (size_t)size);
    *word = null ? WORD_NULL : text_word(bytes, size);
    return true;
  }
  *word = null ? UINT64_C(1) << 32 : load(column->data, row, width);
  return !null || width == 4;
}

static void remember_single(mm_shortcut *shortcut, uint64_t word, uint32_t group) {
  uint64_t slot = single_slot(word);
  if (shortcut->singles[slot].used && shortcut->singles[slot].word != word) slot ^= 1;
  if (shortcut->singles[slot].used) return; /* known, or there is no place for it */
  shortcut->singles[slot] = (single){word, group, 1};
  shortcut->single_count++;
}

/* Whether one column has words; its width, 0 for text. */
static bool has_words(const mm_key_layout *layout, int64_t *width) {
  int id = mm_storage(layout->columns[0].type.id);
  *width = mm_is_text(id) ? 0 : mm_type_width(layout->columns[0].type);
  return layout->count == 1 && id != MM_BOOL && id != MM_NULL;
}

int mm_shortcut_init(mm_shortcut **shortcut, const mm_key_layout *layout, mm_error *error) {
  if (layout->count == 0 || layout->count > MOST_COLUMNS) return 0;
  *shortcut = mm_allocate_zero(sizeof **shortcut);
  if (!*shortcut) return mm_fail_memory(error, sizeof **shortcut);
  empty_singles(*shortcut);
  return 0;
}

void mm_shortcut_free(mm_shortcut *shortcut) { mm_release(shortcut, sizeof *shortcut); }

void mm_shortcut_clear(mm_shortcut *shortcut) {
  if (!shortcut) return;
  for (int w = 0; w < 2; w++) {
    for (int32_t i = 0; i < shortcut->code_count[w]; i++) shortcut->codes[w][shortcut->known[w][i]] = 0;
    shortcut->code_count[w] = 0;
  }
  if (shortcut->single_count) empty_singles(shortcut);
  if (!shortcut->count) return;
  memset(shortcut->slots, 0, sizeof shortcut->slots);
  shortcut->count = 0;
}

/* ---- Packing rows ---- */

static const uint64_t first_bytes[9] = {
    0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff, UINT64_MAX};

/* The bytes of a text of up to 8; `size` becomes TOO_LONG for others. */
static inline uint64_t text_bytes(const uint8_t *bytes, int64_t from, int64_t readable, int64_t *size) {
  uint64_t word = 0;
  if (*size > 8) return *size = TOO_LONG, 0;
  if (from + 8 <= readable) {
    memcpy(&word, bytes + from, 8);
    return word & first_bytes[*size];
  }
  for (int64_t k = 0; k < *size; k++) word |= (uint64_t)bytes[from + k] << k * 8;
  return word;
}

static inline void add_bytes(packed *row, bool first, int32_t index, uint64_t bytes, int64_t size, bool null) {
  uint32_t tag = null ? NULL_SIZE : (uint32_t)size;
  if (null) size = 0, bytes = 0;
  if (first) {
    *row = (packed){.low = bytes, .tag = tag, .group = size == TOO_LONG ? 32 : (uint32_t)size};
    return;
  }
  uint32_t used = row->group & 15;
  if (used >= 8) row->high |= bytes << (used - 8) * 8;
  else if (used) row->low |= bytes << used * 8, row->high |= bytes >> (8 - used) * 8;
  else row->low |= bytes;
  row->tag |= tag << index * 4;
  row->group += size == TOO_LONG ? 32 : (uint32_t)size;
}

static inline bool null_at(const mm_column *column, int64_t row) {
  return column->valid && !mm_bit(column->valid, row);
}

static void pack_text(packed *rows, int32_t index, const mm_column *column, int64_t start, int64_t n) {
  const uint8_t *bytes = column->data;
  const int32_t *offsets = column->offsets + start;
  int64_t readable = column->offsets[column->length];
  for (int64_t i = 0; i < n; i++) {
    int64_t size = offsets[i + 1] - offsets[i];
    uint64_t word = text_bytes(bytes, offsets[i], readable, &size);
    add_bytes(&rows[i], index == 0, index, word, size, null_at(column, start + i));
  }
}

static void pack_fixed(packed *rows, int32_t index, const mm_column *column, int64_t start, int64_t n, int64_t width) {
  const uint8_t *data = (const uint8_t *)column->data + start * width;
  for (int64_t i = 0; i < n; i++) {
    uint64_t word = 0;
    if (width == 8) memcpy(&word, data + i * 8, 8);
    else if (width == 4) memcpy(&word, data + i * 4, 4);
    else if (width == 2) memcpy(&word, data + i * 2, 2);
    else word = data[i];
    add_bytes(&rows[i], index == 0, index, word, width, null_at(column, start + i));
  }
}

static void pack(mm_shortcut *shortcut, const mm_key_layout *layout, const mm_batch *batch, const int32_t *keys,
                 int64_t start, int64_t n) {
  packed *rows = shortcut->rows;
  for (int32_t c = 0; c < layout->count; c++) {
    const mm_column *column = &batch->columns[keys[c]];
    int id = mm_storage(layout->columns[c].type.id);
    if (mm_is_text(id)) pack_text(rows, c, column, start, n);
    else if (id == MM_BOOL)
      for (int64_t i = 0; i < n; i++)
        add_bytes(&rows[i], c == 0, c, mm_bit(column->data, start + i), 1, null_at(column, start + i));
    else if (id == MM_NULL)
      for (int64_t i = 0; i < n; i++) add_bytes(&rows[i], c == 0, c, 0, 0, true);
    else pack_fixed(rows, c, column, start, n, mm_type_width(layout->columns[c].type));
  }
}

/* ---- Memories ---- */

static inline uint64_t slot_of(uint64_t low, uint64_t high, uint32_t tag) {
  uint64_t mixed = (low ^ (high << 23 | high >> 41)) + tag * UINT64_C(0x9e3779b97f4a7c15);
  mixed *= UINT64_C(0xc2b2ae3d27d4eb4f);
  return (mixed ^ mixed << 29) >> (64 - SLOT_BITS);
}

/* The memory of a key, or -1. */
static inline int32_t find(const mm_shortcut *shortcut, uint64_t low, uint64_t high, uint32_t tag) {
  for (uint64_t at = slot_of(low, high, tag);; at = (at + 1) & (SLOTS - 1)) {
    uint16_t slot = shortcut->slots[at];
    if (!slot) return -1;
    const packed *memory = &shortcut->memories[slot - 1];
    if (!((memory->low ^ low) | (memory->high ^ high) | (memory->tag ^ tag))) return slot - 1;
  }
}

static void remember(mm_shortcut *shortcut, const packed *row, uint32_t group) {
  if (row->group > 16 || shortcut->count == MOST || find(shortcut, row->low, row->high, row->tag) >= 0) return;
  uint64_t at = slot_of(row->low, row->high, row->tag);
  while (shortcut->slots[at]) at = (at + 1) & (SLOTS - 1);
  shortcut->memories[shortcut->count] = *row;
  shortcut->memories[shortcut->count].group = group;
  shortcut->slots[at] = (uint16_t)++shortcut->count;
}

int64_t mm_shortcut_find(mm_shortcut *shortcut, const mm_key_layout *layout, const mm_batch *batch, const int32_t *keys,
                         int64_t start, int64_t n, uint32_t *groups, uint32_t *missed) {
  int64_t width;
  if (has_words(layout, &width)) {
    const mm_column *column = &batch->columns[keys[0]];
    int64_t wide = code_width(column, width, start, n);
    if (wide) return find_codes(shortcut, code_bytes(column, wide, start), wide, n, groups, missed);
    int64_t missing = width ? find_numbers(shortcut, column, width, start, n, groups, missed)
                            : find_short_text(shortcut, column, start, n, groups, missed);
    if (missing * 8 < n || n < 64) return missing;
  }
  pack(shortcut, layout, batch, keys, start, n);
  int64_t misses = 0;
  for (int64_t i = 0; i < n; i++) {
    const packed *row = &shortcut->rows[i];
    int32_t memory = row->group > 16 ? -1 : find(shortcut, row->low, row->high, row->tag);
    if (memory >= 0) groups[i] = shortcut->memories[memory].group;
    else missed[misses++] = (uint32_t)i;
  }
  return misses;
}

void mm_shortcut_remember(mm_shortcut *shortcut, const mm_key_layout *layout, const mm_batch *batch,
                          const int32_t *keys, int64_t start, int64_t n, const uint32_t *groups) {
  int64_t width;
  uint64_t word;
  if (has_words(layout, &width)) {
    const mm_column *column = &batch->columns[keys[0]];
    int64_t wide = code_width(column, width, start, n);
    if (wide) remember_codes(shortcut, code_bytes(column, wide, start), wide, n, groups);
    for (int64_t i = 0; i < n; i++)
      if (single_word(&batch->columns[keys[0]], width, start + i, &word)) remember_single(shortcut, word, groups[i]);
  }
  pack(shortcut, layout, batch, keys, start, n);
  for (int64_t i = 0; i < n; i++) remember(shortcut, &shortcut->rows[i], groups[i]);
}
