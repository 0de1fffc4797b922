/* group_build.c - a worker's table during one morsel: rows are resolved to groups a vector at a time, then each accumulator runs.
 *
 * DESIGN. When nearly all keys of a morsel are new, looking each of them up is wasted: the rest of its rows are taken as groups
 * of their own and found out when the partial is merged. That is decided at fixed numbers of rows by what these rows hold, so
 * that batches and threads have no say in it.
 *
 * SPDX-License-Identifier: MIT */
#include "stages/group/group_build.h"
#include "base/alloc.h"
#include "base/error.h"
#include <string.h>

int group_build_init(group_build *absorber, const group_plan *plan, mm_error *error) {
  *absorber = (group_build){0};
  TRY(group_table_init(&absorber->groups, plan, HEAD_STATES, error));
  absorber->entries = memory_allocate(MM_VECTOR * plan->layout.stride * INT64_C(8));
  uint32_t *rows = memory_allocate(MM_VECTOR * 3 * INT64_C(4));
  if (!absorber->entries || !rows) {
    memory_release(rows, MM_VECTOR * 3 * INT64_C(4));
    return error_fail_memory(error, MM_VECTOR * plan->layout.stride * INT64_C(8));
  }
  absorber->vector = (row_vector){.group = rows, .spread = rows + MM_VECTOR, .masked = rows + 2 * MM_VECTOR};
  return 0;
}

void group_build_free(group_build *absorber) {
  if (absorber->groups.plan)
    memory_release(absorber->entries, MM_VECTOR * absorber->groups.plan->layout.stride * INT64_C(8));
  memory_release(absorber->vector.group, MM_VECTOR * 3 * INT64_C(4));
  hot_keys_free(absorber->shortcut);
  group_selection_free(&absorber->selection);
  group_table_free(&absorber->groups);
  *absorber = (group_build){0};
}

/* Rows of a morsel after which it is decided, and the most repetitions among them that still count as nearly none. */
static const struct { int64_t rows, repeated; } decisions[] = {{1024, 2}, {4096, 80}, {16384, 2048}};
enum { DECISIONS = 3 };

static int64_t next_decision(int64_t rows) {
  for (int i = 0; i < DECISIONS; i++)
    if (rows < decisions[i].rows) return decisions[i].rows;
  return INT64_MAX;
}

static void decide(group_build *absorber) {
  for (int i = 0; i < DECISIONS; i++)
    if (absorber->rows == decisions[i].rows && absorber->rows - absorber->groups.keys.count <= decisions[i].repeated)
      absorber->appends = true;
}

/* The long way: through entries. */
static int resolve_entries(group_build *absorber, const mm_batch *batch, int64_t start, int64_t n, uint32_t *group,
                           mm_error *error) {
  group_table *groups = &absorber->groups;
  const row_encoding *layout = groups->keys.layout;
  for (int32_t k = 0; k < layout->count; k++)
    row_encoding_encode(layout, k, &batch->columns[groups->plan->keys[k]], start, n, absorber->entries);
  row_encoding_complete(layout, &batch->columns[groups->plan->keys[0]], start, n, absorber->entries);
  if (absorber->appends) return hash_table_append(&groups->keys, absorber->entries, n, group, error);
  return hash_table_resolve(&groups->keys, absorber->entries, n, group, error);
}

/* The first rows of a morsel go the long way: they are few, so that their groups are soon remembered. */
enum { FEW_GROUPS = 1024, FEW_MISSES = 128, FIRST_LOOK = 64 };

static int resolve(group_build *absorber, const mm_batch *batch, int64_t start, int64_t n, mm_error *error) {
  group_table *groups = &absorber->groups;
  const row_encoding *layout = groups->keys.layout;
  const int32_t *keys = groups->plan->keys;
  uint32_t *group = absorber->vector.group, *missed = absorber->vector.masked; /* not in use yet */
  if (!layout->count) {
    if (groups->keys.count) return 0; /* the numbers are still 0 */
    absorber->entries[0] = 0;
    memset(group, 0, MM_VECTOR * sizeof *group);
    return hash_table_resolve(&groups->keys, absorber->entries, 1, group, error);
  }
  hot_keys *shortcut = groups->keys.count <= FEW_GROUPS && !absorber->appends ? absorber->shortcut : NULL;
  if (!shortcut) return resolve_entries(absorber, batch, start, n, group, error);
  int64_t misses = n;
  if (groups->keys.count) misses = hot_keys_find(shortcut, layout, batch, keys, start, n, group, missed);
  else
    for (int64_t i = 0; i < n; i++) missed[i] = (uint32_t)i;
  if (misses > FEW_MISSES || misses == n) TRY(resolve_entries(absorber, batch, start, n, group, error));
  else
    for (int64_t i = 0; i < misses; i++)
      TRY(resolve_entries(absorber, batch, start + missed[i], 1, group + missed[i], error));
  if (misses) hot_keys_remember(shortcut, layout, batch, keys, start, n, missed, misses, group);
  return 0;
}

