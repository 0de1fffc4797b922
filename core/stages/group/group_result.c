/* group_result.c - the groups of all tables in order of first appearance, as batches.
 * SPDX-License-Identifier: MIT */
#include "stages/group/group_result.h"
#include "aggregates/saved_state.h"
#include "base/alloc.h"
#include "base/bitmap.h"
#include "base/error.h"
#include "engine/parallel.h"
#include <string.h>

/* ---- Order ---- */

static int64_t table_count(const group_merge *merge) { return merge->partitions ? GROUP_PARTITIONS : 1; }
static const group_table *table(const group_merge *merge, int64_t index) {
  return merge->partitions ? &merge->partitions[index].groups : &merge->whole;
}
static uint64_t first_of(const group_table *groups, int64_t number) {
  return ((const uint64_t *)groups->first.data)[number];
}

/* The first of a table's groups, which are in order, that appeared in a morsel or later. */
static int64_t lower_bound(const group_table *groups, uint64_t morsel) {
  int64_t low = 0, high = groups->keys.count;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (first_of(groups, middle) >> 32 < morsel) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* Groups of one morsel, put at their position in it. */
typedef struct morsel_shelf {
  uint64_t *places, *filled;
} morsel_shelf;

static int64_t clear_shelf(morsel_shelf *shelf, uint64_t *out) {
  int64_t n = 0;
  for (int64_t word = 0; word < bit_words(MM_MORSEL); word++) {
    for (uint64_t bits = shelf->filled[word]; bits; bits &= bits - 1)
      out[n++] = shelf->places[word * 64 + __builtin_ctzll(bits)];
    shelf->filled[word] = 0;
  }
  return n;
}

enum { MORSELS_A_TASK = 16 };

typedef struct ordering {
  const group_merge *merge;
  uint64_t *out;
} ordering;

static void order_morsels(const ordering *all, uint64_t morsel, uint64_t end, morsel_shelf *shelf) {
  uint64_t *out = all->out;
  int64_t next[GROUP_PARTITIONS];
  for (int64_t t = 0; t < GROUP_PARTITIONS; t++) out += next[t] = lower_bound(table(all->merge, t), morsel);
  for (; morsel < end; morsel++) {
    for (int64_t t = 0; t < GROUP_PARTITIONS; t++) {
      const group_table *groups = table(all->merge, t);
      for (; next[t] < groups->keys.count && first_of(groups, next[t]) >> 32 == morsel; next[t]++) {
        int64_t position = (int64_t)(first_of(groups, next[t]) & UINT32_MAX);
        shelf->places[position] = (uint64_t)t << 32 | (uint64_t)next[t];
        bit_set(shelf->filled, position);
      }
    }
    out += clear_shelf(shelf, out);
  }
}

static int order_task(void *argument, int64_t index, mm_error *error) {
  const ordering *all = argument;
  int64_t bytes = MM_MORSEL * 8, bit_bytes = bit_words(MM_MORSEL) * 8;
  morsel_shelf shelf = {.places = memory_allocate(bytes), .filled = memory_allocate_zero(bit_bytes)};
  int status = shelf.places && shelf.filled ? 0 : error_fail_memory(error, bytes);
  uint64_t morsel = (uint64_t)index * MORSELS_A_TASK;
  if (status >= 0) order_morsels(all, morsel, morsel + MORSELS_A_TASK, &shelf);
  memory_release(shelf.places, bytes);
  memory_release(shelf.filled, bit_bytes);
  return status;
}

int group_result_order(const group_merge *merge, mm_job *job, mm_buffer *places, mm_error *error) {
  int64_t total = 0, tasks = ((int64_t)merge->morsels + MORSELS_A_TASK - 1) / MORSELS_A_TASK;
  for (int64_t t = 0; t < table_count(merge); t++) total += table(merge, t)->keys.count;
  TRY(mm_buffer_reserve(places, total * 8, error));
  places->size = total * 8;
  ordering all = {.merge = merge, .out = (uint64_t *)places->data};
  if (merge->partitions) return parallel_run(job, tasks, order_task, &all, error);
  for (int64_t i = 0; i < total; i++) all.out[i] = (uint64_t)i;
  return 0;
}

/* ---- Batches ---- */

typedef struct emission {
  const group_merge *merge;
  const mm_aggregate *aggregates;
  const int32_t *served_by;
  int32_t count;
  const mm_schema *schema;
  const uint64_t *places;
  int64_t total;
  mm_job *helpers; /* see aggregate_request */
  mm_batch *batches;
} emission;

static const group_table *table_of(const emission *all, uint64_t place) {
  return table(all->merge, (int64_t)(place >> 32));
}

static int fill_batch(const emission *all, const uint64_t *places, int64_t n, const void **pointers, mm_batch *batch,
                      mm_error *error) {
  const row_encoding *encoding = &all->merge->plan->encoding;
  TRY(mm_batch_resize(batch, encoding->count + all->count, error));
  batch->length = n;
  for (int64_t i = 0; i < n; i++)
    pointers[i] = hash_table_entry(&table_of(all, places[i])->keys, (int64_t)(places[i] & UINT32_MAX));
  for (int32_t k = 0; k < encoding->count; k++)
    TRY(row_encoding_decode(encoding, k, (const uint64_t *const *)pointers, n, &batch->columns[k], error));
  for (int32_t a = 0; a < all->count; a++) {
    int32_t column = encoding->count + a;
    const accumulator *acc = &all->merge->plan->accumulators[all->served_by[a]];
    for (int64_t i = 0; i < n; i++)
      pointers[i] = accumulator_state(&table_of(all, places[i])->accumulators[all->served_by[a]],
                                      (int64_t)(places[i] & UINT32_MAX));
    aggregate_request request = {&all->aggregates[a], all->schema->fields[column].type, all->helpers};
    bool saves = all->aggregates[a].flags & MM_AGG_SAVES;
    int status = saves ? saved_state_write(acc, (void *const *)pointers, n, &batch->columns[column], error)
                       : acc->class->emit(acc, &request, (void *const *)pointers, n, &batch->columns[column], error);
    if (status < 0 && error)
      error_copy_text(error->field, sizeof error->field, all->schema->fields[column].name,
                      (int64_t)strlen(all->schema->fields[column].name));
    TRY(status);
  }
  return 0;
}

static int emit_batch(void *argument, int64_t index, mm_error *error) {
  const emission *all = argument;
  int64_t start = index * MM_MORSEL, n = all->total - start < MM_MORSEL ? all->total - start : MM_MORSEL;
  const void **pointers = memory_allocate(n * (int64_t)sizeof(void *));
  if (!pointers) return error_fail_memory(error, n * (int64_t)sizeof(void *));
  int status = fill_batch(all, all->places + start, n, pointers, &all->batches[index], error);
  memory_release(pointers, n * (int64_t)sizeof(void *));
  return status;
}

int group_result_emit(group_merge *merge, const mm_aggregate *aggregates, const int32_t *served_by, int32_t count,
                      mm_job *job, mm_table *out, mm_error *error) {
  mm_buffer places = {0};
  int status = group_result_order(merge, job, &places, error);
  if (status < 0) {
    mm_buffer_free(&places);
    return status;
  }
  emission all = {.merge = merge,
                  .aggregates = aggregates,
                  .served_by = served_by,
                  .count = count,
                  .schema = &out->schema,
                  .places = (const uint64_t *)places.data,
                  .total = places.size / 8,
                  .helpers = merge->partitions ? NULL : job};
  int64_t n = (all.total + MM_MORSEL - 1) / MM_MORSEL, bytes = n * (int64_t)sizeof(mm_batch);
  if (n) {
    all.batches = memory_allocate_zero(bytes);
    status = all.batches ? parallel_run(job, n, emit_batch, &all, error) : error_fail_memory(error, bytes);
    for (int64_t i = 0; i < n && all.batches; i++) {
      if (status >= 0) status = mm_table_append(out, &all.batches[i], error);
      mm_batch_free(&all.batches[i]);
    }
    memory_release(all.batches, bytes);
  }
  mm_buffer_free(&places);
  return status;
}
