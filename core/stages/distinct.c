/* distinct.c - the first whole row of each key, in the order of the input.
 *
 * DESIGN. A morsel's rows with keys that are new to the morsel are picked as candidates when they come by; groups
 * without accumulators tell, once the morsel has been merged, which candidates are new to the job. Those are the
 * result.
 *
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/error.h"
#include "engine/parallel.h"
#include "stages/group/group_build.h"
#include "stages/group/group_merge.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Rows that stand for `count` candidates. */
typedef struct picked {
  mm_batch batch;
  int64_t count;
} picked;

/* Candidates of one morsel. Candidate i is the first row of its group i. */
typedef struct candidates {
  mm_buffer picked;    /* in order */
  mm_buffer index;     /* int64_t of each candidate: its row in its batch */
  mm_buffer positions; /* uint64_t of each: its row among the morsel's */
  mm_buffer fresh;     /* a byte for each row of the morsel */
} candidates;

/* Rows that are kept, of one batch of candidates. */
typedef struct kept_rows {
  uint64_t morsel;
  int64_t batch;
  mm_batch rows;
} kept_rows;

typedef struct distinct_stage {
  mm_stage base;
  int32_t *keys;
  int32_t key_count;
  group_plan plan;
  group_merge merge;
  partial_pool pool;
  pthread_mutex_t lock; /* of kept */
  mm_buffer kept;
} distinct_stage;

typedef struct distinct_local {
  group_build build;
  candidates *candidates;
  mm_buffer index; /* int64_t: candidates among a batch's rows */
} distinct_local;

static void free_candidates(candidates *all) {
  if (!all) return;
  picked *list = (picked *)all->picked.data;
  for (int64_t b = 0; b < all->picked.size / (int64_t)sizeof *list; b++) mm_batch_free(&list[b].batch);
  mm_buffer_free(&all->picked);
  mm_buffer_free(&all->index);
  mm_buffer_free(&all->positions);
  mm_buffer_free(&all->fresh);
  memory_release(all, sizeof *all);
}

/* ---- Picking rows ---- */

/* Blocks may be borrowed from the source, and are gone after run. */
static bool owns_blocks(const mm_batch *batch) {
  for (int32_t c = 0; c < batch->count; c++) {
    const mm_column *column = &batch->columns[c];
    if ((column->data && !column->data_block) || (column->valid && !column->valid_block)) return false;
    if (column->offsets && !column->offsets_block) return false;
  }
  return true;
}

static int pick_rows(mm_batch *to, const mm_batch *from, const int64_t *index, int64_t count, mm_error *error) {
  if (count == from->length && owns_blocks(from)) return mm_batch_copy(to, from, error);
  return mm_batch_take(to, from, index, count, false, error);
}

enum { HELD = 4 }; /* a batch is held when one row of so many is a candidate */

/* The rows of `from` at `index` become candidates. */
static int add_candidates(candidates *all, const mm_batch *from, int64_t *index, int64_t count, mm_error *error) {
  picked add = {.count = count};
  TRY(mm_buffer_reserve(&all->picked, sizeof add, error));
  bool held = count * HELD >= from->length && owns_blocks(from);
  int status = held ? mm_batch_copy(&add.batch, from, error) : pick_rows(&add.batch, from, index, count, error);
  for (int64_t i = 0; i < count && !held; i++) index[i] = i;
  if (status >= 0) status = mm_buffer_append(&all->index, index, count * 8, error);
  if (status >= 0) status = mm_buffer_append(&all->picked, &add, sizeof add, error);
  if (status < 0) mm_batch_free(&add.batch);
  return status;
}

/* ---- Merged morsels ---- */

static int keep_candidates(distinct_stage *stage, uint64_t morsel, int64_t number, const mm_batch *from,
                           const int64_t *index, int64_t count, mm_error *error) {
  kept_rows kept = {.morsel = morsel, .batch = number};
  int status = pick_rows(&kept.rows, from, index, count, error);
  if (status >= 0) {
    pthread_mutex_lock(&stage->lock);
    status = mm_buffer_append(&stage->kept, &kept, sizeof kept, error);
    pthread_mutex_unlock(&stage->lock);
  }
  if (status < 0) mm_batch_free(&kept.rows);
  return status;
}

