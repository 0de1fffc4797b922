/* group_stage.c - the group stage: keys and aggregates, in order of first appearance.
 * SPDX-License-Identifier: MIT */
#include "aggregates/count_distinct_global.h"
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
  mm_group_plan plan;
  mm_merger merger;
  mm_spares spares;
} group_stage;

static int spare(void *self, mm_partial **partial, mm_error *error) {
  group_stage *stage = self;
  return mm_spares_take(&stage->spares, &stage->plan, partial, error);
}
static int done(void *self, mm_partial *take, mm_error *error) {
  (void)error;
  mm_spares_give(&((group_stage *)self)->spares, take);
  return 0;
}
static void drop_partial(void *self, mm_partial *take) {
  (void)self;
  mm_partial_free(take);
}

static int group_bind(mm_stage *base, const mm_schema *in, mm_error *error) {
  group_stage *stage = (group_stage *)base;
  TRY(mm_schema_copy(&stage->in, in, error));
  TRY(mm_group_plan_init(&stage->plan, in, stage->keys, stage->key_count, stage->aggregates, stage->count, error));
  for (int32_t i = 0; i < stage->count; i++)
    stage->served_by[i] = mm_group_plan_find(&stage->plan, in, &stage->aggregates[i]);
  if (stage->plan.reduces) base->flags |= MM_STAGE_SELECTED;
  stage->merger.self = stage;
  stage->merger.spare = spare;
  stage->merger.done = done;
  return mm_merger_init(&stage->merger, &stage->plan, error);
}

static void group_close(mm_stage *base, void *local) {
  (void)base;
  mm_absorber_free(local);
  mm_release(local, sizeof(mm_absorber));
}

static int group_open(mm_stage *base, mm_job *job, void **local, mm_error *error) {
  (void)job;
  group_stage *stage = (group_stage *)base;
  mm_absorber *absorber = mm_allocate_zero(sizeof *absorber);
  if (!absorber) return mm_fail_memory(error, sizeof *absorber);
  int status = mm_absorber_init(absorber, &stage->plan, error);
  if (status < 0) {
    group_close(base, absorber);
    return status;
  }
  *local = absorber;
  return 0;
}

static int group_run(mm_stage *base, void *local, const mm_batch *in, mm_batch *out, mm_error *error) {
  (void)base, (void)out;
  for (int64_t start = 0; start < in->length;) {
    int n = mm_absorber_take(local, in, start, error);
    TRY(n);
    start += n;
  }
  return 0;
}

static int group_cut(mm_stage *base, void *local, void **partial, mm_error *error) {
  group_stage *stage = (group_stage *)base;
  mm_partial *cut;
  TRY(mm_spares_take(&stage->spares, &stage->plan, &cut, error));
  int status = mm_absorber_cut(local, cut, atomic_load(&stage->merger.partitioned), error);
  if (status < 0) mm_spares_give(&stage->spares, cut);
  else *partial = cut;
  return status;
}

static int group_fold(mm_stage *base, void *partial, mm_error *error) {
  return mm_merger_fold(&((group_stage *)base)->merger, partial, error);
}
static void group_drop(mm_stage *base, void *partial) { mm_spares_give(&((group_stage *)base)->spares, partial); }
static void group_interrupt(mm_stage *base) {
  group_stage *stage = (group_stage *)base;
  mm_merger_stop(&stage->merger);
  for (int32_t i = 0; i < stage->plan.accumulator_count; i++)
    if (stage->plan.accumulators[i].census) mm_census_stop(stage->plan.accumulators[i].census);
}
static int group_drain(mm_stage *base, mm_error *error) {
  return mm_merger_drain(&((group_stage *)base)->merger, error);
}

/* Without keys there is one group, also of no rows. */
static int make_only_group(mm_groups *groups, mm_error *error) {
  uint64_t entry = 0, first = 0;
  uint32_t number;
  TRY(mm_keys_resolve(&groups->keys, &entry, 1, &number, error));
  TRY(mm_buffer_append(&groups->first, &first, sizeof first, error));
  return mm_groups_extend(groups, 0, error);
}

