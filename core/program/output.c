/* output.c - columns that a program fills, vector by vector or from an input column, in blocks that are used again.
 * SPDX-License-Identifier: MIT */
#include "program/output.h"
#include "base/error.h"
#include "kernels/dispatch.h"
#include "kernels/text/text_offsets.h"
#include "program/program.h"
#include "types/type.h"
#include <string.h>

/* Room for `size` bytes in a block that nobody else sees. */
static int writable(mm_block **block, int64_t size, bool *kept, mm_error *error) {
  if (*block && mm_block_sole(*block)) {
    if (mm_block_size(*block) >= size) return 0;
  } else if (*block) {
    *kept = true;
  }
  mm_block_release(*block);
  *block = mm_block_new(size, error);
  return *block ? 0 : MM_ENOMEM;
}

int output_begin(program_output *output, int64_t rows, mm_error *error) {
  bool kept = false;
  output->bytes = 0;
  output->nulls = false;
  output->rows = rows;
  output->width = mm_type_width(output->type);
  output->at = output->to ? mm_block_data(output->to) + output->base * output->width : NULL;
  if (output->to) return 0;
  if (type_is_text(output->type.id)) {
    TRY(writable(&output->offsets, (rows + 1) * 4, &kept, error));
    TRY(writable(&output->data, output->data ? mm_block_size(output->data) : rows * 8, &kept, error));
    *(int32_t *)(void *)mm_block_data(output->offsets) = 0;
  } else if (output->type.id != MM_NULL) {
    TRY(writable(&output->data, register_bytes(output->type.id, bit_words(rows) * 64) + 8, &kept, error));
    if (output->width > 0) output->at = mm_block_data(output->data);
  }
  output->kept = kept;
  return 0;
}

/* ---- Validity ---- */

/* From now on rows may be null; the first `at` are not. */
static int start_nulls(program_output *output, int64_t at, mm_error *error) {
  if (output->nulls) return 0;
  TRY(writable(&output->valid, bit_words(output->rows) * 8 + 8, &output->kept, error));
  bits_fill((uint64_t *)(void *)mm_block_data(output->valid), at);
  output->nulls = true;
  return 0;
}

#define WORDS_8                                                                                                        \
  ~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0)
static const uint64_t every[] = {WORDS_8, WORDS_8, WORDS_8, WORDS_8};
_Static_assert(sizeof every == VECTOR_WORDS * 8, "a bit for each lane");

static void put_bits(mm_block *block, int64_t at, const uint64_t *bits, const uint64_t *selected, int32_t n) {
  uint64_t *to = (uint64_t *)(void *)mm_block_data(block);
  if (!selected && at % 64 == 0) memcpy(to + at / 64, bits, (size_t)bit_words(n) * 8);
  else compress_bits(to, at, bits, selected ? selected : every, n);
}

static int append_validity(program_output *output, int64_t at, const uint64_t *valid, const uint64_t *selected,
                           int32_t n, mm_error *error) {
  if (valid) TRY(start_nulls(output, at, error));
  if (output->nulls) put_bits(output->valid, at, valid ? valid : every, selected, n);
  return 0;
}

/* ---- Text ---- */

static int too_long(mm_error *error) {
  return error_fail(error, MM_ELIMIT, "limit", "the text of one batch has more than 2 GiB");
}

/* Short texts are the rule: up to 16 bytes are moved by two loads that overlap, longer ones by memcpy. */
static inline void put_text(uint8_t *to, const uint8_t *from, int64_t size) {
  if (size > 16) {
    memcpy(to, from, (size_t)size);
  } else if (size >= 8) {
    uint64_t head, tail;
    memcpy(&head, from, 8);
    memcpy(&tail, from + size - 8, 8);
    memcpy(to, &head, 8);
    memcpy(to + size - 8, &tail, 8);
  } else if (size >= 4) {
    uint32_t head, tail;
    memcpy(&head, from, 4);
    memcpy(&tail, from + size - 4, 4);
    memcpy(to, &head, 4);
    memcpy(to + size - 4, &tail, 4);
  } else if (size > 0) {
    to[0] = from[0];
    to[size >> 1] = from[size >> 1];
    to[size - 1] = from[size - 1];
  }
}

/* Room for `size` more bytes of text. */
static int text_room(program_output *output, int64_t size, mm_error *error) {
  int64_t capacity = mm_block_size(output->data), needed = output->bytes + size;
  if (needed > INT32_MAX) return too_long(error);
  if (needed <= capacity) return 0;
  mm_block *block = mm_block_new(needed > 2 * capacity ? needed : 2 * capacity, error);
  if (!block) return MM_ENOMEM;
  memcpy(mm_block_data(block), mm_block_data(output->data), (size_t)output->bytes);
  mm_block_release(output->data);
  output->data = block;
  return 0;
}

