/* sort_runs.c - the sorted runs of a sorting stage, and their merging into one.
 * SPDX-License-Identifier: MIT */
#include "stages/sort/sort_runs.h"
#include "base/alloc.h"
#include "base/error.h"
#include <pthread.h>

enum { BATCH = MM_MORSEL };

/* ---- Lists of ranks ---- */

int mm_ranks_room(rank_list *list, int64_t count, mm_error *error) {
  if (list->ranks && count <= list->capacity) return 0;
  int64_t size = count * (int64_t)sizeof(rank);
  rank *fresh = mm_allocate(size);
  if (!fresh) return mm_fail_memory(error, size);
  mm_release(list->ranks, list->capacity * (int64_t)sizeof(rank));
  *list = (rank_list){.ranks = fresh, .capacity = count};
  return 0;
}

void mm_ranks_free(rank_list *list) {
  mm_release(list->ranks, list->capacity * (int64_t)sizeof(rank));
  *list = (rank_list){0};
}

/* ---- Runs ---- */

int mm_sorter_push(sorter *s, mm_batch *rows, rank_list *ranks, mm_error *error) {
  if (s->runs.count == s->ranks_capacity) {
    int64_t width = sizeof *s->ranks, capacity = s->ranks_capacity ? s->ranks_capacity * 2 : 64;
    rank_list *wider = mm_resize(s->ranks, s->ranks_capacity * width, capacity * width);
    if (!wider) return mm_fail_memory(error, capacity * width);
    s->ranks = wider;
    s->ranks_capacity = capacity;
  }
  TRY(mm_table_append(&s->runs, rows, error));
  for (int64_t i = 0; i < ranks->count; i++) ranks->ranks[i].at.part = (int32_t)(s->runs.count - 1);
  s->ranks[s->runs.count - 1] = *ranks;
  *ranks = (rank_list){0};
  return 0;
}

void mm_sorter_clear(sorter *s) {
  for (int64_t i = 0; i < s->runs.count; i++) mm_ranks_free(&s->ranks[i]);
  mm_table_free(&s->runs);
}

ranking mm_sorter_ranking(const sorter *s) { return (ranking){&s->ordering, s->runs.batches, s->clear.key}; }

/* All ranks of the runs in one list, in order; `to` is empty. */
static int sort_all(const sorter *s, rank_list *to, mm_error *error) {
  rank_list spare = {0};
  TRY(mm_ranks_room(to, s->runs.rows, error));
  TRY(mm_ranks_room(&spare, 2 * s->runs.rows, error));
  for (int64_t r = 0; r < s->runs.count; r++)
    for (int64_t i = 0; i < s->ranks[r].count; i++)
      to->ranks[to->count++] = mm_rank_masked(s->ranks[r].ranks[i], s->clear.bits);
  ranking by = mm_sorter_ranking(s);
  mm_ranks_sort(&by, to->ranks, spare.ranks, to->count);
  mm_ranks_free(&spare);
  return 0;
}

/* Batches of at most BATCH rows, picked from the runs. */
int mm_sorter_emit(const sorter *s, const rank *ranks, int64_t count, mm_table *out, mm_error *error) {
  mm_pick *picks = mm_allocate(BATCH * (int64_t)sizeof *picks);
  int status = picks ? 0 : mm_fail_memory(error, BATCH * (int64_t)sizeof *picks);
  for (int64_t start = 0; start < count && status >= 0; start += BATCH) {
    int64_t n = count - start < BATCH ? count - start : BATCH;
    mm_batch made = {0};
    for (int64_t i = 0; i < n; i++) picks[i] = ranks[start + i].at;
    status = mm_batch_gather(&made, s->runs.batches, s->runs.count, picks, n, error);
    if (status >= 0) status = mm_table_append(out, &made, error);
  }
  mm_release(picks, BATCH * (int64_t)sizeof *picks);
  return status;
}

/* Keep the first n ranks of each key. */
int mm_sorter_keep(const sorter *s, tally *t, const mm_batch *batches, int64_t batch_count, rank *ranks, int64_t *count,
                   mm_error *error) {
  int64_t rows = 0, kept = 0, seen;
  for (int64_t i = 0; i < batch_count; i++) rows += batches[i].length;
  uint64_t *hashes = mm_allocate((rows + 1) * 8);
  int64_t *starts = mm_allocate((batch_count + 1) * 8);
  int status = hashes && starts ? 0 : mm_fail_memory(error, rows * 8);
  for (int64_t i = 0, at = 0; i < batch_count && status >= 0; at += batches[i++].length) {
    starts[i] = at;
    mm_tally_hash(&batches[i], s->keys, s->key_count, hashes + at);
  }
  for (int64_t i = 0; i < *count && status >= 0; i++) {
    mm_pick at = ranks[i].at;
    status = mm_tally_add(t, batches, s->keys, s->key_count, hashes[starts[at.part] + at.row], at, &seen, error);
    if (status >= 0 && seen <= s->n) ranks[kept++] = ranks[i];
  }
  mm_release(hashes, (rows + 1) * 8);
  mm_release(starts, (batch_count + 1) * 8);
  *count = kept;
  return status;
}

/* The kept rows as runs again: batches of at most BATCH rows. */
static int push_kept(sorter *s, mm_table *kept, const rank *ranks, mm_error *error) {
  for (int64_t b = 0; b < kept->count; b++) {
    rank_list part = {0};
    int64_t n = kept->batches[b].length;
    TRY(mm_ranks_room(&part, n, error));
    for (int64_t i = 0; i < n; i++) {
      part.ranks[i] = *ranks++;
      part.ranks[i].at.row = (int32_t)i;
    }
    part.count = n;
    int status = mm_sorter_push(s, &kept->batches[b], &part, error);
    mm_ranks_free(&part);
    TRY(status);
  }
  return 0;
}

int mm_sorter_cut_down(sorter *s, mm_error *error) {
  rank_list all = {0};
  mm_table kept = {0};
  int status = sort_all(s, &all, error);
  if (all.count > s->n) all.count = s->n;
  if (status >= 0) status = mm_sorter_emit(s, all.ranks, all.count, &kept, error);
  if (status >= 0) {
    pthread_mutex_lock(&s->lock);
    s->bound.known = all.count == s->n;
    if (s->bound.known) s->bound.last = all.ranks[all.count - 1];
    s->bound.clear = s->clear;
    pthread_mutex_unlock(&s->lock);
    mm_sorter_clear(s);
    status = push_kept(s, &kept, all.ranks, error);
  }
  mm_table_free(&kept);
  mm_ranks_free(&all);
  return status;
}

int mm_sorter_first(sorter *s, mm_table *out, mm_error *error) {
  rank_list all = {0};
  tally seen = {0};
  int status = sort_all(s, &all, error);
  if (status >= 0 && s->key_count)
    status = mm_sorter_keep(s, &seen, s->runs.batches, s->runs.count, all.ranks, &all.count, error);
  else if (all.count > s->n) all.count = s->n;
  if (status >= 0) status = mm_sorter_emit(s, all.ranks, all.count, out, error);
  mm_tally_free(&seen);
  mm_ranks_free(&all);
  return status;
}
