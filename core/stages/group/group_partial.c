/* group_partial.c - tables cut into partials, partials merged into tables, and those that have been merged, kept with
 * their memory for the next morsels.
 * SPDX-License-Identifier: MIT */
#include "stages/group/group_partial.h"
#include "base/alloc.h"
#include "base/error.h"
#include <pthread.h>
#include <string.h>

void partial_pool_init(partial_pool *pool) { pthread_mutex_init(&pool->lock, NULL); }

int partial_pool_take(partial_pool *pool, const group_plan *plan, group_partial **partial, mm_error *error) {
  pthread_mutex_lock(&pool->lock);
  *partial = pool->first;
  if (*partial) pool->first = (*partial)->next;
  pthread_mutex_unlock(&pool->lock);
  if (*partial) return 0;
  *partial = memory_allocate_zero(sizeof **partial);
  if (!*partial) return error_fail_memory(error, sizeof **partial);
  int status = group_table_init(&(*partial)->groups, plan, 0, error);
  if (status < 0) group_partial_free(*partial);
  return status;
}

void partial_pool_give(partial_pool *pool, group_partial *partial) {
  partial->scattered = false;
  arena_reset(&partial->groups.arena);
  pthread_mutex_lock(&pool->lock);
  partial->next = pool->first;
  pool->first = partial;
  pthread_mutex_unlock(&pool->lock);
}

void partial_pool_free(partial_pool *pool) {
  while (pool->first) {
    group_partial *partial = pool->first;
    pool->first = partial->next;
    group_partial_free(partial);
  }
  pthread_mutex_destroy(&pool->lock);
}

void group_partial_free(group_partial *partial) {
  if (!partial) return;
  group_table_free(&partial->groups);
  mm_buffer_free(&partial->places);
  memory_release(partial, sizeof *partial);
}

/* ---- Merging and cutting ---- */

int group_table_merge(group_table *groups, group_partial *partial, int64_t from, int64_t to, mm_error *error) {
  const group_table *added = &partial->groups;
  const uint64_t *first = (const uint64_t *)added->first.data;
  uint32_t numbers[MM_VECTOR];
  for (int64_t at = from; at < to; at += MM_VECTOR) {
    int64_t n = to - at < MM_VECTOR ? to - at : MM_VECTOR, known = groups->keys.count;
    TRY(hash_table_resolve(&groups->keys, hash_table_entry(&added->keys, at), n, numbers, error));
    if (groups->keys.count > known) {
      int64_t next = known;
      TRY(mm_buffer_reserve(&groups->first, (groups->keys.count - known) * 8, error));
      uint64_t *place = (uint64_t *)groups->first.data;
      for (int64_t i = 0; i < n; i++) {
        if (numbers[i] != next) continue;
        if (partial->fresh) partial->fresh[first[at + i]] = 1;
        place[next++] = partial->base + first[at + i];
      }
      groups->first.size = next * 8;
      TRY(group_table_extend(groups, known, error));
    }
    for (int32_t i = 0; i < groups->plan->accumulator_count; i++) {
      accumulator *acc = &groups->accumulators[i];
      TRY(acc->class->combine(acc, numbers, &added->accumulators[i], at, n, error));
    }
  }
  return 0;
}

/* Where each group goes, so that those of a partition stand together in their order. */
static int find_places(const hash_table *keys, group_partial *partial, mm_error *error) {
  int64_t n = keys->count, stride = keys->encoding->stride;
  const uint64_t *entries = (const uint64_t *)keys->entries.data;
  uint32_t counts[GROUP_PARTITIONS] = {0}, start = 0;
  partial->places.size = 0;
  TRY(mm_buffer_reserve(&partial->places, n * 4, error));
  uint32_t *places = (uint32_t *)partial->places.data;
  for (int64_t i = 0; i < n; i++) counts[entries[i * stride] >> 56]++;
  for (int32_t p = 0; p < GROUP_PARTITIONS; p++) {
    partial->starts[p] = start;
    start += counts[p];
    counts[p] = partial->starts[p];
  }
  partial->starts[GROUP_PARTITIONS] = start;
  for (int64_t i = 0; i < n; i++) places[i] = counts[entries[i * stride] >> 56]++;
  return 0;
}

static void scatter_16(uint8_t *to, const uint8_t *from, const uint32_t *places, int64_t n) {
  for (int64_t i = 0; i < n; i++) memcpy(to + places[i] * INT64_C(16), from + i * 16, 16);
}
static void scatter_8(uint8_t *to, const uint8_t *from, const uint32_t *places, int64_t n) {
  for (int64_t i = 0; i < n; i++) memcpy(to + places[i] * INT64_C(8), from + i * 8, 8);
}
static void scatter_values(uint8_t *to, const uint8_t *from, const uint32_t *places, int64_t n, int64_t size) {
  if (n && !places) memcpy(to, from, (size_t)(n * size));
  else if (size == 8) scatter_8(to, from, places, n);
  else if (size == 16) scatter_16(to, from, places, n);
  else
    for (int64_t i = 0; i < n; i++) memcpy(to + places[i] * size, from + i * size, (size_t)size);
}

static int move_groups(group_table *from, group_table *to, const uint32_t *places, mm_error *error) {
  int64_t n = from->keys.count, size = from->plan->encoding.stride * INT64_C(8);
  to->keys.entries.size = to->first.size = 0;
  TRY(mm_buffer_reserve(&to->keys.entries, n * size, error));
  TRY(mm_buffer_reserve(&to->first, n * 8, error));
  TRY(group_table_reserve(to, n, error));
  scatter_values(to->keys.entries.data, from->keys.entries.data, places, n, size);
  scatter_values(to->first.data, from->first.data, places, n, 8);
  to->keys.entries.size = n * size;
  to->first.size = n * 8;
  to->keys.count = n;
  for (int32_t i = 0; n && i < from->plan->accumulator_count; i++) {
    accumulator *a = &from->accumulators[i], *b = &to->accumulators[i];
    if (!a->class->move) scatter_values(accumulator_state(b, 0), accumulator_state(a, 0), places, n, a->class->size);
    else TRY(a->class->move(a, b, places, n, error));
  }
  return 0;
}

int group_table_cut(group_table *groups, group_partial *partial, bool scattered, mm_error *error) {
  if (scattered) TRY(find_places(&groups->keys, partial, error));
  partial->scattered = scattered;
  partial->base = 0;
  TRY(move_groups(groups, &partial->groups, scattered ? (const uint32_t *)partial->places.data : NULL, error));
  arena texts = groups->arena; /* long text stays where it is */
  groups->arena = partial->groups.arena;
  partial->groups.arena = texts;
  arena_reset(&groups->arena);
  hash_table_clear(&groups->keys);
  groups->first.size = 0;
  return 0;
}
