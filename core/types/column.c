/* column.c - values of one type: making, sharing, slicing and joining.
 * SPDX-License-Identifier: MIT */
#include "types/column.h"
#include "base/error.h"
#include "types/opaque.h"
#include "types/type.h"
#include <string.h>

void mm_column_retain(mm_column *column) {
  mm_block_retain(column->valid_block);
  mm_block_retain(column->data_block);
  mm_block_retain(column->offsets_block);
}

void mm_column_release(mm_column *column) {
  mm_block_release(column->valid_block);
  mm_block_release(column->data_block);
  mm_block_release(column->offsets_block);
  *column = (mm_column){0};
}

int64_t mm_column_null_count(const mm_column *column) {
  if (column->type.id == MM_NULL) return column->length;
  return column->valid ? column->length - bits_count(column->valid, column->length) : 0;
}

/* ---- Making ---- */

static int new_bits(mm_block **block, const uint64_t **bits, int64_t n, mm_error *error) {
  *block = mm_block_new(bit_words(n) * 8, error);
  if (!*block) return MM_ENOMEM;
  *bits = (const uint64_t *)mm_block_data(*block);
  return 0;
}

static int new_data(mm_column *column, int64_t size, mm_error *error) {
  column->data_block = mm_block_new(size, error);
  if (!column->data_block) return MM_ENOMEM;
  column->data = mm_block_data(column->data_block);
  return 0;
}

static int new_offsets(mm_column *column, mm_error *error) {
  column->offsets_block = mm_block_new((column->length + 1) * 4, error);
  if (!column->offsets_block) return MM_ENOMEM;
  int32_t *offsets = (int32_t *)mm_block_data(column->offsets_block);
  offsets[0] = 0;
  column->offsets = offsets;
  return 0;
}

static int make_blocks(mm_column *column, int64_t text_bytes, bool nullable, mm_error *error) {
  if (column->type.id == MM_NULL) return 0;
  if (nullable) {
    TRY(new_bits(&column->valid_block, &column->valid, column->length, error));
    bits_fill((uint64_t *)mm_block_data(column->valid_block), column->length);
  }
  if (type_is_text(column->type.id)) {
    TRY(new_offsets(column, error));
    return new_data(column, text_bytes, error);
  }
  if (column->type.id == MM_BOOL) {
    TRY(new_data(column, bit_words(column->length) * 8, error));
    /* Bits behind the last row are handed out with it, and whoever fills the column may leave them alone. */
    if (column->length & 63) ((uint64_t *)mm_block_data(column->data_block))[column->length >> 6] = 0;
    return 0;
  }
  return new_data(column, column->length * mm_type_width(column->type), error);
}

int column_fail_opaque(mm_error *error, const char *what) {
  return error_fail(error, MM_EUSAGE, "opaque-column", "%s: a column of a foreign type can only pass through", what);
}

int mm_column_make(mm_column *column, mm_type type, int64_t length, int64_t text_bytes, bool nullable,
                   mm_error *error) {
  *column = (mm_column){.type = type, .length = length};
  if (type.id == MM_OPAQUE) return column_fail_opaque(error, "make");
  if (length < 0 || length > INT64_MAX / 16) return error_fail_memory(error, length);
  int status = make_blocks(column, text_bytes, nullable, error);
  if (status < 0) mm_column_release(column);
  return status;
}

/* ---- Slices ---- */

/* Bits from `start` on: shared when that is a whole word, else copied. */
static int slice_bits(const uint64_t **bits, mm_block **block, int64_t start, int64_t length, mm_error *error) {
  if (start % 64 == 0) {
    *bits += start / 64;
    return 0;
  }
  mm_block *fresh = mm_block_new(bit_words(length) * 8, error);
  if (!fresh) return MM_ENOMEM;
  bits_copy((uint64_t *)mm_block_data(fresh), *bits, start, length);
  mm_block_release(*block);
  *block = fresh;
  *bits = (const uint64_t *)mm_block_data(fresh);
  return 0;
}

static int slice_opaque(mm_column *column, int64_t start, mm_error *error) {
  mm_block *fresh = mm_block_new(sizeof(opaque_value), error);
  if (!fresh) return MM_ENOMEM;
  opaque_value *view = (opaque_value *)mm_block_data(fresh);
  *view = *(const opaque_value *)column->data;
  view->start += start;
  mm_block_release(column->data_block);
  column->data_block = fresh;
  column->data = view;
  return 0;
}

int mm_column_slice(mm_column *to, const mm_column *from, int64_t start, int64_t length, mm_error *error) {
  if (start < 0 || length < 0 || start > from->length - length)
    return error_fail(error, MM_EUSAGE, "bad-slice", "slice: %lld rows from row %lld on, of %lld", (long long)length,
                      (long long)start, (long long)from->length);
  *to = *from;
  to->length = length;
  mm_column_retain(to);
  int status = 0;
  if (to->valid) status = slice_bits(&to->valid, &to->valid_block, start, length, error);
  if (to->offsets) to->offsets += start;
  else if (to->type.id == MM_OPAQUE && status == 0) status = slice_opaque(to, start, error);
  else if (to->type.id == MM_BOOL && status == 0)
    status = slice_bits((const uint64_t **)&to->data, &to->data_block, start, length, error);
  else if (to->data) to->data = (const uint8_t *)to->data + start * mm_type_width(to->type);
  if (status < 0) mm_column_release(to);
  return status;
}