/* Calls visit for every selected lane of n. */
#define EACH_SELECTED(selected, n, lane, body)                                                                         \
  for (int64_t w_ = 0; w_ < bit_words(n); w_++) {                                                                      \
    uint64_t bits_ = (selected) ? (selected)[w_] : ~UINT64_C(0);                                                       \
    if ((n)-64 * w_ < 64) bits_ &= (UINT64_C(1) << ((n)-64 * w_)) - 1;                                                 \
    for (; bits_; bits_ &= bits_ - 1) {                                                                                \
      int64_t lane = 64 * w_ + __builtin_ctzll(bits_);                                                                 \
      body                                                                                                             \
    }                                                                                                                  \
  }

static int append_text(program_output *output, int64_t at, const lane_vector *vector, const uint64_t *selected,
                       int32_t n, mm_error *error) {
  const text_view *views = vector->data;
  const uint64_t *valid = vector->valid;
  int64_t size = 0;
  EACH_SELECTED(selected, n, lane, { size += !valid || bit_get(valid, lane) ? views[lane].size : 0; })
  TRY(text_room(output, size, error));
  int32_t *offset = (int32_t *)(void *)mm_block_data(output->offsets) + at;
  uint8_t *bytes = mm_block_data(output->data);
  EACH_SELECTED(selected, n, lane, {
    if (!valid || bit_get(valid, lane)) {
      put_text(bytes + output->bytes, views[lane].bytes, views[lane].size);
      output->bytes += views[lane].size;
    }
    *++offset = (int32_t)output->bytes;
  })
  return 0;
}

/* ---- From vectors ---- */

int output_append(program_output *output, int64_t at, const lane_vector *vector, const uint64_t *selected, int32_t n,
                  int32_t count, mm_error *error) {
  if (count == 0) return 0;
  TRY(append_validity(output, at, output->type.id == MM_NULL ? NULL : vector->valid, selected, n, error));
  if (type_is_text(output->type.id)) return append_text(output, at, vector, selected, n, error);
  int64_t width = mm_type_width(output->type);
  void *to = output_place(output, at);
  if (output->type.id == MM_BOOL) put_bits(output->data, at, vector->data, selected, n);
  else if (to && selected) compress_values(to, vector->data, selected, n, width);
  else if (to && to != vector->data) memcpy(to, vector->data, (size_t)(count * width));
  return 0;
}

/* ---- From vectors, each lane to its row ---- */

/* Backwards, since lanes may lie where their rows will: a lane's row is never before it. */
#define SPREAD(width, T)                                                                                               \
  static void spread_##width(T *to, const T *from, const uint16_t *index, int32_t lanes) {                             \
    for (int32_t i = lanes - 1; i >= 0; i--) to[index[i]] = from[i];                                                   \
  }
SPREAD(1, uint8_t)
SPREAD(2, uint16_t)
SPREAD(4, uint32_t)
SPREAD(8, uint64_t)

static void spread_values(void *to, const void *from, int64_t width, const uint16_t *index, int32_t lanes) {
  switch (width) {
  case 1: spread_1(to, from, index, lanes); break;
  case 2: spread_2(to, from, index, lanes); break;
  case 4: spread_4(to, from, index, lanes); break;
  default: spread_8(to, from, index, lanes); break;
  }
}

int output_place_lanes(program_output *output, int64_t at, const lane_vector *vector, const uint16_t *index,
                       int32_t lanes, int32_t n, mm_error *error) {
  const uint64_t *valid = vector->valid;
  uint64_t spread[VECTOR_WORDS];
  if (valid && index) {
    memset(spread, 0, sizeof spread);
    for (int32_t i = 0; i < lanes; i++)
      if (bit_get(valid, i)) bit_set(spread, index[i]);
    valid = spread;
  }
  TRY(append_validity(output, at, valid, NULL, n, error));
  void *to = output_place(output, at);
  if (index) spread_values(to, vector->data, output->width, index, lanes);
  else if (to != vector->data) memcpy(to, vector->data, (size_t)(lanes * output->width));
  return 0;
}

/* ---- From input columns ---- */

/* The ends of `n` texts of one size, a block at a time, which compilers turn into vectors. */
static void put_even_offsets(int32_t *to, int64_t n, int32_t size) {
  enum { BLOCK = 64 };
  int32_t ends[BLOCK];
  for (int32_t k = 0; k < BLOCK; k++) ends[k] = (k + 1) * size;
  for (; n >= BLOCK; n -= BLOCK, to += BLOCK) {
    memcpy(to, ends, sizeof ends);
    for (int k = 0; k < BLOCK; k++) ends[k] += BLOCK * size;
  }
  memcpy(to, ends, (size_t)n * sizeof *to);
}