/* Name the column that a sum was taken of. */
static void name_column(const group_stage *stage, mm_error *error) {
  for (int32_t i = 0; i < stage->count; i++) {
    const mm_aggregate *aggregate = &stage->aggregates[i];
    const char *out = stage->base.out.fields[stage->key_count + i].name;
    if (aggregate->column < 0 || strcmp(error->field, out) != 0) continue;
    const char *name = stage->in.fields[aggregate->column].name;
    int32_t place = error->place;
    bool is_unsigned = mm_is_unsigned(stage->base.out.fields[stage->key_count + i].type.id);
    mm_fail(error, MM_EDATA, "overflow", "the sum of column '%s' does not fit in %s", name,
            is_unsigned ? "u64" : "i64");
    error->place = place;
    mm_error_text(error->field, sizeof error->field, name, (int64_t)strlen(name));
    return;
  }
}

static int group_finish(mm_stage *base, mm_job *job, mm_table *out, mm_error *error) {
  group_stage *stage = (group_stage *)base;
  if (!stage->key_count && !stage->merger.whole.keys.count) TRY(make_only_group(&stage->merger.whole, error));
  TRY(mm_merger_finish(&stage->merger, job, error));
  int status = mm_groups_emit(&stage->merger, stage->aggregates, stage->served_by, stage->count, job, out, error);
  if (status == MM_EDATA && error) name_column(stage, error);
  return status;
}

static void group_free(mm_stage *base) {
  group_stage *stage = (group_stage *)base;
  mm_merger_free(&stage->merger, drop_partial);
  mm_spares_free(&stage->spares);
  mm_group_plan_free(&stage->plan);
  mm_schema_free(&stage->in);
  mm_schema_free(&base->out);
  mm_release(stage->keys, (stage->key_count + 1) * (int64_t)sizeof *stage->keys);
  mm_release(stage->aggregates, (stage->count + 1) * (int64_t)sizeof *stage->aggregates);
  mm_release(stage->served_by, (stage->count + 1) * (int64_t)sizeof *stage->served_by);
  mm_release(stage, sizeof *stage);
}

static mm_stage *group_copy(const mm_stage *base, mm_error *error) {
  const group_stage *stage = (const group_stage *)base;
  return mm_stage_group(stage->keys, stage->key_count, stage->aggregates, stage->count, &base->out, error);
}

static const mm_stage_class group_class = {.name = "group",
                                           .flags = MM_STAGE_BREAKS | MM_STAGE_LETS_GO,
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

/* Shares are tested by what is allowed, so that NaN is refused: a share becomes an index. */
static int check_shares(const mm_aggregate *aggregates, int32_t count, mm_error *error) {
  for (int32_t i = 0; i < count; i++) {
    const mm_aggregate *aggregate = &aggregates[i];
    if (aggregate->op != MM_AGG_QUANTILE || (aggregate->q >= 0 && aggregate->q <= 1)) continue;
    mm_fail(error, MM_EUSAGE, "bad-share", "group: the share of quantile is %g, expected a number from 0 to 1",
            aggregate->q);
    if (error) error->place = aggregate->place;
    return MM_EUSAGE;
  }
  return 0;
}

mm_stage *mm_stage_group(const int32_t *keys, int32_t key_count, const mm_aggregate *aggregates, int32_t count,
                         const mm_schema *out, mm_error *error) {
  if (out->count != key_count + count) {
    mm_fail(error, MM_EBUG, "bug", "group: %d keys and %d aggregates give %d columns", key_count, count, out->count);
    return NULL;
  }
  if (check_shares(aggregates, count, error) < 0) return NULL;
  group_stage *stage = mm_allocate_zero(sizeof *stage);
  if (!stage) {
    mm_fail_memory(error, sizeof *stage);
    return NULL;
  }
  stage->base = (mm_stage){.vtable = &group_class, .flags = group_class.flags};
  mm_spares_init(&stage->spares);
  stage->key_count = key_count;
  stage->count = count;
  stage->keys = mm_allocate((key_count + 1) * (int64_t)sizeof *keys);
  stage->aggregates = mm_allocate((count + 1) * (int64_t)sizeof *aggregates);
  stage->served_by = mm_allocate((count + 1) * (int64_t)sizeof *stage->served_by);
  bool made = stage->keys && stage->aggregates && stage->served_by;
  if (!made) mm_fail_memory(error, count * (int64_t)sizeof *aggregates);
  if (!made || mm_schema_copy(&stage->base.out, out, error) < 0) {
    group_free(&stage->base);
    return NULL;
  }
  if (key_count) memcpy(stage->keys, keys, (size_t)key_count * sizeof *keys);
  if (count) memcpy(stage->aggregates, aggregates, (size_t)count * sizeof *aggregates);
  return &stage->base;
}