/* ---- Joining ---- */

static bool has_nulls(const mm_column *const *parts, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (parts[i]->valid) return true;
  return false;
}

static void concat_valid(mm_column *to, const mm_column *const *parts, int64_t count) {
  uint64_t *valid = (uint64_t *)mm_block_data(to->valid_block);
  int64_t at = 0;
  for (int64_t i = 0; i < count; at += parts[i++]->length)
    if (parts[i]->valid) bits_put(valid, at, parts[i]->valid, parts[i]->length);
}

static void concat_text(mm_column *to, const mm_column *const *parts, int64_t count) {
  uint8_t *bytes = mm_block_data(to->data_block);
  int32_t *offsets = (int32_t *)mm_block_data(to->offsets_block), end = 0;
  for (int64_t i = 0; i < count; i++) {
    const int32_t *from = parts[i]->offsets;
    int64_t length = parts[i]->length;
    if (length == 0) continue; /* perhaps without offsets */
    int32_t shift = end - from[0];
    for (int64_t j = 1; j <= length; j++) *++offsets = from[j] + shift;
    memcpy(bytes + end, (const uint8_t *)parts[i]->data + from[0], (size_t)(from[length] - from[0]));
    end += from[length] - from[0];
  }
}

static void concat_data(mm_column *to, const mm_column *const *parts, int64_t count) {
  int64_t width = mm_type_width(to->type), at = 0;
  uint8_t *data = mm_block_data(to->data_block);
  for (int64_t i = 0; i < count; at += parts[i++]->length) {
    if (to->type.id == MM_BOOL) bits_put((uint64_t *)data, at, parts[i]->data, parts[i]->length);
    else if (parts[i]->length > 0) memcpy(data + at * width, parts[i]->data, (size_t)(parts[i]->length * width));
  }
}

int column_fail_text(mm_error *error) {
  return error_fail(error, MM_ELIMIT, "limit", "a text column of more than 2 GiB in one piece");
}

/* Bits that go on, word after word, where those of the part before end. */
static bool follows_bits(const uint64_t *bits, const uint64_t *before, int64_t length) {
  return bits && length % 64 == 0 ? bits == before + length / 64 : !bits && !before;
}

/* Does `next` show what follows `before` in the same blocks, as neighbouring slices do? */
static bool follows(const mm_column *next, const mm_column *before) {
  if (next->data_block != before->data_block || !next->data_block) return false;
  if (next->valid_block != before->valid_block || next->offsets_block != before->offsets_block) return false;
  if (!follows_bits(next->valid, before->valid, before->length) || next->type.id == MM_OPAQUE) return false;
  if (next->offsets) return next->data == before->data && next->offsets == before->offsets + before->length;
  if (next->type.id == MM_BOOL) return follows_bits(next->data, before->data, before->length);
  return next->data == (const uint8_t *)before->data + before->length * mm_type_width(before->type);
}

static bool contiguous(const mm_column *const *parts, int64_t count) {
  for (int64_t i = 1; i < count; i++)
    if (!follows(parts[i], parts[i - 1])) return false;
  return count > 0;
}

static int64_t total_rows(const mm_column *const *parts, int64_t count) {
  int64_t rows = 0;
  for (int64_t i = 0; i < count; i++) rows += parts[i]->length;
  return rows;
}

int mm_column_concat(mm_column *to, const mm_column *const *parts, int64_t count, mm_error *error) {
  if (contiguous(parts, count)) { /* one part, or slices of one column */
    *to = *parts[0];
    to->length = total_rows(parts, count);
    mm_column_retain(to);
    return 0;
  }
  mm_type type = count > 0 ? parts[0]->type : (mm_type){0};
  int64_t rows = total_rows(parts, count), text_bytes = 0;
  for (int64_t i = 0; i < count; i++)
    if (type_is_text(type.id) && parts[i]->length > 0)
      text_bytes += (int64_t)parts[i]->offsets[parts[i]->length] - parts[i]->offsets[0];
  if (text_bytes > INT32_MAX) return column_fail_text(error);
  TRY(mm_column_make(to, type, rows, text_bytes, has_nulls(parts, count), error));
  if (to->valid) concat_valid(to, parts, count);
  if (type_is_text(type.id)) concat_text(to, parts, count);
  else if (type.id != MM_NULL) concat_data(to, parts, count);
  return 0;
}

int column_make_result(mm_column *column, mm_type type, int64_t n, bool nulls, mm_error *error) {
  TRY(mm_column_make(column, type, n, 0, nulls, error));
  if (type.id == MM_BOOL) memset((void *)column->data, 0, (size_t)bit_words(n) * 8);
  return 0;
}
