/* gather.c - columns made of picked rows: of one column, or of several.
 * SPDX-License-Identifier: MIT */
#include "types/gather.h"
#include "base/error.h"
#include "types/column.h"
#include "types/type.h"
#include <string.h>

enum { AHEAD = 16 }; /* rows between a prefetch and its use */

#define TAKE(T)                                                                                                        \
  do {                                                                                                                 \
    const T *values = from->data;                                                                                      \
    T *out = (T *)mm_block_data(to->data_block);                                                                       \
    for (int64_t i = 0; i < count; i++) {                                                                              \
      if (i + AHEAD < count && index[i + AHEAD] >= 0) __builtin_prefetch(&values[index[i + AHEAD]]);                   \
      out[i] = index[i] < 0 ? 0 : values[index[i]];                                                                    \
    }                                                                                                                  \
  } while (0)

static void take_data(mm_column *to, const mm_column *from, const int64_t *index, int64_t count) {
  switch (mm_type_width(to->type)) {
  case 1: TAKE(uint8_t); break;
  case 2: TAKE(uint16_t); break;
  case 4: TAKE(uint32_t); break;
  default: TAKE(uint64_t); break;
  }
}

/* Bit i: bit index[i] of `bits` (NULL: all set); clear where the index is -1. */
static void take_bits(uint64_t *to, const uint64_t *bits, const int64_t *index, int64_t count) {
  for (int64_t word = 0; word < bit_words(count); word++) {
    int64_t first = word * 64, n = count - first < 64 ? count - first : 64;
    uint64_t made = 0;
    for (int64_t i = 0; i < n; i++) {
      int64_t row = index[first + i];
      made |= (uint64_t)(row >= 0 && (!bits || bit_get(bits, row))) << i;
    }
    to[word] = made;
  }
}

/* A text; short ones that are not the last ones go as words, which may write beyond their end. */
static inline void copy_text(uint8_t *to, int64_t room, const uint8_t *from, int64_t rest, int64_t size) {
  enum { WORDS = 16 };
  if (size <= WORDS && room >= WORDS && rest >= WORDS) memcpy(to, from, WORDS);
  else if (size) memcpy(to, from, (size_t)size);
}

static void take_text(mm_column *to, const mm_column *from, const int64_t *index, int64_t count, int64_t text_bytes) {
  const uint8_t *bytes = from->data;
  uint8_t *out = mm_block_data(to->data_block);
  int32_t *offsets = (int32_t *)mm_block_data(to->offsets_block), end = 0;
  int32_t last = from->length ? from->offsets[from->length] : 0;
  for (int64_t i = 0; i < count; i++) {
    if (i + AHEAD < count && index[i + AHEAD] >= 0) __builtin_prefetch(bytes + from->offsets[index[i + AHEAD]]);
    if (index[i] >= 0) {
      int32_t start = from->offsets[index[i]], size = from->offsets[index[i] + 1] - start;
      copy_text(out + end, text_bytes - end, bytes + start, last - start, size);
      end += size;
    }
    offsets[i + 1] = end;
  }
}

int mm_column_take(mm_column *to, const mm_column *from, const int64_t *index, int64_t count, mm_error *error) {
  if (from->type.id == MM_OPAQUE) return column_fail_opaque(error, "take");
  int64_t text_bytes = 0;
  bool holes = false;
  for (int64_t i = 0; i < count; i++) holes |= index[i] < 0;
  if (from->offsets) {
    for (int64_t i = 0; i < count; i++)
      if (index[i] >= 0) text_bytes += from->offsets[index[i] + 1] - from->offsets[index[i]];
    if (text_bytes > INT32_MAX) return column_fail_text(error);
  }
  TRY(mm_column_make(to, from->type, count, text_bytes, holes || from->valid, error));
  if (to->valid) take_bits((uint64_t *)mm_block_data(to->valid_block), from->valid, index, count);
  if (from->offsets) take_text(to, from, index, count, text_bytes);
  else if (from->type.id == MM_BOOL) take_bits((uint64_t *)mm_block_data(to->data_block), from->data, index, count);
  else if (from->type.id != MM_NULL) take_data(to, from, index, count);
  return 0;
}

