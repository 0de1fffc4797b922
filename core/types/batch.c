/* batch.c - columns of equal length, and the input rows they came from.
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/bitmap.h"
#include "base/error.h"
#include "types/gather.h"
#include <string.h>

/* Release the columns and the row numbers; keep the array. */
static void empty(mm_batch *batch) {
  for (int32_t i = 0; i < batch->count; i++) mm_column_release(&batch->columns[i]);
  mm_block_release(batch->origin_block);
  *batch = (mm_batch){.columns = batch->columns, .capacity = batch->capacity};
}

int mm_batch_resize(mm_batch *batch, int32_t columns, mm_error *error) {
  empty(batch);
  if (columns > batch->capacity) {
    int64_t width = sizeof *batch->columns;
    mm_column *fresh = memory_allocate(columns * width);
    if (!fresh) return error_fail_memory(error, columns * width);
    memory_release(batch->columns, batch->capacity * width);
    batch->columns = fresh;
    batch->capacity = columns;
  }
  batch->count = columns;
  if (columns > 0) memset(batch->columns, 0, (size_t)columns * sizeof *batch->columns);
  return 0;
}

void mm_batch_free(mm_batch *batch) {
  empty(batch);
  memory_release(batch->columns, batch->capacity * (int64_t)sizeof *batch->columns);
  *batch = (mm_batch){0};
}

int64_t mm_batch_row(const mm_batch *batch, int64_t index) {
  return batch->row + (batch->origin ? batch->origin[index] : index);
}

int mm_batch_slice(mm_batch *to, const mm_batch *from, int64_t start, int64_t length, mm_error *error) {
  TRY(mm_batch_resize(to, from->count, error));
  for (int32_t i = 0; i < from->count; i++) {
    int status = mm_column_slice(&to->columns[i], &from->columns[i], start, length, error);
    if (status < 0) {
      mm_batch_free(to);
      return status;
    }
  }
  to->length = length;
  to->row = from->origin ? from->row : from->row + start;
  if (from->origin) to->origin = from->origin + start;
  to->origin_block = from->origin_block;
  mm_block_retain(to->origin_block);
  return 0;
}

int mm_batch_copy(mm_batch *to, const mm_batch *from, mm_error *error) {
  return mm_batch_slice(to, from, 0, from->length, error);
}

/* ---- Some rows of a batch ---- */

static inline int32_t origin_of(const mm_batch *batch, int64_t row) {
  return batch->origin ? batch->origin[row] : (int32_t)row;
}

void batch_origins(const mm_batch *batch, const uint64_t *selected, int32_t *origins) {
  for (int64_t w = 0; w < bit_words(batch->length); w++)
    for (uint64_t bits = selected[w]; bits; bits &= bits - 1)
      *origins++ = origin_of(batch, 64 * w + __builtin_ctzll(bits));
}

static int take_origins(mm_batch *to, const mm_batch *from, const int64_t *rows, int64_t count, mm_error *error) {
  to->origin_block = mm_block_new(count * 4, error);
  if (!to->origin_block) return MM_ENOMEM;
  int32_t *origins = (int32_t *)(void *)mm_block_data(to->origin_block);
  for (int64_t i = 0; i < count; i++) origins[i] = origin_of(from, rows[i]);
  to->origin = origins;
  return 0;
}

int mm_batch_take(mm_batch *to, const mm_batch *from, const int64_t *rows, int64_t count, bool track, mm_error *error) {
  TRY(mm_batch_resize(to, from->count, error));
  for (int32_t c = 0; c < from->count; c++) TRY(mm_column_take(&to->columns[c], &from->columns[c], rows, count, error));
  to->length = count;
  to->row = from->row;
  return track ? take_origins(to, from, rows, count, error) : 0;
}

int mm_batch_filter(mm_batch *to, const mm_batch *from, const uint64_t *selected, int64_t count, bool track,
                    mm_error *error) {
  if (count == from->length) return mm_batch_copy(to, from, error);
  int64_t size = (count + 1) * 8, n = 0, *rows = memory_allocate(size);
  if (!rows) return error_fail_memory(error, size);
  for (int64_t w = 0; w < bit_words(from->length); w++)
    for (uint64_t bits = selected[w]; bits; bits &= bits - 1) rows[n++] = w * 64 + __builtin_ctzll(bits);
  int status = mm_batch_take(to, from, rows, count, track, error);
  memory_release(rows, size);
  return status;
}

int batch_gather(mm_batch *to, const mm_batch *from, int64_t batches, const row_ref *picks, int64_t count,
                 mm_error *error) {
  int64_t size = batches * (int64_t)sizeof(mm_column *);
  const mm_column **parts = memory_allocate(size);
  int status = parts ? mm_batch_resize(to, from[0].count, error) : error_fail_memory(error, size);
  for (int32_t c = 0; c < to->count && status >= 0; c++) {
    for (int64_t b = 0; b < batches; b++) parts[b] = &from[b].columns[c];
    status = column_gather(&to->columns[c], parts, batches, picks, count, error);
  }
  if (status < 0) mm_batch_free(to);
  else to->length = count;
  memory_release(parts, size);
  return status;
}
