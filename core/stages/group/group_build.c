/* group_build.c - one worker's hash aggregation of one morsel: rows are resolved to groups a vector at a time, then
 * each accumulator runs.
 *
 * DESIGN. When nearly all keys of a morsel are new, looking each of them up is wasted: the rest of its rows are taken
 * as groups of their own and found out when the partial is merged. That is decided at fixed numbers of rows by what
 * these rows hold, so that it is independent of batch boundaries and threads.
 *
 * SPDX-License-Identifier: MIT */
#include "stages/group/group_build.h"
#include "aggregates/saved_state.h"
#include "base/alloc.h"
#include "base/error.h"
#include <string.h>

int group_build_init(group_build *build, const group_plan *plan, mm_error *error) {
  *build = (group_build){0};
  TRY(group_table_init(&build->groups, plan, HEAD_STATES, error));
  build->entries = memory_allocate(MM_VECTOR * plan->encoding.stride * INT64_C(8));
  uint32_t *rows = memory_allocate(MM_VECTOR * 3 * INT64_C(4));
  if (!build->entries || !rows) {
    memory_release(rows, MM_VECTOR * 3 * INT64_C(4));
    return error_fail_memory(error, MM_VECTOR * plan->encoding.stride * INT64_C(8));
  }
  build->vector = (row_vector){.group = rows, .replicas = rows + MM_VECTOR, .masked = rows + 2 * MM_VECTOR};
  return 0;
}

void group_build_free(group_build *build) {
  if (build->groups.plan) memory_release(build->entries, MM_VECTOR * build->groups.plan->encoding.stride * INT64_C(8));
  memory_release(build->vector.group, MM_VECTOR * 3 * INT64_C(4));
  hot_keys_free(build->hot);
  group_selection_free(&build->selection);
  group_table_free(&build->groups);
  *build = (group_build){0};
}

/* Rows of a morsel after which it is decided, and the most repetitions among them that still count as nearly none. */
static const struct { int64_t rows, repeated; } decisions[] = {{1024, 2}, {4096, 80}, {16384, 2048}};
enum { DECISIONS = 3 };

static int64_t next_decision(int64_t rows) {
  for (int i = 0; i < DECISIONS; i++)
    if (rows < decisions[i].rows) return decisions[i].rows;
  return INT64_MAX;
}

static void decide_appends(group_build *build) {
  for (int i = 0; i < DECISIONS; i++)
    if (build->rows == decisions[i].rows && build->rows - build->groups.keys.count <= decisions[i].repeated)
      build->appends = true;
}

/* The long way: through entries. */
static int resolve_entries(group_build *build, const mm_batch *batch, int64_t start, int64_t n, uint32_t *group,
                           mm_error *error) {
  group_table *groups = &build->groups;
  const row_encoding *encoding = groups->keys.encoding;
  for (int32_t k = 0; k < encoding->count; k++)
    row_encoding_encode(encoding, k, &batch->columns[groups->plan->keys[k]], start, n, build->entries);
  row_encoding_complete(encoding, &batch->columns[groups->plan->keys[0]], start, n, build->entries);
  if (build->appends) return hash_table_append(&groups->keys, build->entries, n, group, error);
  return hash_table_resolve(&groups->keys, build->entries, n, group, error);
}

/* The first rows of a morsel go the long way: they are few, so that their groups are soon remembered. */
enum { FEW_GROUPS = 1024, FEW_MISSES = 128, FIRST_LOOK = 64 };

static int resolve_rows(group_build *build, const mm_batch *batch, int64_t start, int64_t n, mm_error *error) {
  group_table *groups = &build->groups;
  const row_encoding *encoding = groups->keys.encoding;
  const int32_t *keys = groups->plan->keys;
  uint32_t *group = build->vector.group, *missed = build->vector.masked; /* not in use yet */
  if (!encoding->count) {
    if (groups->keys.count) return 0; /* the numbers are still 0 */
    build->entries[0] = 0;
    memset(group, 0, MM_VECTOR * sizeof *group);
    return hash_table_resolve(&groups->keys, build->entries, 1, group, error);
  }
  hot_keys *hot = groups->keys.count <= FEW_GROUPS && !build->appends ? build->hot : NULL;
  if (!hot) return resolve_entries(build, batch, start, n, group, error);
  int64_t misses = n;
  if (groups->keys.count) misses = hot_keys_find(hot, encoding, batch, keys, start, n, group, missed);
  else
    for (int64_t i = 0; i < n; i++) missed[i] = (uint32_t)i;
  if (misses > FEW_MISSES || misses == n) TRY(resolve_entries(build, batch, start, n, group, error));
  else
    for (int64_t i = 0; i < misses; i++)
      TRY(resolve_entries(build, batch, start + missed[i], 1, group + missed[i], error));
  if (misses) hot_keys_remember(hot, encoding, batch, keys, start, n, missed, misses, group);
  return 0;
}

