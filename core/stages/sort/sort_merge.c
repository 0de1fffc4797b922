/* sort_merge.c - merging all runs of a sorting stage in parallel.
 * SPDX-License-Identifier: MIT */
#include "stages/sort/sort_merge.h"
#include "base/alloc.h"
#include "base/error.h"
#include "engine/parallel.h"
#include "stages/sort/sort_runs.h"

enum { STRIDE = 1024, PART = MM_MORSEL / 2 };

/* Parts are ranges of each run: part p takes rows cuts[p][r] .. cuts[p + 1][r] of run r. */
typedef struct parts {
  sorter *sorter;
  int64_t count;
  int64_t *cuts;             /* (count + 1) * runs */
  const sort_key *splitters; /* while runs are cut: every `every`-th row is one */
  int64_t every;
  mm_table *results;
} parts;

static bool in_order(const sorter *s) {
  key_comparator by = sort_runs_comparator(s);
  for (int64_t r = 1; r < s->runs.count; r++) {
    sort_key last = sort_key_masked(s->sort_keys[r - 1].items[s->sort_keys[r - 1].count - 1], s->precision.bits);
    sort_key first = sort_key_masked(s->sort_keys[r].items[0], s->precision.bits);
    if (sort_key_before(&by, &first, &last)) return false;
  }
  return true;
}

/* Rows of run r that come before the row of a splitter. */
static int64_t rows_before(const sorter *s, int64_t r, const sort_key *splitter) {
  key_comparator by = sort_runs_comparator(s);
  int64_t low = 0, high = s->sort_keys[r].count;
  if (r == splitter->at.part) return splitter->at.row;
  while (low < high) {
    int64_t middle = (low + high) / 2;
    sort_key m = sort_key_masked(s->sort_keys[r].items[middle], s->precision.bits);
    bool before = r < splitter->at.part ? !sort_key_before(&by, splitter, &m) : sort_key_before(&by, &m, splitter);
    if (before) low = middle + 1;
    else high = middle;
  }
  return low;
}

static int64_t sample(const sorter *s, sort_key *samples, int64_t stride) {
  int64_t count = 0;
  for (int64_t r = 0; r < s->runs.count; r++) {
    for (int64_t i = stride - 1; i < s->sort_keys[r].count; i += stride) {
      if (samples) samples[count] = sort_key_masked(s->sort_keys[r].items[i], s->precision.bits);
      count++;
    }
  }
  return count;
}

static int cut_run(void *context, int64_t r, mm_error *error) {
  (void)error;
  const parts *p = context;
  int64_t runs = p->sorter->runs.count;
  for (int64_t i = 1; i < p->count; i++)
    p->cuts[i * runs + r] = rows_before(p->sorter, r, &p->splitters[i * p->every - 1]);
  p->cuts[p->count * runs + r] = p->sorter->sort_keys[r].count;
  return 0;
}

/* Choose splitters from every STRIDE-th row of every run, so that parts have about PART rows, more when there are many
 * runs. */
static int cut_parts(parts *p, mm_job *job, mm_error *error) {
  sorter *s = p->sorter;
  int64_t runs = s->runs.count, wanted = runs * STRIDE / 4 > PART ? runs * STRIDE / 4 : PART;
  sort_key_list samples = {0}, spare = {0};
  int64_t count = sample(s, NULL, STRIDE);
  p->every = wanted / STRIDE;
  p->count = count / p->every + 1;
  TRY(sort_key_list_reserve(&samples, count + 1, error));
  int status = sort_key_list_reserve(&spare, 2 * count + 1, error);
  p->cuts = memory_allocate_zero((p->count + 1) * runs * 8);
  p->results = memory_allocate_zero(p->count * (int64_t)sizeof *p->results);
  if (!p->cuts || !p->results) status = error_fail_memory(error, p->count * runs * 8);
  if (status >= 0) {
    key_comparator by = sort_runs_comparator(s);
    sample(s, samples.items, STRIDE);
    key_sort(&by, samples.items, spare.items, count);
    p->splitters = samples.items;
    status = parallel_run(job, runs, cut_run, p, error);
  }
  sort_key_list_free(&samples);
  sort_key_list_free(&spare);
  return status;
}

/* Ranks of the rows of a part, those of earlier runs first. */
static void collect(const parts *p, int64_t task, sort_key_list *to) {
  const sorter *s = p->sorter;
  const int64_t *from = p->cuts + task * s->runs.count, *end = from + s->runs.count;
  for (int64_t r = 0; r < s->runs.count; r++)
    for (int64_t i = from[r]; i < end[r]; i++)
      to->items[to->count++] = sort_key_masked(s->sort_keys[r].items[i], s->precision.bits);
}

static int sort_part(void *context, int64_t task, mm_error *error) {
  parts *p = context;
  const sorter *s = p->sorter;
  int64_t runs = s->runs.count, rows = 0;
  const int64_t *from = p->cuts + task * runs;
  sort_key_list sort_keys = {0}, spare = {0};
  for (int64_t r = 0; r < runs; r++) rows += from[runs + r] - from[r];
  int status = sort_key_list_reserve(&sort_keys, rows, error);
  if (status >= 0) status = sort_key_list_reserve(&spare, 2 * rows, error);
  if (status >= 0) {
    collect(p, task, &sort_keys);
    key_comparator by = sort_runs_comparator(s);
    key_sort(&by, sort_keys.items, spare.items, rows);
    status = sort_runs_emit(s, sort_keys.items, rows, &p->results[task], error);
  }
  sort_key_list_free(&sort_keys);
  sort_key_list_free(&spare);
  return status;
}

static int append_all(mm_table *out, mm_table *from, mm_error *error) {
  for (int64_t i = 0; i < from->count; i++) TRY(mm_table_append(out, &from->batches[i], error));
  return 0;
}

int sort_merge_all(sorter *s, mm_job *job, mm_table *out, mm_error *error) {
  if (in_order(s)) return append_all(out, &s->runs, error);
  parts p = {.sorter = s};
  int status = cut_parts(&p, job, error);
  if (status >= 0) status = parallel_run(job, p.count, sort_part, &p, error);
  for (int64_t i = 0; i < p.count && p.results; i++) {
    if (status >= 0) status = append_all(out, &p.results[i], error);
    mm_table_free(&p.results[i]);
  }
  if (p.results) memory_release(p.results, p.count * (int64_t)sizeof *p.results);
  if (p.cuts) memory_release(p.cuts, (p.count + 1) * s->runs.count * 8);
  return status;
}
