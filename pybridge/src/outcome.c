/* outcome.c - the result of a run: shared columns are handed through, others are computed into whole columns where rows
 * are kept.
 * SPDX-License-Identifier: MIT */
#include "outcome.h"
#include "session.h"
#include "host.h"
#include "input.h"
#include "table.h"
#include <stdlib.h>
#include <string.h>

bool mm_has_width(mm_type type) { return type.id == MM_BOOL || mm_type_width(type) > 0; }

/* ---- What goes in ---- */

/* The first null of a column that is to have none, or its length; validity without nulls is let go. */
static int64_t first_null(mm_column *column) {
  if (column->valid && mm_column_null_count(column) == 0) column->valid = NULL;
  if (!column->valid) return column->length;
  int64_t row = 0;
  while (column->valid[row >> 6] >> (row & 63) & 1) row++;
  return row;
}

static int refuse_null(plan_object *plan, const mm_field *field, int64_t row) {
  char type[100];
  mm_error error;
  mm_host_fail(&error, MM_EDATA, "null-value", "%.300s: a null, and the column is declared without nulls", field->name);
  error.row = row;
  PyOS_snprintf(error.field, sizeof error.field, "%s", field->name);
  PyOS_snprintf(error.hint, sizeof error.hint, "declare it in input: \"%.100s: %s?\"", field->name,
                mm_type_name(field->type, type, sizeof type));
  mm_plan_raise(plan, &error);
  return -1;
}

/* A null in a column that is declared without nulls is an error at its row, as it is in a file. */
static int check_nulls(const mm_outcome *outcome, plan_object *plan) {
  const mm_schema *reads = &outcome->feed.schema;
  int64_t start = 0;
  for (int64_t b = 0; b < outcome->feed.count; b++) {
    mm_batch *batch = &outcome->feed.batches[b];
    int64_t first = batch->length;
    int32_t at = -1;
    for (int32_t i = 0; i < batch->count; i++) {
      int64_t row = reads->fields[i].nullable ? first : first_null(&batch->columns[i]);
      if (row < first) first = row, at = i;
    }
    if (at >= 0) return refuse_null(plan, &reads->fields[at], start + first);
    start += batch->length;
  }
  return 0;
}

/* The numbers of the columns that are read, in a table. */
static int find_columns(plan_object *plan, const mm_table *table, int32_t *numbers) {
  const mm_schema *reads = mm_plan_reads(plan->plan);
  for (int32_t i = 0; i < reads->count; i++) {
    const mm_field *wanted = &reads->fields[i];
    numbers[i] = mm_schema_find(&table->schema, wanted->name);
    mm_type type = numbers[i] < 0 ? (mm_type){0} : table->schema.fields[numbers[i]].type;
    bool foreign = type.id == MM_OPAQUE && wanted->type.id == MM_OPAQUE; /* plans know foreign types only as such */
    if (numbers[i] >= 0 && (foreign || mm_type_same(type, wanted->type))) continue;
    mm_raise_new(plan->state, MM_EUSAGE, "other-columns", wanted->name, "make a plan for this table",
                 "the plan was made for other columns: \"%s\" is %s", wanted->name,
                 numbers[i] < 0 ? "missing" : "of another type");
    return -1;
  }
  return 0;
}

static int pick_batch(const mm_batch *from, const int32_t *numbers, int32_t count, mm_table *to, mm_error *error) {
  mm_batch batch = {0};
  int status = mm_batch_resize(&batch, count, error);
  if (status < 0) return status;
  batch.length = from->length;
  for (int32_t i = 0; i < count; i++) {
    batch.columns[i] = from->columns[numbers[i]];
    mm_column_retain(&batch.columns[i]);
  }
  return mm_table_append(to, &batch, error);
}

