/* group_merge.c - partials merged in morsel order: into one table while groups are few, else into partitions side by
 * side.
 *
 * DESIGN. fold only appends a scattered partial to the queue. A partition counts what it has merged of the queue;
 * whoever holds its lock takes it further, in order. A partial leaves the queue when all partitions have merged their
 * part. Partitions wait until some partials stand in the queue, so that a table that was fetched into cache is used for
 * more than a few rows.
 *
 * SPDX-License-Identifier: MIT */
#include "stages/group/group_merge.h"
#include "base/alloc.h"
#include "base/error.h"
#include "engine/parallel.h"
#include <pthread.h>
#include <stdatomic.h>

enum { FEW_GROUPS = 16384, WORTHWHILE = 8, MANY_ENTRIES = 1 << 16 };

static int64_t partitions_bytes(void) { return GROUP_PARTITIONS * (int64_t)sizeof(group_partition); }

int group_merge_init(group_merge *merge, const group_plan *plan, mm_error *error) {
  merge->plan = plan;
  return group_table_init(&merge->whole, plan, 0, error);
}

void group_merge_free(group_merge *merge, void (*drop)(void *self, group_partial *take)) {
  for (int i = 0; i < GROUP_QUEUE; i++) {
    group_partial *partial = atomic_exchange(&merge->queue[i], NULL);
    if (partial) drop(merge->self, partial);
  }
  group_table_free(&merge->whole);
  for (int p = 0; merge->partitions && p < GROUP_PARTITIONS; p++) {
    group_table_free(&merge->partitions[p].groups);
    pthread_mutex_destroy(&merge->partitions[p].lock);
  }
  memory_release(merge->partitions, partitions_bytes());
  merge->partitions = NULL;
}

/* ---- Partitions ---- */

void group_merge_stop(group_merge *merge) { atomic_store(&merge->failed, true); }

/* Once a merge has failed, or the job was cancelled, the job will fail, but its other workers may still come here. */
static int check_failed(const group_merge *merge, mm_error *error) {
  return atomic_load(&merge->failed) ? error_fail(error, MM_ESTATE, "merge-failed", "groups could not be merged") : 0;
}
static int note_failed(group_merge *merge, int status) {
  if (status < 0) atomic_store(&merge->failed, true);
  return status;
}

/* Merge what the queue holds for a partition; its lock is held. */
static int advance(group_merge *merge, int64_t index, mm_error *error) {
  group_partition *partition = &merge->partitions[index];
  int64_t queued = atomic_load(&merge->queued);
  for (int64_t i = atomic_load(&partition->merged); i < queued; i++) {
    TRY(check_failed(merge, error));
    _Atomic(group_partial *) *place = &merge->queue[i % GROUP_QUEUE];
    group_partial *partial = atomic_load(place);
    TRY(note_failed(merge, group_table_merge(&partition->groups, partial, partial->starts[index],
                                             partial->starts[index + 1], error)));
    atomic_store(&partition->merged, i + 1);
    if (atomic_fetch_sub(&partial->left, 1) > 1) continue;
    atomic_store(place, NULL);
    TRY(note_failed(merge, merge->done(merge->self, partial, error)));
  }
  return 0;
}

static int advance_locked(group_merge *merge, int64_t index, mm_error *error) {
  pthread_mutex_lock(&merge->partitions[index].lock);
  int status = advance(merge, index, error);
  pthread_mutex_unlock(&merge->partitions[index].lock);
  return status;
}

int group_merge_drain(group_merge *merge, mm_error *error) {
  if (!atomic_load(&merge->partitioned)) return 0;
  unsigned start = atomic_fetch_add(&merge->turn, 1) * 101;
  for (unsigned k = 0; k < GROUP_PARTITIONS; k++) {
    unsigned index = (start + k) % GROUP_PARTITIONS;
    group_partition *partition = &merge->partitions[index];
    if (atomic_load(&merge->queued) - atomic_load(&partition->merged) < WORTHWHILE) continue;
    if (pthread_mutex_trylock(&partition->lock)) continue; /* somebody else is at it */
    int status = advance(merge, index, error);
    pthread_mutex_unlock(&partition->lock);
    TRY(status);
  }
  return 0;
}

/* ---- Folding ---- */

