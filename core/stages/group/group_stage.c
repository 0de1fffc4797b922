/* group_stage.c - the group stage: keys and aggregates, in order of first appearance.
 * SPDX-License-Identifier: MIT */
#include "aggregates/registry.h"
#include "base/alloc.h"
#include "base/error.h"
#include "stages/group/group_build.h"
#include "stages/group/group_result.h"
#include "types/type.h"
#include <stdatomic.h>
#include <string.h>

typedef struct group_stage {
  mm_stage base;
  int32_t *keys;
  int32_t key_count;
  mm_aggregate *aggregates;
  int32_t *served_by; /* accumulator of each aggregate */
  int32_t count;
  mm_schema in; /* for messages */
  group_plan plan;
  group_merge merge;
  partial_pool pool;
} group_stage;

static int take_spare(void *self, group_partial **partial, mm_error *error) {
  group_stage *stage = self;
  return partial_pool_take(&stage->pool, &stage->plan, partial, error);
}
static int give_back(void *self, group_partial *take, mm_error *error) {
  (void)error;
  partial_pool_give(&((group_stage *)self)->pool, take);
  return 0;
}
static void drop_partial(void *self, group_partial *take) {
  (void)self;
  group_partial_free(take);
}

static int group_bind(mm_stage *base, const mm_schema *in, mm_error *error) {
  group_stage *stage = (group_stage *)base;
  TRY(mm_schema_copy(&stage->in, in, error));
  TRY(group_plan_init(&stage->plan, in, stage->keys, stage->key_count, stage->aggregates, stage->count, error));
  for (int32_t i = 0; i < stage->count; i++)
    stage->served_by[i] = group_plan_find(&stage->plan, in, &stage->aggregates[i]);
  if (stage->plan.reduces) base->flags |= MM_STAGE_SELECTED;
  stage->merge.self = stage;
  stage->merge.spare = take_spare;
  stage->merge.done = give_back;
  return group_merge_init(&stage->merge, &stage->plan, error);
}

static void group_close(mm_stage *base, void *local) {
  (void)base;
  group_build_free(local);
  memory_release(local, sizeof(group_build));
}

static int group_open(mm_stage *base, mm_job *job, void **local, mm_error *error) {
  (void)job;
  group_stage *stage = (group_stage *)base;
  group_build *build = memory_allocate_zero(sizeof *build);
  if (!build) return error_fail_memory(error, sizeof *build);
  int status = group_build_init(build, &stage->plan, error);
  if (status < 0) {
    group_close(base, build);
    return status;
  }
  *local = build;
  return 0;
}

static int group_run(mm_stage *base, void *local, const mm_batch *in, mm_batch *out, mm_error *error) {
  (void)base, (void)out;
  for (int64_t start = 0; start < in->length;) {
    int n = group_build_add(local, in, start, error);
    TRY(n);
    start += n;
  }
  return 0;
}

static int group_cut(mm_stage *base, void *local, void **partial, mm_error *error) {
  group_stage *stage = (group_stage *)base;
  group_partial *cut;
  TRY(partial_pool_take(&stage->pool, &stage->plan, &cut, error));
  int status = group_build_cut(local, cut, atomic_load(&stage->merge.partitioned), error);
  if (status < 0) partial_pool_give(&stage->pool, cut);
  else *partial = cut;
  return status;
}

static int group_fold(mm_stage *base, void *partial, mm_error *error) {
  return group_merge_fold(&((group_stage *)base)->merge, partial, error);
}
static void group_drop(mm_stage *base, void *partial) { partial_pool_give(&((group_stage *)base)->pool, partial); }
static void group_interrupt(mm_stage *base) {
  group_stage *stage = (group_stage *)base;
  group_merge_stop(&stage->merge);
  for (int32_t i = 0; i < stage->plan.accumulator_count; i++) {
    accumulator *acc = &stage->plan.accumulators[i];
    if (acc->class->interrupt) acc->class->interrupt(acc);
  }
}
static int group_drain(mm_stage *base, mm_error *error) {
  return group_merge_drain(&((group_stage *)base)->merge, error);
}

/* Without keys there is one group, also of no rows. */
static int make_only_group(group_table *groups, mm_error *error) {
  uint64_t entry = 0, first = 0;
  uint32_t number;
  TRY(hash_table_resolve(&groups->keys, &entry, 1, &number, error));
  TRY(mm_buffer_append(&groups->first, &first, sizeof first, error));
  return group_table_extend(groups, 0, error);
}

