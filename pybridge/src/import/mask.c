/* mask.c - columns whose missing values are told by a mask beside them: masked arrays, nullable columns of pandas.
 * SPDX-License-Identifier: MIT */
#include "errors.h"
#include "import/buffer_protocol.h"
#include "import/chunked_column.h"
#include "host.h"
#include <string.h>

/* Validity of up to 64 rows: those not missing, of those that were valid. */
static uint64_t word_of(const uint8_t *missing, const uint64_t *valid, int64_t start, int64_t count) {
  uint8_t present[64];
  uint64_t word = 0, before = ~UINT64_C(0);
  for (int64_t i = 0; i < count; i++) present[i] = missing[start + i] == 0;
  mm_rows_pack(&word, present, count);
  if (valid) memcpy(&before, valid + start / 64, (size_t)(count + 7) / 8);
  return word & before;
}

static int leave_out(mm_column *chunk, const uint8_t *missing, mm_error *error) {
  mm_block *block = mm_block_new((chunk->length + 63) / 64 * 8, error);
  if (!block) return MM_ENOMEM;
  uint64_t *bits = (uint64_t *)mm_block_data(block);
  Py_BEGIN_ALLOW_THREADS
  for (int64_t start = 0; start < chunk->length; start += 64) {
    int64_t count = chunk->length - start < 64 ? chunk->length - start : 64;
    bits[start / 64] = word_of(missing, chunk->valid, start, count);
  }
  Py_END_ALLOW_THREADS
  mm_block_release(chunk->valid_block);
  chunk->valid_block = block;
  chunk->valid = bits;
  return 0;
}

int chunked_column_mask(const column_request *ask, PyObject *missing, chunked_column *to) {
  borrowed_buffer mask = {0};
  mm_error error;
  if (borrowed_buffer_take(ask->state, missing, ask->name, false, &mask) < 0) return -1;
  int status = 0;
  if (mm_type_width(mask.type) > 1 || mask.length != to->rows)
    raise_new(ask->state, MM_EUSAGE, "bad-mask", ask->name, NULL,
              "the mask of column \"%.100s\" is not one byte for each of its %lld rows", ask->name,
              (long long)to->rows);
  else status = 1;
  const uint8_t *bytes = mask.view.buf;
  for (int64_t i = 0; i < to->count && status == 1; i++) {
    if (leave_out(&to->chunks[i], bytes, &error) < 0) {
      raise_error(ask->state, &error);
      status = 0;
    }
    bytes += to->chunks[i].length;
    to->copied += (to->chunks[i].length + 7) / 8;
  }
  to->nullable = true;
  borrowed_buffer_return(&mask);
  return status == 1 ? 0 : -1;
}