static int open_feed(mm_outcome *outcome, plan_object *plan, const mm_table *table) {
  const mm_schema *reads = mm_plan_reads(plan->plan);
  mm_error error;
  int32_t *numbers = PyMem_Calloc((size_t)reads->count + 1, sizeof *numbers);
  if (!numbers) {
    PyErr_NoMemory();
    return -1;
  }
  int found = find_columns(plan, table, numbers);
  int status = found < 0 ? 0 : mm_schema_copy(&outcome->feed.schema, reads, &error);
  for (int32_t i = 0; i < reads->count && found == 0 && status >= 0; i++)
    outcome->feed.schema.fields[i].type = table->schema.fields[numbers[i]].type;
  for (int64_t b = 0; b < table->count && found == 0 && status >= 0; b++)
    status = pick_batch(&table->batches[b], numbers, reads->count, &outcome->feed, &error);
  PyMem_Free(numbers);
  if (status < 0) mm_raise(plan->state, &error);
  return found < 0 || status < 0 ? -1 : check_nulls(outcome, plan);
}

/* ---- Opening ---- */

static int make_targets(mm_outcome *outcome, plan_object *plan) {
  const mm_schema *gives = mm_plan_gives(plan->plan);
  outcome->count = gives->count;
  outcome->targets = calloc((size_t)gives->count + 1, sizeof *outcome->targets);
  if (!outcome->targets) {
    PyErr_NoMemory();
    return -1;
  }
  for (int32_t i = 0; i < gives->count; i++) {
    mm_target *target = &outcome->targets[i];
    target->shared = outcome->keeps ? mm_plan_shares(plan->plan, i) : -1;
    if (gives->fields[i].type.id == MM_OPAQUE && outcome->copy) {
      char text[64];
      mm_raise_new(plan->state, MM_EUSAGE, "nested-type", gives->fields[i].name, "leave it out, or run without copy",
                   "column \"%s\" is of type %s, which cannot be copied", gives->fields[i].name,
                   mm_type_name(gives->fields[i].type, text, sizeof text));
      return -1;
    }
    if (target->shared < 0 || outcome->copy) outcome->chunked |= !mm_has_width(gives->fields[i].type);
  }
  outcome->chunked |= !outcome->keeps;
  return 0;
}

/* Whole columns for what is computed and has no other place. */
static int make_columns(mm_outcome *outcome, plan_object *plan) {
  const mm_schema *gives = mm_plan_gives(plan->plan);
  mm_error error;
  int status = 0;
  for (int32_t i = 0; i < outcome->count && !outcome->chunked && status >= 0; i++) {
    mm_target *target = &outcome->targets[i];
    const mm_field *field = &gives->fields[i];
    if (target->into.data || (target->shared >= 0 && !outcome->copy && !target->bytes)) continue;
    status =
        mm_column_make(&target->into, field->type, outcome->feed.rows, 0, field->nullable && !target->bytes, &error);
  }
  if (status < 0) mm_raise(plan->state, &error);
  return status < 0 ? -1 : 0;
}

int mm_outcome_open(mm_outcome *outcome, plan_object *plan, PyObject *object, PyObject *outs, bool copy) {
  const mm_table *table = mm_table_of(plan->state, object);
  if (!table) return -1;
  int32_t flags = mm_plan_flags(plan->plan);
  *outcome = (mm_outcome){.plan = plan->plan, .copy = copy};
  mm_plan_retain(plan->plan);
  outcome->keeps = (flags & MM_STAGE_KEEPS_ROWS) && !(flags & MM_STAGE_BREAKER);
  int status = open_feed(outcome, plan, table);
  if (status == 0) status = make_targets(outcome, plan);
  if (status == 0 && outs) status = mm_outs_take(outcome, plan, outs);
  if (status == 0) status = make_columns(outcome, plan);
  if (status < 0) mm_outcome_free(outcome);
  return status;
}

int mm_outcome_read(mm_outcome *outcome, plan_object *plan, PyObject *input, const char *path, int64_t room) {
  mm_error error;
  *outcome = (mm_outcome){.plan = plan->plan, .chunked = true};
  mm_plan_retain(plan->plan);
  outcome->source = mm_input_take(plan, input);
  bool taken = outcome->source != NULL;
  if (taken && path && !(outcome->path = strdup(path))) PyErr_NoMemory();
  if (taken && room && !(outcome->queue = mm_queue_new(room, &error))) mm_raise(plan->state, &error);
  if (!PyErr_Occurred()) return 0;
  mm_outcome_free(outcome);
  return -1;
}