static int keep_fresh(distinct_stage *stage, const group_partial *partial, mm_error *error) {
  const candidates *all = partial->payload;
  const uint64_t *position = (const uint64_t *)all->positions.data;
  const int64_t *index = (const int64_t *)all->index.data;
  const picked *list = (const picked *)all->picked.data;
  mm_buffer rows = {0};
  int status = 0;
  for (int64_t b = 0; b < all->picked.size / (int64_t)sizeof *list && status >= 0; b++) {
    int64_t count = 0;
    status = mm_buffer_reserve(&rows, list[b].count * 8, error);
    if (status < 0) break;
    int64_t *kept = (int64_t *)rows.data;
    for (int64_t i = 0; i < list[b].count; i++) {
      kept[count] = index[i];
      count += all->fresh.data[position[i]];
    }
    if (count) status = keep_candidates(stage, partial->base >> 32, b, &list[b].batch, kept, count, error);
    position += list[b].count;
    index += list[b].count;
  }
  mm_buffer_free(&rows);
  return status;
}

static int take_spare(void *self, group_partial **partial, mm_error *error) {
  distinct_stage *stage = self;
  return partial_pool_take(&stage->pool, &stage->plan, partial, error);
}

static void discard(distinct_stage *stage, group_partial *partial) {
  free_candidates(partial->payload);
  partial->payload = partial->fresh = NULL;
  partial_pool_give(&stage->pool, partial);
}

static int take_merged(void *self, group_partial *take, mm_error *error) {
  int status = take->payload ? keep_fresh(self, take, error) : 0;
  discard(self, take);
  return status;
}

static void drop_partial(void *self, group_partial *take) {
  (void)self;
  free_candidates(take->payload);
  group_partial_free(take);
}

/* ---- The stage ---- */

static int distinct_bind(mm_stage *base, const mm_schema *in, mm_error *error) {
  distinct_stage *stage = (distinct_stage *)base;
  int32_t count = stage->key_count ? stage->key_count : in->count;
  int64_t bytes = (in->count + 1) * (int64_t)sizeof(int32_t);
  int32_t *all = memory_allocate(bytes);
  if (!all) return error_fail_memory(error, bytes);
  for (int32_t c = 0; c < in->count; c++) all[c] = c;
  int status = group_plan_init(&stage->plan, in, stage->key_count ? stage->keys : all, count, NULL, 0, error);
  memory_release(all, bytes);
  stage->merge.self = stage;
  stage->merge.spare = take_spare;
  stage->merge.done = take_merged;
  return status < 0 ? status : group_merge_init(&stage->merge, &stage->plan, error);
}

static void distinct_close(mm_stage *base, void *memory) {
  (void)base;
  distinct_local *local = memory;
  group_build_free(&local->build);
  free_candidates(local->candidates);
  mm_buffer_free(&local->index);
  memory_release(local, sizeof *local);
}

static int distinct_open(mm_stage *base, mm_job *job, void **memory, mm_error *error) {
  (void)job;
  distinct_local *local = memory_allocate_zero(sizeof *local);
  if (!local) return error_fail_memory(error, sizeof *local);
  int status = group_build_init(&local->build, &((distinct_stage *)base)->plan, error);
  if (status < 0) distinct_close(base, local);
  else *memory = local;
  return status;
}

static int pick_candidates(distinct_local *local, const mm_batch *in, mm_error *error) {
  group_build *build = &local->build;
  local->index.size = 0;
  TRY(mm_buffer_reserve(&local->index, in->length * 8, error));
  int64_t *index = (int64_t *)local->index.data, count = 0;
  for (int64_t start = 0; start < in->length;) {
    int64_t next = build->groups.keys.count;
    int n = group_build_add(build, in, start, error);
    TRY(n);
    for (int64_t i = 0; i < n && next < build->groups.keys.count; i++) {
      if (build->vector.group[i] != next) continue;
      index[count++] = start + i;
      next++;
    }
    start += n;
  }
  if (!local->candidates) local->candidates = memory_allocate_zero(sizeof *local->candidates);
  if (!local->candidates) return error_fail_memory(error, sizeof *local->candidates);
  return count ? add_candidates(local->candidates, in, index, count, error) : 0;
}