static int pick_text(program_output *output, const mm_column *from, const uint64_t *kept, int64_t count,
                     mm_error *error) {
  const int32_t *offsets = from->offsets;
  const uint8_t *source = from->data;
  TRY(text_room(output, (int64_t)offsets[from->length] - offsets[0], error)); /* no more than all */
  int32_t *to = (int32_t *)(void *)mm_block_data(output->offsets), end = 0;
  uint8_t *bytes = mm_block_data(output->data);
  int32_t width = texts_common_size(offsets, from->length);
  const uint8_t *first = source + offsets[0];
  if ((width == 1 || width == 2 || width == 4 || width == 8) && ((uintptr_t)first & (uintptr_t)(width - 1)) == 0) {
    compress_values(bytes, first, kept, from->length, width); /* texts of one size move like numbers */
    put_even_offsets(to + 1, count, width);
    output->bytes = count * width;
    return 0;
  }
  EACH_SELECTED(kept, from->length, row, {
    int32_t size = offsets[row + 1] - offsets[row];
    put_text(bytes + end, source + offsets[row], size);
    end += size;
    *++to = end;
  })
  output->bytes = end;
  return 0;
}

/* Bitmaps of a column start on a byte: words are read from a copy where they would not be aligned. */
static int pick_bits(mm_block *to, const uint64_t *bits, const uint64_t *kept, int64_t n, mm_error *error) {
  mm_block *copy = NULL;
  if ((uintptr_t)bits & 7) {
    copy = mm_block_new(bit_words(n) * 8, error);
    if (!copy) return MM_ENOMEM;
    bits_copy((uint64_t *)(void *)mm_block_data(copy), bits, 0, n);
    bits = (const uint64_t *)(const void *)mm_block_data(copy);
  }
  compress_bits((uint64_t *)(void *)mm_block_data(to), 0, bits, kept, n);
  mm_block_release(copy);
  return 0;
}

int output_pick(program_output *output, const mm_column *from, const uint64_t *kept, int64_t count, mm_error *error) {
  TRY(output_begin(output, count, error));
  if (count == 0) return 0;
  if (from->valid) {
    TRY(start_nulls(output, 0, error));
    TRY(pick_bits(output->valid, from->valid, kept, from->length, error));
  }
  if (type_is_text(output->type.id)) return pick_text(output, from, kept, count, error);
  if (output->type.id == MM_BOOL) return pick_bits(output->data, from->data, kept, from->length, error);
  int64_t width = mm_type_width(output->type);
  if (width > 0) compress_values(mm_block_data(output->data), from->data, kept, from->length, width);
  return 0;
}

/* ---- Handing out ---- */

/* A reference to the block, or a tight copy when the taker keeps blocks and most of this one is unused. */
static int hand_out(const program_output *output, mm_block *block, int64_t used, mm_block **to, mm_error *error) {
  if (!output->kept || 2 * used >= mm_block_size(block)) {
    mm_block_retain(block);
    *to = block;
    return 0;
  }
  *to = mm_block_new(used, error);
  if (!*to) return MM_ENOMEM;
  memcpy(mm_block_data(*to), mm_block_data(block), (size_t)used);
  return 0;
}

/* The last byte of a bitmap is handed out whole: bits behind the last row are zero. */
static void trim_bits(const mm_block *block, int64_t rows) {
  uint64_t *bits = (uint64_t *)(void *)mm_block_data(block);
  if (rows & 63) bits[rows >> 6] &= (UINT64_C(1) << (rows & 63)) - 1;
}

int output_take(program_output *output, int64_t rows, mm_column *to, mm_error *error) {
  *to = (mm_column){.type = output->type, .length = rows};
  bool text = type_is_text(output->type.id);
  if (output->nulls) trim_bits(output->valid, rows);
  if (output->type.id == MM_BOOL) trim_bits(output->data, rows);
  if (output->nulls && !bits_all((const uint64_t *)(const void *)mm_block_data(output->valid), rows)) {
    TRY(hand_out(output, output->valid, bit_words(rows) * 8, &to->valid_block, error));
    to->valid = (const uint64_t *)(const void *)mm_block_data(to->valid_block);
  }
  if (text) {
    TRY(hand_out(output, output->offsets, (rows + 1) * 4, &to->offsets_block, error));
    to->offsets = (const int32_t *)(const void *)mm_block_data(to->offsets_block);
  }
  if (output->type.id == MM_NULL) return 0;
  if (output->to) {
    mm_block_retain(output->to);
    to->data_block = output->to;
    to->data = output_place(output, 0);
    return 0;
  }
  int64_t used = text ? output->bytes : register_bytes(output->type.id, rows);
  TRY(hand_out(output, output->data, used, &to->data_block, error));
  to->data = mm_block_data(to->data_block);
  return 0;
}

void output_free(program_output *output) {
  mm_block_release(output->data);
  mm_block_release(output->valid);
  mm_block_release(output->offsets);
  mm_block_release(output->to);
  *output = (program_output){0};
}
