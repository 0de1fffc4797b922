/* group_merge.c - partials merged in morsel order: into one table while groups are few, else into partitions side by side.
 *
 * DESIGN. fold only appends a scattered partial to the queue. A partition counts what it has merged of the queue; whoever
 * holds its lock takes it further, in order. A partial leaves the queue when all partitions have merged their part. Partitions
 * wait until some partials stand in the queue, so that a table that was fetched into cache is used for more than a few rows.
 *
 * SPDX-License-Identifier: MIT */
#include "stages/group/group_merge.h"
#include "base/alloc.h"
#include "base/error.h"
#include "engine/parallel.h"
#include <pthread.h>
#include <stdatomic.h>

enum { FEW_GROUPS = 16384, WORTHWHILE = 8, MANY_PAIRS = 1 << 16 };

static int64_t partitions_bytes(void) { return GROUP_PARTITIONS * (int64_t)sizeof(group_partition); }

int group_merge_init(group_merge *merger, const group_plan *plan, mm_error *error) {
  merger->plan = plan;
  return group_table_init(&merger->whole, plan, 0, error);
}

void group_merge_free(group_merge *merger, void (*drop)(void *self, group_partial *take)) {
  for (int i = 0; i < GROUP_QUEUE; i++) {
    group_partial *partial = atomic_exchange(&merger->queue[i], NULL);
    if (partial) drop(merger->self, partial);
  }
  group_table_free(&merger->whole);
  for (int p = 0; merger->partitions && p < GROUP_PARTITIONS; p++) {
    group_table_free(&merger->partitions[p].groups);
    pthread_mutex_destroy(&merger->partitions[p].lock);
  }
  memory_release(merger->partitions, partitions_bytes());
  merger->partitions = NULL;
}

/* ---- Partitions ---- */

void group_merge_stop(group_merge *merger) { atomic_store(&merger->failed, true); }

/* Once a merge has failed, or the job was cancelled, the job will fail, but its other workers may still come here. */
static int check_failed(const group_merge *merger, mm_error *error) {
  return atomic_load(&merger->failed) ? error_fail(error, MM_ESTATE, "merge-failed", "groups could not be merged") : 0;
}
static int note_failed(group_merge *merger, int status) {
  if (status < 0) atomic_store(&merger->failed, true);
  return status;
}

/* Merge what the queue holds for a partition; its lock is held. */
static int advance(group_merge *merger, int64_t index, mm_error *error) {
  group_partition *partition = &merger->partitions[index];
  int64_t queued = atomic_load(&merger->queued);
  for (int64_t i = atomic_load(&partition->merged); i < queued; i++) {
    TRY(check_failed(merger, error));
    _Atomic(group_partial *) *place = &merger->queue[i % GROUP_QUEUE];
    group_partial *partial = atomic_load(place);
    TRY(note_failed(merger, group_table_merge(&partition->groups, partial, partial->starts[index],
                                              partial->starts[index + 1], error)));
    atomic_store(&partition->merged, i + 1);
    if (atomic_fetch_sub(&partial->left, 1) > 1) continue;
    atomic_store(place, NULL);
    TRY(note_failed(merger, merger->done(merger->self, partial, error)));
  }
  return 0;
}

static int advance_locked(group_merge *merger, int64_t index, mm_error *error) {
  pthread_mutex_lock(&merger->partitions[index].lock);
  int status = advance(merger, index, error);
  pthread_mutex_unlock(&merger->partitions[index].lock);
  return status;
}

int group_merge_drain(group_merge *merger, mm_error *error) {
  if (!atomic_load(&merger->partitioned)) return 0;
  unsigned start = atomic_fetch_add(&merger->turn, 1) * 101;
  for (unsigned k = 0; k < GROUP_PARTITIONS; k++) {
    unsigned index = (start + k) % GROUP_PARTITIONS;
    group_partition *partition = &merger->partitions[index];
    if (atomic_load(&merger->queued) - atomic_load(&partition->merged) < WORTHWHILE) continue;
    if (pthread_mutex_trylock(&partition->lock)) continue; /* somebody else is at it */
    int status = advance(merger, index, error);
    pthread_mutex_unlock(&partition->lock);
    TRY(status);
  }
  return 0;
}

/* ---- Folding ---- */