static int distinct_run(mm_stage *base, void *memory, const mm_batch *in, mm_batch *out, mm_error *error) {
  (void)base, (void)out;
  distinct_local *local = memory;
  int status = pick_candidates(local, in, error);
  if (status < 0) local->build.failed = true;
  return status;
}

static int complete_candidates(distinct_local *local, mm_error *error) {
  candidates *all = local->candidates;
  const mm_buffer *first = &local->build.groups.first;
  TRY(mm_buffer_append(&all->positions, first->data, first->size, error));
  TRY(mm_buffer_reserve(&all->fresh, local->build.rows + 1, error));
  memset(all->fresh.data, 0, (size_t)local->build.rows + 1);
  return 0;
}

static int distinct_cut(mm_stage *base, void *memory, void **result, mm_error *error) {
  distinct_stage *stage = (distinct_stage *)base;
  distinct_local *local = memory;
  group_partial *partial = NULL;
  int status = take_spare(stage, &partial, error);
  if (status >= 0 && local->candidates && !local->build.failed) status = complete_candidates(local, error);
  if (status >= 0) status = group_build_cut(&local->build, partial, atomic_load(&stage->merge.partitioned), error);
  if (status < 0) {
    if (partial) partial_pool_give(&stage->pool, partial);
    local->build.failed = true;
    return status;
  }
  partial->payload = local->candidates;
  partial->fresh = local->candidates ? local->candidates->fresh.data : NULL;
  local->candidates = NULL;
  *result = partial;
  return 0;
}

static int distinct_fold(mm_stage *base, void *partial, mm_error *error) {
  return group_merge_fold(&((distinct_stage *)base)->merge, partial, error);
}
static void distinct_drop(mm_stage *base, void *partial) { discard((distinct_stage *)base, partial); }
static void distinct_interrupt(mm_stage *base) { group_merge_stop(&((distinct_stage *)base)->merge); }
static int distinct_drain(mm_stage *base, mm_error *error) {
  return group_merge_drain(&((distinct_stage *)base)->merge, error);
}

/* ---- The result ---- */

static int in_order(const void *a, const void *b) {
  const kept_rows *x = a, *y = b;
  if (x->morsel != y->morsel) return x->morsel < y->morsel ? -1 : 1;
  return x->batch < y->batch ? -1 : x->batch > y->batch;
}

enum { LARGE = MM_MORSEL / 8 }; /* rows of a batch that need not be joined with others */

/* Small batches become larger ones: batch i of the result is joined from kept rows [starts[i], starts[i + 1]). */
typedef struct joining {
  const kept_rows *parts;
  const int64_t *starts;
  mm_batch *batches;
} joining;

static int join_batch(void *context, int64_t i, mm_error *error) {
  const joining *all = context;
  const kept_rows *parts = all->parts + all->starts[i];
  int64_t count = all->starts[i + 1] - all->starts[i];
  mm_batch *batch = &all->batches[i];
  if (count == 1) return mm_batch_copy(batch, &parts->rows, error);
  const mm_column **columns = memory_allocate(count * (int64_t)sizeof(mm_column *));
  if (!columns) return error_fail_memory(error, count * (int64_t)sizeof(mm_column *));
  int status = mm_batch_resize(batch, parts->rows.count, error);
  for (int64_t p = 0; p < count; p++) batch->length += parts[p].rows.length;
  for (int32_t c = 0; c < parts->rows.count && status >= 0; c++) {
    for (int64_t p = 0; p < count; p++) columns[p] = &parts[p].rows.columns[c];
    status = mm_column_concat(&batch->columns[c], columns, count, error);
  }
  memory_release(columns, count * (int64_t)sizeof(mm_column *));
  return status;
}

