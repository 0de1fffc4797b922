/* saved_state.c - the header of saved states, and columns of them.
 * SPDX-License-Identifier: MIT */
#include "aggregates/saved_state.h"
#include "aggregates/registry.h"
#include "base/bitmap.h"
#include "base/error.h"
#include "types/type.h"
#include <string.h>

enum { VERSION = 1, HEADER = 4 };

static uint8_t letter_of(int id) {
  switch (id) {
#define X(E, s, C, format)                                                                                             \
  case MM_##E: return (uint8_t)(format)[0];
    TYPE_NUMBERS(X)
#undef X
  case MM_BOOL: return 'b';
  case MM_UTF8: return 'u';
  case MM_BINARY: return 'z';
  case MM_DATE: return 'D';
  case MM_TIMESTAMP: return 'T';
  case MM_DURATION: return 'd';
  default: return 'n'; /* MM_NULL */
  }
}

static void make_header(const accumulator *acc, uint8_t header[HEADER]) {
  mm_type type = acc->type;
  mm_aggregate_state_type(acc->op, acc->type, &type);
  header[0] = VERSION;
  header[1] = (uint8_t)aggregate_states(acc->op);
  header[2] = letter_of(type.id);
  header[3] = type.unit;
}

static int write_states(const accumulator *acc, void *const *states, int64_t n, int32_t *offsets, mm_buffer *bytes,
                        mm_error *error) {
  uint8_t header[HEADER];
  make_header(acc, header);
  offsets[0] = 0;
  for (int64_t i = 0; i < n; i++) {
    TRY(mm_buffer_append(bytes, header, HEADER, error));
    TRY(acc->class->save(acc, states[i], bytes, error));
    if (bytes->size > INT32_MAX)
      return error_fail(error, MM_ELIMIT, "too-much-text", "the states of %lld groups exceed 2 GiB", (long long)n);
    offsets[i + 1] = (int32_t)bytes->size;
  }
  return 0;
}

int saved_state_write(const accumulator *acc, void *const *states, int64_t n, mm_column *column, mm_error *error) {
  mm_buffer bytes = {0};
  TRY(mm_column_make(column, (mm_type){.id = MM_BINARY}, n, 0, false, error));
  int status = write_states(acc, states, n, (int32_t *)column->offsets, &bytes, error);
  mm_block *block = status < 0 ? NULL : mm_block_take(&bytes, error);
  if (!block) {
    mm_buffer_free(&bytes);
    mm_column_release(column);
    return status < 0 ? status : MM_ENOMEM;
  }
  mm_block_release(column->data_block);
  column->data_block = block;
  column->data = mm_block_data(block);
  return 0;
}

int saved_state_refuse(mm_error *error) {
  return error_fail(error, MM_EDATA, "bad-state", "a saved state is damaged, or it is one of something else");
}

static int read_state(accumulator *acc, const uint8_t header[HEADER], int64_t group, const uint8_t *bytes, int64_t size,
                      mm_error *error) {
  if (size < HEADER || memcmp(bytes, header, HEADER) != 0) return saved_state_refuse(error);
  return acc->class->load(acc, group, bytes + HEADER, size - HEADER, error);
}

int saved_state_read(accumulator *acc, const mm_column *column, const row_vector *rows, mm_error *error) {
  uint8_t header[HEADER];
  make_header(acc, header);
  for (int64_t i = 0, row = rows->start; i < rows->count; i++, row++) {
    if (column->valid && !bit_get(column->valid, row)) continue;
    int64_t from = column->offsets[row];
    int status = read_state(acc, header, rows->group[i], (const uint8_t *)column->data + from,
                            column->offsets[row + 1] - from, error);
    if (status < 0 && error) error->place = acc->place;
    TRY(status);
  }
  return 0;
}