static int extend(group_build *build, int64_t known, int64_t n, mm_error *error) {
  group_table *groups = &build->groups;
  TRY(group_table_extend(groups, known, error));
  TRY(mm_buffer_reserve(&groups->first, (groups->keys.count - known) * 8, error));
  uint64_t *first = (uint64_t *)groups->first.data;
  int64_t next = known;
  for (int64_t i = 0; i < n; i++)
    if (build->vector.group[i] == next) first[next++] = (uint64_t)(build->rows + i);
  groups->first.size = next * 8;
  return 0;
}

/* counted: the column that count() counts; NULL: it counts rows. */
static int add_rows(group_build *build, const mm_batch *batch, const mm_column *counted, int64_t start,
                    mm_error *error) {
  group_table *groups = &build->groups;
  int64_t n = batch->length - start, known = groups->keys.count;
  if (!known || !groups->plan->reduces) {
    int64_t most = next_decision(build->rows) - build->rows;
    /* Some hundred KiB, which a few rows would not be worth. */
    if (!build->hot && n > FIRST_LOOK) TRY(hot_keys_init(&build->hot, groups->keys.encoding, error));
    int64_t vector_rows = known || !build->hot ? MM_VECTOR : FIRST_LOOK;
    if (n > vector_rows) n = vector_rows;
    if (n > most) n = most;
    TRY(resolve_rows(build, batch, start, n, error));
  }
  row_vector *vector = &build->vector;
  vector->start = start;
  vector->count = n;
  vector->lane = build->rows & (REDUCE_LANES - 1);
  vector->masked_by = NULL;
  vector->row_counts_of = NULL;
  vector->replicas_known = false;
  vector->distinct = build->appends;
  if (groups->keys.count > known) TRY(extend(build, known, n, error));
  vector->groups = groups->keys.count;
  vector->single = vector->groups == 1;
  vector->few = vector->groups <= REPLICATED_GROUPS;
  for (int32_t i = 0; i < groups->plan->accumulator_count; i++) {
    accumulator *acc = &groups->accumulators[i];
    const mm_column *column = acc->column >= 0 ? &batch->columns[acc->column] : counted;
    bool empty = column && column->type.id == MM_NULL;
    if (empty && (acc->loads || !acc->class->counts_nulls)) continue;
    if (acc->loads) TRY(saved_state_read(acc, column, vector, error));
    else TRY(acc->class->update(acc, column, vector, error));
  }
  build->rows += n;
  if (!build->appends && groups->keys.encoding->count) decide_appends(build);
  return (int)n;
}

int group_build_add(group_build *build, const mm_batch *batch, int64_t start, mm_error *error) {
  int status = 0;
  group_selection *selection = &build->selection;
  bool selects = batch->selected != NULL;
  if (selects && start == 0) status = group_selection_apply(selection, build->groups.plan, batch, error);
  int n = status < 0
              ? status
              : add_rows(build, selects ? &selection->seen : batch, selects ? &selection->counted : NULL, start, error);
  if (n < 0) build->failed = true;
  return n;
}

/* Bring the states into the form that combines, the lanes together. */
static int finalize_local(group_table *groups, mm_error *error) {
  int64_t count = groups->keys.count, spread_groups = count < REPLICATED_GROUPS ? count : REPLICATED_GROUPS;
  uint32_t numbers[REPLICATED_GROUPS];
  for (uint32_t i = 0; i < REPLICATED_GROUPS; i++) numbers[i] = i;
  for (int32_t i = 0; count && i < groups->plan->accumulator_count; i++) {
    accumulator *acc = &groups->accumulators[i];
    if (acc->loads) continue; /* they have this form, and no lanes */
    if (acc->class->finalize_local) acc->class->finalize_local(acc, NULL_STATES, acc->head + count);
    if (acc->class->ordered) continue;
    for (int64_t lane = 1; lane < REDUCE_LANES; lane++) {
      int64_t at = NULL_STATES + (lane - 1) * REPLICATED_GROUPS;
      TRY(acc->class->combine(acc, numbers, acc, at - acc->head, spread_groups, error));
    }
  }
  return 0;
}

int group_build_cut(group_build *build, group_partial *partial, bool scatter, mm_error *error) {
  int status = build->failed ? error_fail(error, MM_ESTATE, "morsel-lost", "part of the rows could not be grouped")
                             : finalize_local(&build->groups, error);
  if (status >= 0) status = group_table_cut(&build->groups, partial, scatter, error);
  hot_keys_clear(build->hot);
  build->rows = 0;
  build->appends = false;
  build->failed = status < 0;
  return status;
}
