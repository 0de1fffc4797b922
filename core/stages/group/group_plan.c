/* group_plan.c - what is the same for all tables of a stage: key columns, and one accumulator for all aggregates that
 * can share it.
 * SPDX-License-Identifier: MIT */
#include "stages/group/group_plan.h"
#include "aggregates/registry.h"
#include "base/alloc.h"
#include "base/error.h"
#include <string.h>

static mm_type type_of(const mm_schema *in, int32_t column) {
  return column < 0 ? (mm_type){.id = MM_I64} : in->fields[column].type;
}

/* What an aggregate is taken of; it must be in `in`. */
static aggregate_use use_of(const mm_schema *in, const mm_aggregate *aggregate, bool keyed) {
  mm_type type = aggregate->flags & MM_AGG_LOADS ? aggregate->of : type_of(in, aggregate->column);
  return (aggregate_use){aggregate->op, type, !keyed && !aggregate->flags};
}

int32_t group_plan_find(const group_plan *plan, const mm_schema *in, const mm_aggregate *aggregate) {
  aggregate_use use = use_of(in, aggregate, plan->encoding.count > 0);
  const aggregate_function *class = aggregate_function_of(use, aggregate->column);
  bool loads = aggregate->flags & MM_AGG_LOADS;
  int32_t i = plan->of_column[aggregate->column + 1];
  for (; i >= 0; i = plan->accumulators[i].next) {
    const accumulator *acc = &plan->accumulators[i];
    bool same = acc->class == class && aggregate_states(acc->op) == aggregate_states(aggregate->op);
    if (same && acc->loads == loads && (!loads || memcmp(&acc->type, &use.type, sizeof use.type) == 0)) return i;
  }
  return -1;
}

/* Saved states are bytes. */
static bool column_fits(const mm_schema *in, const mm_aggregate *aggregate) {
  if (!(aggregate->flags & MM_AGG_LOADS)) return true;
  int id = aggregate->column < 0 ? MM_OPAQUE : in->fields[aggregate->column].type.id;
  return id == MM_BINARY || id == MM_NULL;
}

static int add_accumulator(group_plan *plan, const mm_schema *in, const mm_aggregate *aggregate, mm_error *error) {
  aggregate_use use = use_of(in, aggregate, plan->encoding.count > 0);
  const char *name = aggregate->column < 0 ? "" : in->fields[aggregate->column].name;
  accumulator *acc = &plan->accumulators[plan->accumulator_count];
  int32_t *first = &plan->of_column[aggregate->column + 1];
  *acc = (accumulator){.type = use.type,
                       .op = aggregate->op,
                       .column = aggregate->column,
                       .next = *first,
                       .place = aggregate->place,
                       .loads = aggregate->flags & MM_AGG_LOADS};
  acc->class = aggregate_function_of(use, aggregate->column);
  if (!acc->class || !column_fits(in, aggregate)) {
    char text[64];
    int status =
        error_fail(error, MM_EUSAGE, "aggregate-type", "this aggregate cannot be taken of column '%s' of type %s", name,
                   mm_type_name(type_of(in, aggregate->column), text, sizeof text));
    if (error) error->place = aggregate->place;
    return status;
  }
  if (acc->class->bind) TRY(acc->class->bind(acc, error));
  *first = plan->accumulator_count++;
  return 0;
}

static int serve(group_plan *plan, const mm_schema *in, const mm_aggregate *aggregate, mm_error *error) {
  if (group_plan_find(plan, in, aggregate) < 0) TRY(add_accumulator(plan, in, aggregate, error));
  if (aggregate->flags & MM_AGG_SAVES) plan->accumulators[group_plan_find(plan, in, aggregate)].saves = true;
  return 0;
}

int group_plan_init(group_plan *plan, const mm_schema *in, const int32_t *keys, int32_t key_count,
                    const mm_aggregate *aggregates, int32_t count, mm_error *error) {
  *plan = (group_plan){.key_room = key_count + 1, .accumulator_room = count + 1, .columns = in->count + 1};
  plan->keys = memory_allocate_zero(plan->key_room * (int64_t)sizeof(int32_t));
  plan->accumulators = memory_allocate_zero(plan->accumulator_room * (int64_t)sizeof(accumulator));
  plan->of_column = memory_allocate(plan->columns * (int64_t)sizeof(int32_t));
  mm_type *types = memory_allocate(plan->key_room * (int64_t)sizeof(mm_type));
  int status = 0;
  if (!plan->keys || !plan->accumulators || !plan->of_column || !types)
    status = error_fail_memory(error, plan->key_room);
  for (int32_t i = 0; i < plan->columns && status >= 0; i++) plan->of_column[i] = -1;
  for (int32_t i = 0; i < key_count && status >= 0; i++) {
    const mm_field *field = &in->fields[keys[i]];
    plan->keys[i] = keys[i];
    types[i] = field->type;
    if (field->type.id == MM_OPAQUE)
      status = error_fail(error, MM_EUSAGE, "key-type", "column '%s' cannot be a key: its type is only passed through",
                          field->name);
  }
  if (status >= 0) status = row_encoding_init(&plan->encoding, types, key_count, true, error);
  for (int32_t i = 0; i < count && status >= 0; i++) status = serve(plan, in, &aggregates[i], error);
  plan->reduces = status >= 0 && key_count == 0 && count > 0;
  for (int32_t i = 0; i < plan->accumulator_count && plan->reduces; i++)
    plan->reduces &= plan->accumulators[i].class->reduces && !plan->accumulators[i].loads;
  memory_release(types, plan->key_room * (int64_t)sizeof(mm_type));
  return status;
}

void group_plan_free(group_plan *plan) {
  for (int32_t i = 0; i < plan->accumulator_room && plan->accumulators; i++) {
    accumulator *acc = &plan->accumulators[i];
    if (acc->shared) acc->class->free(acc);
  }
  if (plan->encoding.columns) row_encoding_free(&plan->encoding);
  memory_release(plan->accumulators, plan->accumulator_room * (int64_t)sizeof(accumulator));
  memory_release(plan->keys, plan->key_room * (int64_t)sizeof(int32_t));
  memory_release(plan->of_column, plan->columns * (int64_t)sizeof(int32_t));
  *plan = (group_plan){0};
}
