/* sum_states.inc.h - the states of sum and mean in one type to add in; needs KIND(x), SUM, KIND(canonical)(x), the
 * form that is saved, and KIND(add_saved)(sum, x), which is false where x cannot be a sum.
 * SPDX-License-Identifier: MIT */

typedef struct KIND(average) {
  SUM sum;
  int64_t count;
} KIND(average);

static int KIND(combine_sum)(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first, int64_t n,
                             mm_error *error) {
  (void)error;
  SUM *states = accumulator_state(to, 0);
  const SUM *added = accumulator_state(from, first);
  for (int64_t i = 0; i < n; i++) states[number[i]] += added[i];
  return 0;
}

static int KIND(save_sum)(const accumulator *acc, const void *state, mm_buffer *to, mm_error *error) {
  (void)acc;
  SUM sum = KIND(canonical)(*(const SUM *)state);
  return mm_buffer_append(to, &sum, sizeof sum, error);
}

static int KIND(load_sum)(accumulator *acc, int64_t group, const uint8_t *bytes, int64_t size, mm_error *error) {
  SUM added;
  if (size != sizeof added) return saved_state_refuse(error);
  memcpy(&added, bytes, sizeof added);
  return KIND(add_saved)((SUM *)accumulator_state(acc, group), added) ? 0 : saved_state_refuse(error);
}

static int KIND(combine_mean)(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first,
                              int64_t n, mm_error *error) {
  (void)error;
  KIND(average) *states = accumulator_state(to, 0);
  const KIND(average) *added = accumulator_state(from, first);
  for (int64_t i = 0; i < n; i++) {
    states[number[i]].sum += added[i].sum;
    states[number[i]].count += added[i].count;
  }
  return 0;
}

static int KIND(emit_mean)(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                           mm_column *column, mm_error *error) {
  (void)acc;
  bool nulls = false;
  for (int64_t i = 0; i < n; i++) nulls |= ((const KIND(average) *)states[i])->count == 0;
  TRY(column_make_result(column, request->type, n, nulls, error));
  double *out = (double *)column->data;
  for (int64_t i = 0; i < n; i++) {
    const KIND(average) *state = states[i];
    out[i] = state->count ? canonical_nan_f64((double)state->sum / (double)state->count) : 0;
    if (!state->count) column_set_null(column, i);
  }
  return 0;
}

static int KIND(save_mean)(const accumulator *acc, const void *state, mm_buffer *to, mm_error *error) {
  const KIND(average) *saved = state;
  TRY(mm_buffer_append(to, &saved->count, sizeof saved->count, error));
  return KIND(save_sum)(acc, &saved->sum, to, error);
}

static int KIND(load_mean)(accumulator *acc, int64_t group, const uint8_t *bytes, int64_t size, mm_error *error) {
  KIND(average) *state = accumulator_state(acc, group);
  int64_t count;
  SUM added;
  if (size != sizeof count + sizeof added) return saved_state_refuse(error);
  memcpy(&count, bytes, sizeof count);
  memcpy(&added, bytes + sizeof count, sizeof added);
  if (count < 0 || count > SAVED_ROWS_MOST - state->count || !KIND(add_saved)(&state->sum, added))
    return saved_state_refuse(error);
  state->count += count;
  return 0;
}

#undef KIND
#undef SUM