static int enqueue(group_merge *merger, group_partial *take, mm_error *error) {
  int64_t queued = atomic_load(&merger->queued);
  _Atomic(group_partial *) *place = &merger->queue[queued % GROUP_QUEUE];
  for (int64_t p = 0; atomic_load(place) && p < GROUP_PARTITIONS; p++) {
    int status = advance_locked(merger, p, error);
    if (status < 0) {
      merger->done(merger->self, take, NULL);
      return status;
    }
  }
  atomic_store(&take->left, GROUP_PARTITIONS);
  atomic_store(place, take);
  atomic_store(&merger->queued, queued + 1);
  return 0;
}

/* A scattered partial out of groups that are not. */
static int scatter(group_merge *merger, group_table *groups, group_partial **scattered, mm_error *error) {
  TRY(merger->spare(merger->self, scattered, error));
  int status = group_table_cut(groups, *scattered, true, error);
  if (status < 0) merger->done(merger->self, *scattered, NULL);
  return status;
}

static int split(group_merge *merger, mm_error *error) {
  group_partition *partitions = memory_allocate_zero(partitions_bytes());
  if (!partitions) return error_fail_memory(error, partitions_bytes());
  int status = 0;
  for (int p = 0; p < GROUP_PARTITIONS; p++) {
    pthread_mutex_init(&partitions[p].lock, NULL);
    if (status >= 0) status = group_table_init(&partitions[p].groups, merger->plan, 0, error);
  }
  merger->partitions = partitions;
  TRY(status);
  group_partial *first;
  TRY(scatter(merger, &merger->whole, &first, error));
  TRY(enqueue(merger, first, error));
  atomic_store(&merger->partitioned, true);
  return 0;
}

/* What one worker alone should not merge: many groups, or many different values of some. */
static bool is_much(const group_table *groups) {
  int64_t pairs = 0;
  for (int32_t i = 0; i < groups->plan->accumulator_count; i++) pairs += groups->accumulators[i].pairs.count;
  return groups->keys.count > FEW_GROUPS || (groups->keys.count >= SHARED_GROUPS && pairs > MANY_PAIRS);
}

int group_merge_fold(group_merge *merger, group_partial *take, mm_error *error) {
  take->base = merger->morsels++ << 32;
  if (!merger->partitions) {
    int status = check_failed(merger, error);
    if (status >= 0)
      status = note_failed(merger, group_table_merge(&merger->whole, take, 0, take->groups.keys.count, error));
    int done = merger->done(merger->self, take, status < 0 ? NULL : error);
    TRY(status);
    TRY(done);
    return is_much(&merger->whole) ? note_failed(merger, split(merger, error)) : 0;
  }
  if (!take->scattered) { /* cut before the tables were split */
    group_partial *scattered = NULL;
    int status = scatter(merger, &take->groups, &scattered, error);
    if (status >= 0) {
      scattered->base = take->base;
      scattered->fresh = take->fresh;
      scattered->cargo = take->cargo;
      take->fresh = take->cargo = NULL;
    }
    int done = merger->done(merger->self, take, status < 0 ? NULL : error);
    TRY(status);
    if (done < 0) merger->done(merger->self, scattered, NULL);
    TRY(done);
    take = scattered;
  }
  return enqueue(merger, take, error);
}

/* ---- The end ---- */

static int complete(group_table *groups, mm_error *error) {
  for (int32_t i = 0; i < groups->plan->accumulator_count; i++) {
    accumulator *acc = &groups->accumulators[i];
    if (acc->vtable->complete && groups->keys.count) TRY(acc->vtable->complete(acc, groups->keys.count, error));
  }
  return 0;
}

static int finish_partition(void *argument, int64_t index, mm_error *error) {
  group_merge *merger = argument;
  TRY(advance_locked(merger, index, error));
  return complete(&merger->partitions[index].groups, error);
}

int group_merge_finish(group_merge *merger, mm_job *job, mm_error *error) {
  for (int32_t i = 0; i < merger->plan->accumulator_count; i++)
    merger->plan->accumulators[i].helpers = merger->partitions ? NULL : job;
  if (!merger->partitions) return complete(&merger->whole, error);
  return parallel_run(job, GROUP_PARTITIONS, finish_partition, merger, error);
}
