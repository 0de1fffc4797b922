/* sort_runs.c - the sorted runs of a sorting stage, and their merging into one.
 * SPDX-License-Identifier: MIT */
#include "stages/sort/sort_runs.h"
#include "base/alloc.h"
#include "base/error.h"
#include <pthread.h>

enum { BATCH = MM_MORSEL };

/* ---- Lists of keys ---- */

int sort_key_list_reserve(sort_key_list *list, int64_t count, mm_error *error) {
  if (list->items && count <= list->capacity) return 0;
  int64_t size = count * (int64_t)sizeof(sort_key);
  sort_key *fresh = memory_allocate(size);
  if (!fresh) return error_fail_memory(error, size);
  memory_release(list->items, list->capacity * (int64_t)sizeof(sort_key));
  *list = (sort_key_list){.items = fresh, .capacity = count};
  return 0;
}

void sort_key_list_free(sort_key_list *list) {
  memory_release(list->items, list->capacity * (int64_t)sizeof(sort_key));
  *list = (sort_key_list){0};
}

/* ---- Runs ---- */

int sort_runs_push(sorter *s, mm_batch *rows, sort_key_list *sort_keys, mm_error *error) {
  if (s->runs.count == s->sort_keys_capacity) {
    int64_t width = sizeof *s->sort_keys, capacity = s->sort_keys_capacity ? s->sort_keys_capacity * 2 : 64;
    sort_key_list *wider = memory_resize(s->sort_keys, s->sort_keys_capacity * width, capacity * width);
    if (!wider) return error_fail_memory(error, capacity * width);
    s->sort_keys = wider;
    s->sort_keys_capacity = capacity;
  }
  TRY(mm_table_append(&s->runs, rows, error));
  for (int64_t i = 0; i < sort_keys->count; i++) sort_keys->items[i].at.part = (int32_t)(s->runs.count - 1);
  s->sort_keys[s->runs.count - 1] = *sort_keys;
  *sort_keys = (sort_key_list){0};
  return 0;
}

void sort_runs_clear(sorter *s) {
  for (int64_t i = 0; i < s->runs.count; i++) sort_key_list_free(&s->sort_keys[i]);
  mm_table_free(&s->runs);
}

key_comparator sort_runs_comparator(const sorter *s) {
  return (key_comparator){&s->spec, s->runs.batches, s->precision.key};
}

/* All keys of the runs in one list, in order; `to` is empty. */
static int sort_all(const sorter *s, sort_key_list *to, mm_error *error) {
  sort_key_list spare = {0};
  TRY(sort_key_list_reserve(to, s->runs.rows, error));
  TRY(sort_key_list_reserve(&spare, 2 * s->runs.rows, error));
  for (int64_t r = 0; r < s->runs.count; r++)
    for (int64_t i = 0; i < s->sort_keys[r].count; i++)
      to->items[to->count++] = sort_key_masked(s->sort_keys[r].items[i], s->precision.bits);
  key_comparator by = sort_runs_comparator(s);
  key_sort(&by, to->items, spare.items, to->count);
  sort_key_list_free(&spare);
  return 0;
}

/* Batches of at most BATCH rows, picked from the runs. */
int sort_runs_emit(const sorter *s, const sort_key *sort_keys, int64_t count, mm_table *out, mm_error *error) {
  row_ref *picks = memory_allocate(BATCH * (int64_t)sizeof *picks);
  int status = picks ? 0 : error_fail_memory(error, BATCH * (int64_t)sizeof *picks);
  for (int64_t start = 0; start < count && status >= 0; start += BATCH) {
    int64_t n = count - start < BATCH ? count - start : BATCH;
    mm_batch made = {0};
    for (int64_t i = 0; i < n; i++) picks[i] = sort_keys[start + i].at;
    status = batch_gather(&made, s->runs.batches, s->runs.count, picks, n, error);
    if (status >= 0) status = mm_table_append(out, &made, error);
  }
  memory_release(picks, BATCH * (int64_t)sizeof *picks);
  return status;
}

/* Keep the first n keys of each key. */
int sort_runs_keep(const sorter *s, key_counter *t, const mm_batch *batches, int64_t batch_count, sort_key *sort_keys,
                   int64_t *count, mm_error *error) {
  int64_t rows = 0, kept = 0;
  for (int64_t i = 0; i < batch_count; i++) rows += batches[i].length;
  int64_t size = (rows + 1) * (int64_t)sizeof(uint32_t), starts_size = (batch_count + 1) * 8;
  uint32_t *numbers = memory_allocate(size);
  int64_t *starts = memory_allocate(starts_size);
  int status = numbers && starts ? 0 : error_fail_memory(error, size);
  for (int64_t i = 0, at = 0; i < batch_count && status >= 0; at += batches[i++].length) {
    starts[i] = at;
    status = key_counter_number(t, &s->key_encoding, &batches[i], s->keys, numbers + at, error);
  }
  for (int64_t i = 0; i < *count && status >= 0; i++) {
    row_ref at = sort_keys[i].at;
    if (key_counter_add(t, numbers[starts[at.part] + at.row]) <= s->n) sort_keys[kept++] = sort_keys[i];
  }
  memory_release(numbers, size);
  memory_release(starts, starts_size);
  *count = kept;
  return status;
}

/* The kept rows as runs again: batches of at most BATCH rows. */
static int push_kept(sorter *s, mm_table *kept, const sort_key *sort_keys, mm_error *error) {
  for (int64_t b = 0; b < kept->count; b++) {
    sort_key_list part = {0};
    int64_t n = kept->batches[b].length;
    TRY(sort_key_list_reserve(&part, n, error));
    for (int64_t i = 0; i < n; i++) {
      part.items[i] = *sort_keys++;
      part.items[i].at.row = (int32_t)i;
    }
    part.count = n;
    int status = sort_runs_push(s, &kept->batches[b], &part, error);
    sort_key_list_free(&part);
    TRY(status);
  }
  return 0;
}

int sort_runs_cut_down(sorter *s, mm_error *error) {
  sort_key_list all = {0};
  mm_table kept = {0};
  int status = sort_all(s, &all, error);
  if (all.count > s->n) all.count = s->n;
  if (status >= 0) status = sort_runs_emit(s, all.items, all.count, &kept, error);
  if (status >= 0) {
    pthread_mutex_lock(&s->lock);
    s->boundary.known = all.count == s->n;
    if (s->boundary.known) s->boundary.last = all.items[all.count - 1];
    s->boundary.precision = s->precision;
    pthread_mutex_unlock(&s->lock);
    sort_runs_clear(s);
    status = push_kept(s, &kept, all.items, error);
  }
  mm_table_free(&kept);
  sort_key_list_free(&all);
  return status;
}

int sort_runs_first(sorter *s, mm_table *out, mm_error *error) {
  sort_key_list all = {0};
  key_counter seen = {0};
  int status = sort_all(s, &all, error);
  if (status >= 0 && s->key_count)
    status = sort_runs_keep(s, &seen, s->runs.batches, s->runs.count, all.items, &all.count, error);
  else if (all.count > s->n) all.count = s->n;
  if (status >= 0) status = sort_runs_emit(s, all.items, all.count, out, error);
  key_counter_free(&seen);
  sort_key_list_free(&all);
  return status;
}