/* ---- Of several columns ---- */

#define GATHER(T)                                                                                                      \
  do {                                                                                                                 \
    T *out = (T *)mm_block_data(to->data_block);                                                                       \
    for (int64_t i = 0; i < count; i++) {                                                                              \
      row_ref ahead = picks[i + AHEAD < count ? i + AHEAD : i];                                                        \
      __builtin_prefetch((const T *)parts[ahead.part]->data + ahead.row);                                              \
      out[i] = ((const T *)parts[picks[i].part]->data)[picks[i].row];                                                  \
    }                                                                                                                  \
  } while (0)

static void gather_data(mm_column *to, const mm_column *const *parts, const row_ref *picks, int64_t count) {
  switch (mm_type_width(to->type)) {
  case 1: GATHER(uint8_t); break;
  case 2: GATHER(uint16_t); break;
  case 4: GATHER(uint32_t); break;
  default: GATHER(uint64_t); break;
  }
}

static void gather_bits(uint64_t *to, const mm_column *const *parts, const row_ref *picks, int64_t count, bool valid) {
  for (int64_t word = 0; word < bit_words(count); word++) {
    int64_t first = word * 64, n = count - first < 64 ? count - first : 64;
    uint64_t made = 0;
    for (int64_t i = 0; i < n; i++) {
      const mm_column *part = parts[picks[first + i].part];
      const uint64_t *bits = valid ? part->valid : part->data;
      made |= (uint64_t)(!bits || bit_get(bits, picks[first + i].row)) << i;
    }
    to[word] = made;
  }
}

static void gather_text(mm_column *to, const mm_column *const *parts, const row_ref *picks, int64_t count,
                        int64_t text_bytes) {
  uint8_t *out = mm_block_data(to->data_block);
  int32_t *offsets = (int32_t *)mm_block_data(to->offsets_block), end = 0;
  for (int64_t i = 0; i < count; i++) {
    const mm_column *part = parts[picks[i].part];
    int32_t start = part->offsets[picks[i].row], size = part->offsets[picks[i].row + 1] - start;
    const uint8_t *bytes = (const uint8_t *)part->data + start;
    copy_text(out + end, text_bytes - end, bytes, part->offsets[part->length] - start, size);
    end += size;
    offsets[i + 1] = end;
  }
}

int column_gather(mm_column *to, const mm_column *const *parts, int64_t part_count, const row_ref *picks, int64_t count,
                  mm_error *error) {
  mm_type type = part_count > 0 ? parts[0]->type : (mm_type){0};
  if (type.id == MM_OPAQUE) return column_fail_opaque(error, "gather");
  bool nulls = false;
  for (int64_t i = 0; i < part_count; i++) nulls |= parts[i]->valid != NULL;
  int64_t text_bytes = 0;
  if (type_is_text(type.id)) {
    for (int64_t i = 0; i < count; i++) {
      const int32_t *offsets = parts[picks[i].part]->offsets + picks[i].row;
      text_bytes += offsets[1] - offsets[0];
    }
    if (text_bytes > INT32_MAX) return column_fail_text(error);
  }
  TRY(mm_column_make(to, type, count, text_bytes, nulls, error));
  if (to->valid) gather_bits((uint64_t *)mm_block_data(to->valid_block), parts, picks, count, true);
  if (type_is_text(type.id)) gather_text(to, parts, picks, count, text_bytes);
  else if (type.id == MM_BOOL) gather_bits((uint64_t *)mm_block_data(to->data_block), parts, picks, count, false);
  else if (type.id != MM_NULL && count > 0) gather_data(to, parts, picks, count);
  return 0;
}
