/* nothing.c - a value of a column in which all is null.
 * SPDX-License-Identifier: MIT */
#include "aggregates/families.h"
#include "aggregates/saved_state.h"
#include "base/error.h"
#include "types/column.h"
#include "types/type.h"
#include <string.h>

static int combine_nothing(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first, int64_t n,
                           mm_error *error) {
  (void)to, (void)number, (void)from, (void)first, (void)n, (void)error;
  return 0;
}

static int emit_nulls(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                      mm_column *column, mm_error *error) {
  (void)acc, (void)states;
  mm_type type = request->type;
  TRY(column_make_result(column, type, n, type.id != MM_NULL, error));
  if (type_is_text(type.id)) memset((void *)column->offsets, 0, (size_t)(n + 1) * sizeof(int32_t));
  for (int64_t i = 0; i < n && type.id != MM_NULL; i++) column_set_null(column, i);
  return 0;
}

static int save_nothing(const accumulator *acc, const void *state, mm_buffer *to, mm_error *error) {
  (void)acc, (void)state, (void)to, (void)error;
  return 0;
}

static int load_nothing(accumulator *acc, int64_t group, const uint8_t *bytes, int64_t size, mm_error *error) {
  (void)acc, (void)group, (void)bytes;
  return size ? saved_state_refuse(error) : 0;
}

/* Without an update: columns of this type never come to it. */
static const aggregate_function nothing_class = {.size = 1,
                                                 .ordered = true,
                                                 .combine = combine_nothing,
                                                 .emit = emit_nulls,
                                                 .save = save_nothing,
                                                 .load = load_nothing};

const aggregate_function *nothing_function(void) { return &nothing_class; }