static int enqueue(group_merge *merge, group_partial *take, mm_error *error) {
  int64_t queued = atomic_load(&merge->queued);
  _Atomic(group_partial *) *place = &merge->queue[queued % GROUP_QUEUE];
  for (int64_t p = 0; atomic_load(place) && p < GROUP_PARTITIONS; p++) {
    int status = advance_locked(merge, p, error);
    if (status < 0) {
      merge->done(merge->self, take, NULL);
      return status;
    }
  }
  atomic_store(&take->left, GROUP_PARTITIONS);
  atomic_store(place, take);
  atomic_store(&merge->queued, queued + 1);
  return 0;
}

/* A scattered partial out of groups that are not. */
static int scatter_table(group_merge *merge, group_table *groups, group_partial **scattered, mm_error *error) {
  TRY(merge->spare(merge->self, scattered, error));
  int status = group_table_cut(groups, *scattered, true, error);
  if (status < 0) merge->done(merge->self, *scattered, NULL);
  return status;
}

static int split(group_merge *merge, mm_error *error) {
  group_partition *partitions = memory_allocate_zero(partitions_bytes());
  if (!partitions) return error_fail_memory(error, partitions_bytes());
  int status = 0;
  for (int p = 0; p < GROUP_PARTITIONS; p++) {
    pthread_mutex_init(&partitions[p].lock, NULL);
    if (status >= 0) status = group_table_init(&partitions[p].groups, merge->plan, 0, error);
  }
  merge->partitions = partitions;
  TRY(status);
  group_partial *first;
  TRY(scatter_table(merge, &merge->whole, &first, error));
  TRY(enqueue(merge, first, error));
  atomic_store(&merge->partitioned, true);
  return 0;
}

/* What one worker alone should not merge: many groups, or much that is kept beside the states of some. */
static bool is_much(const group_table *groups) {
  int64_t entries = 0;
  for (int32_t i = 0; i < groups->plan->accumulator_count; i++) {
    const accumulator *acc = &groups->accumulators[i];
    if (acc->class->entries) entries += acc->class->entries(acc);
  }
  return groups->keys.count > FEW_GROUPS || (groups->keys.count >= SHARED_GROUPS && entries > MANY_ENTRIES);
}

int group_merge_fold(group_merge *merge, group_partial *take, mm_error *error) {
  take->base = merge->morsels++ << 32;
  if (!merge->partitions) {
    int status = check_failed(merge, error);
    if (status >= 0)
      status = note_failed(merge, group_table_merge(&merge->whole, take, 0, take->groups.keys.count, error));
    int done = merge->done(merge->self, take, status < 0 ? NULL : error);
    TRY(status);
    TRY(done);
    return is_much(&merge->whole) ? note_failed(merge, split(merge, error)) : 0;
  }
  if (!take->scattered) { /* cut before the tables were split */
    group_partial *scattered = NULL;
    int status = scatter_table(merge, &take->groups, &scattered, error);
    if (status >= 0) {
      scattered->base = take->base;
      scattered->fresh = take->fresh;
      scattered->payload = take->payload;
      take->fresh = take->payload = NULL;
    }
    int done = merge->done(merge->self, take, status < 0 ? NULL : error);
    TRY(status);
    if (done < 0) merge->done(merge->self, scattered, NULL);
    TRY(done);
    take = scattered;
  }
  return enqueue(merge, take, error);
}

/* ---- The end ---- */

static int finalize_states(group_table *groups, mm_error *error) {
  for (int32_t i = 0; i < groups->plan->accumulator_count; i++) {
    accumulator *acc = &groups->accumulators[i];
    if (acc->class->finalize && groups->keys.count) TRY(acc->class->finalize(acc, groups->keys.count, error));
  }
  return 0;
}

static int finish_partition(void *argument, int64_t index, mm_error *error) {
  group_merge *merge = argument;
  TRY(advance_locked(merge, index, error));
  return finalize_states(&merge->partitions[index].groups, error);
}

int group_merge_finish(group_merge *merge, mm_job *job, mm_error *error) {
  if (!merge->partitions) return finalize_states(&merge->whole, error);
  return parallel_run(job, GROUP_PARTITIONS, finish_partition, merge, error);
}