static int extend(group_build *absorber, int64_t known, int64_t n, mm_error *error) {
  group_table *groups = &absorber->groups;
  TRY(group_table_extend(groups, known, error));
  TRY(mm_buffer_reserve(&groups->first, (groups->keys.count - known) * 8, error));
  uint64_t *first = (uint64_t *)groups->first.data;
  int64_t next = known;
  for (int64_t i = 0; i < n; i++)
    if (absorber->vector.group[i] == next) first[next++] = (uint64_t)(absorber->rows + i);
  groups->first.size = next * 8;
  return 0;
}

/* counted: the column that count() counts; NULL: it counts rows. */
static int take(group_build *absorber, const mm_batch *batch, const mm_column *counted, int64_t start,
                mm_error *error) {
  group_table *groups = &absorber->groups;
  int64_t n = batch->length - start, known = groups->keys.count;
  if (!known || !groups->plan->reduces) {
    int64_t most = next_decision(absorber->rows) - absorber->rows;
    /* Some hundred KiB, which a few rows would not be worth. */
    if (!absorber->shortcut && n > FIRST_LOOK) TRY(hot_keys_init(&absorber->shortcut, groups->keys.layout, error));
    int64_t vector_rows = known || !absorber->shortcut ? MM_VECTOR : FIRST_LOOK;
    if (n > vector_rows) n = vector_rows;
    if (n > most) n = most;
    TRY(resolve(absorber, batch, start, n, error));
  }
  row_vector *vector = &absorber->vector;
  vector->start = start;
  vector->count = n;
  vector->lane = absorber->rows & (REDUCE_LANES - 1);
  vector->masked_by = NULL;
  vector->tally_of = NULL;
  vector->spread_known = false;
  vector->distinct = absorber->appends;
  if (groups->keys.count > known) TRY(extend(absorber, known, n, error));
  vector->groups = groups->keys.count;
  vector->single = vector->groups == 1;
  vector->few = vector->groups <= REPLICATED_GROUPS;
  for (int32_t i = 0; i < groups->plan->accumulator_count; i++) {
    accumulator *acc = &groups->accumulators[i];
    const mm_column *column = acc->column >= 0 ? &batch->columns[acc->column] : counted;
    if (column && column->type.id == MM_NULL && acc->op != MM_AGG_COUNT_NULL) continue;
    TRY(acc->vtable->update(acc, column, vector, error));
  }
  absorber->rows += n;
  if (!absorber->appends && groups->keys.layout->count) decide(absorber);
  return (int)n;
}

int group_build_add(group_build *absorber, const mm_batch *batch, int64_t start, mm_error *error) {
  int status = 0;
  group_selection *selection = &absorber->selection;
  bool selects = batch->selected != NULL;
  if (selects && start == 0) status = group_selection_apply(selection, absorber->groups.plan, batch, error);
  int n = status < 0
              ? status
              : take(absorber, selects ? &selection->seen : batch, selects ? &selection->counted : NULL, start, error);
  if (n < 0) absorber->failed = true;
  return n;
}

/* Bring the states into the form that merges, the lanes together. */
static int seal(group_table *groups, mm_error *error) {
  int64_t count = groups->keys.count, spread_groups = count < REPLICATED_GROUPS ? count : REPLICATED_GROUPS;
  uint32_t numbers[REPLICATED_GROUPS];
  for (uint32_t i = 0; i < REPLICATED_GROUPS; i++) numbers[i] = i;
  for (int32_t i = 0; count && i < groups->plan->accumulator_count; i++) {
    accumulator *acc = &groups->accumulators[i];
    if (acc->vtable->seal) acc->vtable->seal(acc, NULL_STATES, acc->head + count);
    if (acc->vtable->ordered) continue;
    for (int64_t lane = 1; lane < REDUCE_LANES; lane++) {
      int64_t at = NULL_STATES + (lane - 1) * REPLICATED_GROUPS;
      TRY(acc->vtable->merge(acc, numbers, acc, at - acc->head, spread_groups, error));
    }
  }
  return 0;
}

int group_build_cut(group_build *absorber, group_partial *partial, bool scatter, mm_error *error) {
  int status = absorber->failed ? error_fail(error, MM_ESTATE, "morsel-lost", "part of the rows could not be grouped")
                                : seal(&absorber->groups, error);
  if (status >= 0) status = group_table_cut(&absorber->groups, partial, scatter, error);
  hot_keys_clear(absorber->shortcut);
  absorber->rows = 0;
  absorber->appends = false;
  absorber->failed = status < 0;
  return status;
}