static int distinct_finish(mm_stage *base, mm_job *job, mm_table *out, mm_error *error) {
  distinct_stage *stage = (distinct_stage *)base;
  TRY(group_merge_finish(&stage->merge, job, error));
  kept_rows *parts = (kept_rows *)stage->kept.data;
  int64_t count = stage->kept.size / (int64_t)sizeof *parts, rows = 0;
  if (!count) return 0;
  qsort(parts, (size_t)count, sizeof *parts, in_order);
  int64_t bytes = (count + 1) * (int64_t)sizeof(int64_t), batch_bytes = count * (int64_t)sizeof(mm_batch);
  int64_t *starts = memory_allocate(bytes), batches = 0;
  joining all = {.parts = parts, .starts = starts, .batches = memory_allocate_zero(batch_bytes)};
  int status = starts && all.batches ? 0 : error_fail_memory(error, bytes + batch_bytes);
  for (int64_t i = 0; i < count && status >= 0; i++) {
    int64_t length = parts[i].rows.length;
    if (i == 0 || rows + length > MM_MORSEL || length >= LARGE) starts[batches++] = i, rows = 0;
    rows = length >= LARGE ? MM_MORSEL : rows + length; /* a large one stands alone */
    starts[batches] = count;
  }
  if (status >= 0) status = parallel_run(job, batches, join_batch, &all, error);
  for (int64_t i = 0; i < batches; i++) {
    if (status >= 0) status = mm_table_append(out, &all.batches[i], error);
    mm_batch_free(&all.batches[i]);
  }
  memory_release(starts, bytes);
  memory_release(all.batches, batch_bytes);
  return status;
}

static void distinct_free(mm_stage *base) {
  distinct_stage *stage = (distinct_stage *)base;
  group_merge_free(&stage->merge, drop_partial);
  partial_pool_free(&stage->pool);
  kept_rows *parts = (kept_rows *)stage->kept.data;
  for (int64_t i = 0; i < stage->kept.size / (int64_t)sizeof *parts; i++) mm_batch_free(&parts[i].rows);
  mm_buffer_free(&stage->kept);
  group_plan_free(&stage->plan);
  mm_schema_free(&base->out);
  pthread_mutex_destroy(&stage->lock);
  memory_release(stage->keys, (stage->key_count + 1) * (int64_t)sizeof *stage->keys);
  memory_release(stage, sizeof *stage);
}

static mm_stage *distinct_copy(const mm_stage *base, mm_error *error) {
  const distinct_stage *stage = (const distinct_stage *)base;
  return mm_stage_distinct(stage->keys, stage->key_count, error);
}

static const mm_stage_class distinct_class = {.name = "distinct",
                                              .flags = MM_STAGE_BREAKER,
                                              .bind = distinct_bind,
                                              .open = distinct_open,
                                              .close = distinct_close,
                                              .run = distinct_run,
                                              .cut = distinct_cut,
                                              .fold = distinct_fold,
                                              .drop = distinct_drop,
                                              .drain = distinct_drain,
                                              .finish = distinct_finish,
                                              .interrupt = distinct_interrupt,
                                              .free = distinct_free,
                                              .copy = distinct_copy};

mm_stage *mm_stage_distinct(const int32_t *keys, int32_t key_count, mm_error *error) {
  distinct_stage *stage = memory_allocate_zero(sizeof *stage);
  if (!stage) {
    error_fail_memory(error, sizeof *stage);
    return NULL;
  }
  stage->base = (mm_stage){.vtable = &distinct_class, .flags = distinct_class.flags};
  partial_pool_init(&stage->pool);
  pthread_mutex_init(&stage->lock, NULL);
  stage->key_count = key_count;
  stage->keys = memory_allocate((key_count + 1) * (int64_t)sizeof *keys);
  if (!stage->keys) {
    error_fail_memory(error, (key_count + 1) * (int64_t)sizeof *keys);
    distinct_free(&stage->base);
    return NULL;
  }
  if (key_count) memcpy(stage->keys, keys, (size_t)key_count * sizeof *keys);
  return &stage->base;
}
