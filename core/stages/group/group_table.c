/* group_table.c - a table of keys with accumulators beside it.
 * SPDX-License-Identifier: MIT */
#include "stages/group/group_table.h"
#include "base/alloc.h"
#include "base/error.h"
#include <string.h>

enum { FIRST_ROOM = 64 };

static int64_t accumulators_bytes(const group_plan *plan) {
  return plan->accumulator_count * (int64_t)sizeof(accumulator);
}

/* States before group 0, and those of new groups, as nothing has been added to them. */
static void init_states(accumulator *acc, int64_t from, int64_t to) {
  if (acc->class->init) acc->class->init(acc, from, to);
  else memset(acc->states.data + from * acc->class->size, 0, (size_t)((to - from) * acc->class->size));
}

int group_table_init(group_table *groups, const group_plan *plan, int64_t head, mm_error *error) {
  *groups = (group_table){.plan = plan};
  groups->keys = (hash_table){.encoding = &plan->encoding, .arena = &groups->arena};
  if (!plan->accumulator_count) return 0;
  groups->accumulators = memory_allocate_zero(accumulators_bytes(plan));
  if (!groups->accumulators) return error_fail_memory(error, accumulators_bytes(plan));
  for (int32_t i = 0; i < plan->accumulator_count; i++) {
    accumulator *acc = &groups->accumulators[i];
    *acc = plan->accumulators[i];
    acc->head = head;
    acc->arena = &groups->arena;
    if (acc->class->open) TRY(acc->class->open(acc, error));
  }
  return 0;
}

void group_table_free(group_table *groups) {
  for (int32_t i = 0; groups->accumulators && i < groups->plan->accumulator_count; i++) {
    accumulator *acc = &groups->accumulators[i];
    mm_buffer_free(&acc->states);
    if (acc->local) acc->class->close(acc);
  }
  if (groups->plan) memory_release(groups->accumulators, accumulators_bytes(groups->plan));
  hash_table_free(&groups->keys);
  mm_buffer_free(&groups->first);
  arena_free(&groups->arena);
  *groups = (group_table){0};
}

int group_table_reserve(group_table *groups, int64_t count, mm_error *error) {
  if (count <= groups->room) return 0;
  int64_t room = groups->room ? groups->room * 2 : FIRST_ROOM;
  while (room < count) room *= 2;
  for (int32_t i = 0; i < groups->plan->accumulator_count; i++) {
    accumulator *acc = &groups->accumulators[i];
    acc->states.size = (acc->head + groups->room) * acc->class->size;
    if (!acc->states.data) acc->states.size = 0;
    TRY(mm_buffer_reserve(&acc->states, (acc->head + room) * acc->class->size - acc->states.size, error));
  }
  groups->room = room;
  return 0;
}

int group_table_extend(group_table *groups, int64_t from, mm_error *error) {
  int64_t to = groups->keys.count;
  TRY(group_table_reserve(groups, to, error));
  for (int32_t i = 0; i < groups->plan->accumulator_count; i++) {
    accumulator *acc = &groups->accumulators[i];
    init_states(acc, from ? acc->head + from : 0, acc->head + to); /* the first group brings the head */
  }
  return 0;
}
