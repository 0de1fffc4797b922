/* plan.c - stages from which jobs are made: each job gets fresh copies of them.
 * SPDX-License-Identifier: MIT */
#include "engine/job_state.h"
#include "base/alloc.h"
#include "base/error.h"
#include "stage.h"
#include <stdatomic.h>
#include <string.h>

struct mm_plan {
  atomic_int_least64_t references;
  mm_schema reads;
  mm_stage **stages;
  int32_t count, capacity;
};

mm_plan *mm_plan_new(const mm_schema *reads, mm_error *error) {
  mm_plan *plan = memory_allocate_zero(sizeof *plan);
  if (!plan) {
    error_fail_memory(error, sizeof *plan);
    return NULL;
  }
  atomic_init(&plan->references, 1);
  if (mm_schema_copy(&plan->reads, reads, error) >= 0) return plan;
  mm_plan_release(plan);
  return NULL;
}

void mm_plan_retain(mm_plan *plan) { atomic_fetch_add_explicit(&plan->references, 1, memory_order_relaxed); }

void mm_plan_release(mm_plan *plan) {
  if (!plan || atomic_fetch_sub_explicit(&plan->references, 1, memory_order_acq_rel) > 1) return;
  for (int32_t i = 0; i < plan->count; i++) mm_stage_free(plan->stages[i]);
  memory_release(plan->stages, plan->capacity * (int64_t)sizeof *plan->stages);
  mm_schema_free(&plan->reads);
  memory_release(plan, sizeof *plan);
}

int mm_plan_add(mm_plan *plan, mm_stage *stage, mm_error *error) {
  int status = 0;
  if (!stage->vtable->copy)
    status = error_fail(error, MM_EBUG, "no-copy", "a plan cannot hold %s", stage->vtable->name);
  if (status >= 0 && plan->count == plan->capacity) {
    int64_t width = (int64_t)sizeof *plan->stages, old = plan->capacity;
    mm_stage **stages = memory_resize(plan->stages, old * width, (old + 8) * width);
    if (!stages) {
      status = error_fail_memory(error, (old + 8) * width);
    } else {
      plan->stages = stages;
      plan->capacity += 8;
    }
  }
  if (status < 0) mm_stage_free(stage);
  else plan->stages[plan->count++] = stage;
  return status;
}

const mm_schema *mm_plan_reads(const mm_plan *plan) { return &plan->reads; }

const mm_schema *mm_plan_gives(const mm_plan *plan) {
  for (int32_t i = plan->count - 1; i >= 0; i--)
    if (plan->stages[i]->out.count) return &plan->stages[i]->out;
  return &plan->reads;
}

int32_t stages_flags(mm_stage *const *stages, int32_t count) {
  int32_t all = MM_STAGE_KEEPS_ROWS, some = 0;
  for (int32_t i = 0; i < count; i++) {
    all &= stages[i]->flags;
    some |= stages[i]->flags;
  }
  return all | (some & ~MM_STAGE_KEEPS_ROWS);
}

int32_t mm_plan_flags(const mm_plan *plan) { return stages_flags(plan->stages, plan->count); }

static int32_t shares(const mm_stage *stage, int32_t column) {
  if (!(stage->flags & MM_STAGE_KEEPS_ROWS)) return -1;
  if (stage->vtable->shares) return stage->vtable->shares(stage, column);
  return stage->out.count ? -1 : column;
}

int32_t mm_plan_shares(const mm_plan *plan, int32_t column) {
  const mm_type *given = &mm_plan_gives(plan)->fields[column].type;
  for (int32_t i = plan->count - 1; i >= 0 && column >= 0; i--) column = shares(plan->stages[i], column);
  return column >= 0 && memcmp(given, &plan->reads.fields[column].type, sizeof *given) == 0 ? column : -1;
}

mm_job *mm_plan_job(const mm_plan *plan, mm_source *source, const mm_job_options *options, mm_error *error) {
  mm_job *job = mm_job_new(source, options, error);
  for (int32_t i = 0; job && i < plan->count; i++) {
    mm_stage *stage = plan->stages[i]->vtable->copy(plan->stages[i], error);
    if (stage) stage->flags = plan->stages[i]->flags;
    if (stage && mm_job_add(job, stage, error) >= 0) continue;
    mm_job_free(job);
    return NULL;
  }
  return job;
}
