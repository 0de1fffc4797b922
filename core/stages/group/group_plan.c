/* group_plan.c - what is the same for all tables of a stage: key columns, and one accumulator for all aggregates that
 * can share it.
 * SPDX-License-Identifier: MIT */
#include "stages/group/group_plan.h"
#include "aggregates/registry.h"
#include "base/alloc.h"
#include "base/error.h"

static mm_type type_of(const mm_schema *in, int32_t column) {
  return column < 0 ? (mm_type){.id = MM_I64} : in->fields[column].type;
}

static const aggregate_function *class_of(const group_plan *plan, const mm_aggregate *aggregate, mm_type type) {
  aggregate_use use = {aggregate->op, type, plan->encoding.count > 0};
  return aggregate_function_of(use, aggregate->column);
}

int32_t group_plan_find(const group_plan *plan, const mm_schema *in, const mm_aggregate *aggregate) {
  const aggregate_function *class = class_of(plan, aggregate, type_of(in, aggregate->column));
  int32_t i = plan->of_column[aggregate->column + 1];
  for (; i >= 0; i = plan->accumulators[i].next) {
    const accumulator *acc = &plan->accumulators[i];
    if (acc->class == class && aggregate_states(acc->op) == aggregate_states(aggregate->op)) return i;
  }
  return -1;
}

/* What may be the low part of a sum of whole numbers: its type is that of the sum. */
static bool is_low_part(int id) { return id == MM_I64 || id == MM_U64 || id == MM_DURATION; }

/* Do the columns from `column` on have the types of the parts that an aggregate merges? */
static bool parts_fit(const mm_schema *in, const mm_aggregate *aggregate) {
  static const uint8_t moments[] = {MM_I64, MM_F64, MM_F64, MM_F64}, exact[] = {MM_I64, MM_NULL, MM_I64},
                       floats[] = {MM_F64, MM_I64};
  int op = aggregate->op, column = aggregate->column;
  if (op < MM_AGG_MERGE_SUM || op > MM_AGG_MERGE_STD) return true;
  bool is_exact = in->fields[column].type.id == MM_I64;
  const uint8_t *types = op >= MM_AGG_MERGE_VAR ? moments : is_exact ? exact : floats;
  int count = op >= MM_AGG_MERGE_VAR ? 4 : (is_exact ? 2 : 1) + (op == MM_AGG_MERGE_MEAN);
  if (column + count > in->count) return false;
  for (int i = 0; i < count; i++) {
    int id = in->fields[column + i].type.id;
    if (types[i] == MM_NULL ? !is_low_part(id) : id != types[i]) return false;
  }
  return true;
}

static int add_accumulator(group_plan *plan, const mm_schema *in, const mm_aggregate *aggregate, mm_error *error) {
  mm_type type = type_of(in, aggregate->column);
  const char *name = aggregate->column < 0 ? "" : in->fields[aggregate->column].name;
  accumulator *acc = &plan->accumulators[plan->accumulator_count];
  int32_t *first = &plan->of_column[aggregate->column + 1];
  *acc = (accumulator){.type = type, .op = aggregate->op, .column = aggregate->column, .next = *first};
  acc->class = class_of(plan, aggregate, type);
  if (!acc->class || !parts_fit(in, aggregate)) {
    char text[64];
    int status =
        error_fail(error, MM_EUSAGE, "aggregate-type", "this aggregate cannot be taken of column '%s' of type %s", name,
                   mm_type_name(type, text, sizeof text));
    if (error) error->place = aggregate->place;
    return status;
  }
  if (acc->class->bind) TRY(acc->class->bind(acc, error));
  *first = plan->accumulator_count++;
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
  for (int32_t i = 0; i < count && status >= 0; i++)
    if (group_plan_find(plan, in, &aggregates[i]) < 0) status = add_accumulator(plan, in, &aggregates[i], error);
  plan->reduces = status >= 0 && key_count == 0 && count > 0;
  for (int32_t i = 0; i < plan->accumulator_count && plan->reduces; i++)
    plan->reduces &= plan->accumulators[i].class->reduces;
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
