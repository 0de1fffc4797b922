/* first_last.c - first and last of fixed-width values, copied bitwise, nulls included.
 * SPDX-License-Identifier: MIT */
#include "aggregates/families.h"
#include "aggregates/saved_state.h"
#include "base/error.h"
#include "types/column.h"
#include "types/type.h"
#include <string.h>

enum { NONE, VALUE_FOUND, NULL_FOUND };
typedef struct edge {
  uint64_t bits;
  int64_t found;
} edge;

/* Add what comes later. */
static inline void add_value(bool first_wins, edge *state, edge added) {
  if (added.found != NONE && !(first_wins && state->found != NONE)) *state = added;
}

static int combine_values(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first, int64_t n,
                          mm_error *error) {
  (void)error;
  edge *states = accumulator_state(to, 0);
  const edge *added = accumulator_state(from, first);
  bool first_wins = to->op == MM_AGG_FIRST;
  for (int64_t i = 0; i < n; i++) add_value(first_wins, &states[number[i]], added[i]);
  return 0;
}

static int emit_values(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                       mm_column *column, mm_error *error) {
  (void)acc;
  bool nulls = false;
  for (int64_t i = 0; i < n; i++) nulls |= ((const edge *)states[i])->found != VALUE_FOUND;
  TRY(column_make_result(column, request->type, n, nulls, error));
  int64_t width = mm_type_width(request->type);
  uint8_t *out = (uint8_t *)column->data;
  for (int64_t i = 0; i < n; i++) {
    const edge *state = states[i];
    uint64_t bits = state->found == VALUE_FOUND ? state->bits : 0;
    if (state->found != VALUE_FOUND) column_set_null(column, i);
    if (request->type.id == MM_BOOL) ((uint64_t *)(void *)out)[i >> 6] |= (bits & 1) << (i & 63);
    else memcpy(out + i * width, &bits, (size_t)width);
  }
  return 0;
}

/* Nothing, a byte for null, or the bits of a value. */
static int save_value(const accumulator *acc, const void *state, mm_buffer *to, mm_error *error) {
  (void)acc;
  const edge *value = state;
  int64_t size = value->found == NONE ? 0 : value->found == NULL_FOUND ? 1 : 8;
  uint64_t bits = value->found == VALUE_FOUND ? value->bits : 0;
  return mm_buffer_append(to, &bits, size, error);
}

static int load_value(accumulator *acc, int64_t group, const uint8_t *bytes, int64_t size, mm_error *error) {
  edge added = {.found = size == 0 ? NONE : size == 1 ? NULL_FOUND : VALUE_FOUND};
  if (size != 0 && size != 1 && size != 8) return saved_state_refuse(error);
  if (size == 8) memcpy(&added.bits, bytes, 8);
  add_value(acc->op == MM_AGG_FIRST, accumulator_state(acc, group), added);
  return 0;
}

#define NAME(x) x##_bool
#define VALUE(data, i) bit_get(data, i)
#define T uint64_t
#include "aggregates/functions/first_last.inc.h"
#define NAME(x) x##_1
#define VALUE(data, i) (data)[i]
#define T uint8_t
#include "aggregates/functions/first_last.inc.h"
#define NAME(x) x##_2
#define VALUE(data, i) (data)[i]
#define T uint16_t
#include "aggregates/functions/first_last.inc.h"
#define NAME(x) x##_4
#define VALUE(data, i) (data)[i]
#define T uint32_t
#include "aggregates/functions/first_last.inc.h"
#define NAME(x) x##_8
#define VALUE(data, i) (data)[i]
#define T uint64_t
#include "aggregates/functions/first_last.inc.h"

const aggregate_function *first_last_function(aggregate_use use) {
  if (use.type.id == MM_NULL) return nothing_function();
  if (type_is_text(use.type.id)) return min_max_text_function();
  if (use.type.id == MM_BOOL) return &first_last_class_bool;
  switch (mm_type_width(use.type)) {
  case 1: return &first_last_class_1;
  case 2: return &first_last_class_2;
  case 4: return &first_last_class_4;
  case 8: return &first_last_class_8;
  default: return NULL;
  }
}