void mm_outcome_free(mm_outcome *outcome) {
  for (int32_t i = 0; i < outcome->count && outcome->targets; i++) {
    mm_column_release(&outcome->targets[i].into);
    mm_block_release(outcome->targets[i].bytes);
  }
  free(outcome->targets);
  if (outcome->source) mm_source_free(outcome->source);
  free(outcome->path);
  mm_queue_release(outcome->queue);
  mm_table_free(&outcome->feed);
  mm_plan_release((mm_plan *)(uintptr_t)outcome->plan);
  *outcome = (mm_outcome){0};
}

/* ---- Running ---- */

bool mm_outcome_works(const mm_outcome *outcome) {
  if (outcome->chunked) return true;
  for (int32_t i = 0; i < outcome->count; i++)
    if (outcome->targets[i].into.data) return outcome->feed.rows > 0;
  return false;
}

mm_stage *mm_outcome_sink(const mm_outcome *outcome, const mm_pulse *pulse, mm_error *error) {
  mm_output_options settings = {.interrupt = pulse->beat, .context = pulse->context};
  if (outcome->path) return mm_sink_csv(outcome->path, &settings, error);
  if (outcome->queue) return mm_queue_sink(outcome->queue, error);
  if (outcome->chunked) return mm_sink_table(-1, error);
  mm_column *to = calloc((size_t)outcome->count + 1, sizeof *to);
  if (!to) {
    mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a result");
    return NULL;
  }
  for (int32_t i = 0; i < outcome->count; i++) to[i] = outcome->targets[i].into;
  mm_stage *sink = mm_sink_into(to, outcome->count, outcome->in_place, error);
  free(to);
  return sink;
}

/* ---- What comes out ---- */

/* Blocks of the input, in the order of their addresses. */
typedef struct block_set {
  const mm_block **blocks;
  size_t count;
} block_set;

static int by_address(const void *a, const void *b) {
  uintptr_t x = (uintptr_t) * (const mm_block *const *)a, y = (uintptr_t) * (const mm_block *const *)b;
  return x < y ? -1 : x > y;
}

static int collect_blocks(const mm_table *table, block_set *set) {
  size_t columns = (size_t)table->count * (size_t)table->schema.count;
  set->blocks = malloc((3 * columns + 1) * sizeof *set->blocks);
  if (!set->blocks) return -1;
  for (int64_t b = 0; b < table->count; b++)
    for (int32_t i = 0; i < table->batches[b].count; i++) {
      const mm_column *column = &table->batches[b].columns[i];
      const mm_block *blocks[] = {column->valid_block, column->data_block, column->offsets_block};
      for (int k = 0; k < 3; k++)
        if (blocks[k]) set->blocks[set->count++] = blocks[k];
    }
  qsort(set->blocks, set->count, sizeof *set->blocks, by_address);
  return 0;
}

static bool is_among(const block_set *set, const mm_block *block) {
  return block && bsearch(&block, set->blocks, set->count, sizeof *set->blocks, by_address);
}

static bool shares(const block_set *set, const mm_column *column) {
  return is_among(set, column->valid_block) || is_among(set, column->data_block)
         || is_among(set, column->offsets_block);
}

static int own_copy(mm_column *column, mm_error *error) {
  mm_column own = {0};
  int status = mm_column_copy(&own, column, error);
  if (status < 0) return status;
  mm_column_release(column);
  *column = own;
  return 0;
}