/* Name the column that a sum was taken of. */
static void name_column(const group_stage *stage, mm_error *error) {
  for (int32_t i = 0; i < stage->count; i++) {
    const mm_aggregate *aggregate = &stage->aggregates[i];
    const char *out = stage->base.out.fields[stage->key_count + i].name;
    if (aggregate->column < 0 || strcmp(error->field, out) != 0) continue;
    const char *name = stage->in.fields[aggregate->column].name;
    int32_t place = error->place;
    bool is_unsigned = type_is_unsigned(stage->base.out.fields[stage->key_count + i].type.id);
    error_fail(error, MM_EDATA, "overflow", "the sum of column '%s' does not fit in %s", name,
               is_unsigned ? "u64" : "i64");
    error->place = place;
    error_copy_text(error->field, sizeof error->field, name, (int64_t)strlen(name));
    return;
  }
}

static int group_finish(mm_stage *base, mm_job *job, mm_table *out, mm_error *error) {
  group_stage *stage = (group_stage *)base;
  if (!stage->key_count && !stage->merge.whole.keys.count) TRY(make_only_group(&stage->merge.whole, error));
  TRY(group_merge_finish(&stage->merge, job, error));
  int status = group_result_emit(&stage->merge, stage->aggregates, stage->served_by, stage->count, job, out, error);
  if (status == MM_EDATA && error) name_column(stage, error);
  return status;
}

static void group_free(mm_stage *base) {
  group_stage *stage = (group_stage *)base;
  group_merge_free(&stage->merge, drop_partial);
  partial_pool_free(&stage->pool);
  group_plan_free(&stage->plan);
  mm_schema_free(&stage->in);
  mm_schema_free(&base->out);
  memory_release(stage->keys, (stage->key_count + 1) * (int64_t)sizeof *stage->keys);
  memory_release(stage->aggregates, (stage->count + 1) * (int64_t)sizeof *stage->aggregates);
  memory_release(stage->served_by, (stage->count + 1) * (int64_t)sizeof *stage->served_by);
  memory_release(stage, sizeof *stage);
}

static mm_stage *group_copy(const mm_stage *base, mm_error *error) {
  const group_stage *stage = (const group_stage *)base;
  return mm_stage_group(stage->keys, stage->key_count, stage->aggregates, stage->count, &base->out, error);
}

static const mm_stage_class group_class = {.name = "group",
                                           .flags = MM_STAGE_BREAKER | MM_STAGE_NO_RETAIN,
                                           .bind = group_bind,
                                           .open = group_open,
                                           .close = group_close,
                                           .run = group_run,
                                           .cut = group_cut,
                                           .fold = group_fold,
                                           .drop = group_drop,
                                           .drain = group_drain,
                                           .finish = group_finish,
                                           .interrupt = group_interrupt,
                                           .free = group_free,
                                           .copy = group_copy};

mm_stage *mm_stage_group(const int32_t *keys, int32_t key_count, const mm_aggregate *aggregates, int32_t count,
                         const mm_schema *out, mm_error *error) {
  if (out->count != key_count + count) {
    error_fail(error, MM_EBUG, "bug", "group: %d keys and %d aggregates give %d columns", key_count, count, out->count);
    return NULL;
  }
  for (int32_t i = 0; i < count; i++) {
    if (aggregate_check(&aggregates[i], error) < 0) return NULL;
    if (!(aggregates[i].flags & MM_AGG_SAVES) || out->fields[key_count + i].type.id == MM_BINARY) continue;
    error_fail(error, MM_EBUG, "bug", "group: saved states are a binary column");
    return NULL;
  }
  group_stage *stage = memory_allocate_zero(sizeof *stage);
  if (!stage) {
    error_fail_memory(error, sizeof *stage);
    return NULL;
  }
  stage->base = (mm_stage){.vtable = &group_class, .flags = group_class.flags};
  partial_pool_init(&stage->pool);
  stage->key_count = key_count;
  stage->count = count;
  stage->keys = memory_allocate((key_count + 1) * (int64_t)sizeof *keys);
  stage->aggregates = memory_allocate((count + 1) * (int64_t)sizeof *aggregates);
  stage->served_by = memory_allocate((count + 1) * (int64_t)sizeof *stage->served_by);
  bool made = stage->keys && stage->aggregates && stage->served_by;
  if (!made) error_fail_memory(error, count * (int64_t)sizeof *aggregates);
  if (!made || mm_schema_copy(&stage->base.out, out, error) < 0) {
    group_free(&stage->base);
    return NULL;
  }
  if (key_count) memcpy(stage->keys, keys, (size_t)key_count * sizeof *keys);
  if (count) memcpy(stage->aggregates, aggregates, (size_t)count * sizeof *aggregates);
  return &stage->base;
}
