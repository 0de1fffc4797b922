/* min_max_text.c - min, max, first and last of text. A state keeps its bytes in the arena and reuses them where the
 * next text fits, so that what a long run leaves behind stays in proportion to its longest texts.
 * SPDX-License-Identifier: MIT */
#include "aggregates/families.h"
#include "aggregates/saved_state.h"
#include "base/error.h"
#include "types/column.h"
#include <string.h>

enum { NONE = -2, NULL_TEXT = -1 }; /* sizes */
typedef struct text {
  uint8_t *bytes;
  int32_t size, capacity;
} text;

static void init_texts(accumulator *acc, int64_t from, int64_t to) {
  text *states = (text *)acc->states.data;
  for (int64_t i = from; i < to; i++) states[i] = (text){NULL, NONE, 0};
}

static int keep_text(accumulator *acc, text *state, const uint8_t *bytes, int32_t size, mm_error *error) {
  if (size > state->capacity) {
    int32_t capacity = state->capacity ? state->capacity : 16;
    while (capacity < size) capacity = capacity > INT32_MAX / 2 ? INT32_MAX : capacity * 2;
    uint8_t *room = arena_take(acc->arena, capacity);
    if (!room) return error_fail_memory(error, capacity);
    state->bytes = room;
    state->capacity = capacity;
  }
  if (size > 0) memcpy(state->bytes, bytes, (size_t)size);
  state->size = size;
  return 0;
}

static bool less(const uint8_t *a, int32_t a_size, const uint8_t *b, int32_t b_size) {
  int32_t size = a_size < b_size ? a_size : b_size;
  int order = size ? memcmp(a, b, (size_t)size) : 0;
  return order ? order < 0 : a_size < b_size;
}

/* Whether the next text takes the place of what the state has. */
static inline bool is_wanted(int op, const text *state, const uint8_t *bytes, int32_t size) {
  if (state->size == NONE) return true;
  if (op == MM_AGG_FIRST) return false;
  if (op == MM_AGG_LAST) return true;
  return op == MM_AGG_MIN ? less(bytes, size, state->bytes, state->size) : less(state->bytes, state->size, bytes, size);
}

static int update_texts(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  text *states = accumulator_state(acc, 0);
  bool edge = acc->op == MM_AGG_FIRST || acc->op == MM_AGG_LAST;
  const int32_t *offsets = column->offsets + rows->start;
  for (int64_t i = 0; i < rows->count; i++) {
    text *state = &states[rows->group[i]];
    bool null = column->valid && !bit_get(column->valid, rows->start + i);
    if (null && !edge) continue;
    const uint8_t *bytes = (const uint8_t *)column->data + offsets[i];
    int32_t size = null ? NULL_TEXT : offsets[i + 1] - offsets[i];
    if (is_wanted(acc->op, state, bytes, size)) TRY(keep_text(acc, state, bytes, size, error));
  }
  return 0;
}

static int add_text(accumulator *acc, text *state, const uint8_t *bytes, int32_t size, mm_error *error) {
  return is_wanted(acc->op, state, bytes, size) ? keep_text(acc, state, bytes, size, error) : 0;
}

static int combine_texts(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first, int64_t n,
                         mm_error *error) {
  text *states = accumulator_state(to, 0);
  const text *added = accumulator_state(from, first);
  for (int64_t i = 0; i < n; i++)
    if (added[i].size != NONE) TRY(add_text(to, &states[number[i]], added[i].bytes, added[i].size, error));
  return 0;
}

static int emit_texts(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                      mm_column *column, mm_error *error) {
  (void)acc;
  bool nulls = false;
  int64_t bytes = 0;
  for (int64_t i = 0; i < n; i++) {
    const text *state = states[i];
    if (state->size < 0) nulls = true;
    else bytes += state->size;
  }
  if (bytes > INT32_MAX)
    return error_fail(error, MM_ELIMIT, "too-much-text", "the texts of %lld groups exceed 2 GiB", (long long)n);
  TRY(mm_column_make(column, request->type, n, bytes, nulls, error));
  int32_t *offsets = (int32_t *)column->offsets;
  uint8_t *to = (uint8_t *)column->data;
  offsets[0] = 0;
  for (int64_t i = 0; i < n; i++) {
    const text *state = states[i];
    int32_t size = state->size < 0 ? 0 : state->size;
    if (state->size < 0) column_set_null(column, i);
    if (size) memcpy(to + offsets[i], state->bytes, (size_t)size);
    offsets[i + 1] = offsets[i] + size;
  }
  return 0;
}

/* Nothing; or a byte that says whether a text follows. */
static int save_text(const accumulator *acc, const void *state, mm_buffer *to, mm_error *error) {
  (void)acc;
  const text *saved = state;
  if (saved->size == NONE) return 0;
  uint8_t known = saved->size >= 0;
  TRY(mm_buffer_append(to, &known, 1, error));
  return known ? mm_buffer_append(to, saved->bytes, saved->size, error) : 0;
}

static int load_text(accumulator *acc, int64_t group, const uint8_t *bytes, int64_t size, mm_error *error) {
  if (!size) return 0;
  bool known = bytes[0] == 1, edge = acc->op == MM_AGG_FIRST || acc->op == MM_AGG_LAST;
  if (!known && (bytes[0] || size > 1 || !edge)) return saved_state_refuse(error);
  if (acc->type.id == MM_UTF8 && mm_utf8_invalid(bytes + 1, size - 1) >= 0) return saved_state_refuse(error);
  return add_text(acc, accumulator_state(acc, group), bytes + 1, known ? (int32_t)(size - 1) : NULL_TEXT, error);
}

static const aggregate_function text_class = {.size = sizeof(text),
                                              .ordered = true,
                                              .init = init_texts,
                                              .update = update_texts,
                                              .combine = combine_texts,
                                              .emit = emit_texts,
                                              .save = save_text,
                                              .load = load_text};

const aggregate_function *min_max_text_function(void) { return &text_class; }