/* Whether memory is shared follows from the plan: what shares it by chance gets memory of its own. */
static int separate(const mm_outcome *outcome, mm_table *table, mm_traffic *traffic, mm_error *error) {
  block_set set = {0};
  int status = 0;
  if (collect_blocks(&outcome->feed, &set) < 0)
    return mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a result");
  for (int64_t b = 0; b < table->count; b++)
    for (int32_t i = 0; i < table->batches[b].count && status >= 0; i++) {
      mm_column *column = &table->batches[b].columns[i];
      if (!shares(&set, column)) continue;
      bool meant = outcome->targets[i].shared >= 0 && !outcome->copy;
      if (!meant) status = own_copy(column, error);
      if (status >= 0) *(meant ? &traffic->shared : &traffic->copied) += mm_column_bytes(column);
    }
  free(set.blocks);
  return status;
}

/* Bools as the caller's memory has them. */
static void spread_bits(const mm_target *target) {
  uint8_t *bytes = mm_block_data(target->bytes);
  const uint64_t *bits = target->into.data;
  for (int64_t i = 0; i < target->into.length; i++) bytes[i] = bits[i >> 6] >> (i & 63) & 1;
}

/* Rows [start, start + length) of what was computed into whole columns, and the shared columns of a batch of the
 * feed. */
static int assemble(const mm_outcome *outcome, const mm_batch *feed, int64_t start, int64_t length, mm_table *to,
                    mm_traffic *traffic, mm_error *error) {
  mm_batch batch = {0};
  int status = mm_batch_resize(&batch, outcome->count, error);
  batch.length = length;
  for (int32_t i = 0; i < outcome->count && status >= 0; i++) {
    const mm_target *target = &outcome->targets[i];
    mm_column *column = &batch.columns[i];
    if (target->into.data) {
      status = mm_column_slice(column, &target->into, start, length, error);
      bool here = target->shared >= 0 && target->into.data == outcome->feed.batches[0].columns[target->shared].data;
      if (status >= 0 && target->shared >= 0 && !here) traffic->copied += mm_column_bytes(column);
    } else {
      *column = feed->columns[target->shared];
      mm_column_retain(column);
      traffic->shared += mm_column_bytes(column);
    }
  }
  if (status >= 0) return mm_table_append(to, &batch, error);
  mm_batch_free(&batch);
  return status;
}

static int assemble_all(mm_outcome *outcome, mm_table *to, mm_traffic *traffic, mm_error *error) {
  bool any_shared = false;
  for (int32_t i = 0; i < outcome->count; i++) {
    mm_target *target = &outcome->targets[i];
    any_shared |= !target->into.data;
    if (target->bytes && target->into.data) spread_bits(target);
    if (target->into.valid && mm_column_null_count(&target->into) == 0) target->into.valid = NULL;
  }
  int status = mm_schema_copy(&to->schema, mm_plan_gives(outcome->plan), error);
  if (status < 0 || outcome->feed.rows == 0) return status;
  if (!any_shared) return assemble(outcome, NULL, 0, outcome->feed.rows, to, traffic, error);
  int64_t start = 0;
  for (int64_t b = 0; b < outcome->feed.count && status >= 0; b++) {
    const mm_batch *batch = &outcome->feed.batches[b];
    status = assemble(outcome, batch, start, batch->length, to, traffic, error);
    start += batch->length;
  }
  return status;
}

/* Foreign types are what they were in the input: such a column can only have passed. */
static void name_foreign(const mm_outcome *outcome, mm_schema *schema) {
  for (int32_t i = 0; i < schema->count; i++) {
    int32_t shared = outcome->targets[i].shared;
    if (schema->fields[i].type.id == MM_OPAQUE && shared >= 0)
      schema->fields[i].type = outcome->feed.schema.fields[shared].type;
  }
}

int mm_outcome_collect(mm_outcome *outcome, mm_job *job, mm_table *to, mm_traffic *traffic, mm_error *error) {
  if (outcome->path || outcome->queue) return 0;
  int status = outcome->chunked ? mm_job_take_result(job, to, NULL, error) : assemble_all(outcome, to, traffic, error);
  if (status < 0 || !outcome->targets) return status;
  name_foreign(outcome, &to->schema);
  return outcome->chunked ? separate(outcome, to, traffic, error) : 0;
}
